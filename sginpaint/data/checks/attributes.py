"""Attributes: `attributes.csv` line by line, and how often each holds."""

import collections
import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from sginpaint.data.attributes import RARE, VALUES
from sginpaint.data.checks.findings import ERROR, NOTE, WARNING, Findings, Kind
from sginpaint.data.folder_layout import Picture, find_by_name, name_index

_HEADER = Kind(
  "attribute-header",
  ERROR,
  "attributes.csv has no usable first line",
  "it names the column of pictures, then every attribute",
)
_ENCODING = Kind(
  "attribute-file",
  ERROR,
  "attributes.csv cannot be read",
  "save it as CSV in UTF-8",
)
_TWICE = Kind(
  "attribute-twice",
  ERROR,
  "attributes named twice",
  "give each column of attributes.csv a name of its own",
)
_LENGTH = Kind(
  "attribute-columns",
  ERROR,
  "lines of attributes.csv with too many or too few values",
  "give one value for each name of the first line; nothing = unknown",
)
_VALUE = Kind(
  "attribute-value",
  ERROR,
  "values in attributes.csv that are not 1, 0 or -1",
  "write 1 = yes, 0 or -1 = no, nothing = unknown",
)
_NO_PICTURE = Kind(
  "attribute-stem",
  WARNING,
  "lines of attributes.csv without a picture",
  "they are passed over: write ids as below images/",
)
_NONE_FITS = Kind(
  "attribute-stems",
  ERROR,
  "no line of attributes.csv fits a picture",
  "write ids as below images/ into its first column",
)
_ROW_TWICE = Kind(
  "attribute-row-twice",
  WARNING,
  "pictures with several lines in attributes.csv",
  "the last one counts: keep one",
)
_NO_ROW = Kind(
  "attribute-missing",
  WARNING,
  "pictures without a line in attributes.csv",
  "all their attributes are unknown: add lines",
)
_PREVALENCE = Kind(
  "attribute-prevalence",
  WARNING,
  f"attributes that hold for under {RARE:.0%} or over {1 - RARE:.0%} of train",
  "they say little: leave them out, or name those to use by "
  "config.data.keep_attributes",
)
_UNKNOWN = Kind(
  "attribute-unknown",
  WARNING,
  "attributes that are unknown for every picture of train",
  "nothing can be learned of them: fill them in or leave them out",
)
_SHARE = Kind("attributes-unknown", NOTE, "values of attributes not known")


def check_attribute_file(
  file: Path, pictures: Sequence[Picture], findings: Findings
) -> tuple[tuple[str, ...], np.ndarray]:
  """Looks at every line of `attributes.csv`.

  Args:
    file: the file.
    pictures: of the folder.
    findings: are added to.

  Returns:
    (names, float32 [N, A] in order of `pictures`, NaN = unknown), what can be
    understood of it.
  """
  nothing = (), np.zeros((len(pictures), 0), np.float32)
  try:
    with file.open(newline="", encoding="utf-8-sig") as text:
      reader = csv.reader(text, skipinitialspace=True)
      header = next(reader, [])
      records = [(reader.line_num, record) for record in reader if record]
  except (OSError, UnicodeDecodeError, csv.Error) as e:
    findings.add(_ENCODING, str(e), count=0)
    return nothing
  names = tuple(name.strip() for name in header[1:])
  if not names or not all(names):
    findings.add(_HEADER, ",".join(header)[:60], count=0)
    return nothing
  for name, count in collections.Counter(names).items():
    if count > 1:
      findings.add(_TWICE, name)
  values, seen = _read_rows(records, names, pictures, findings)
  for row, picture in enumerate(pictures):
    if not seen[row] and seen.any():
      findings.add(_NO_ROW, picture.id)
    elif seen[row] > 1:
      findings.add(_ROW_TWICE, picture.id)
  return names, values


def _read_rows(
  records: Sequence[tuple[int, list[str]]],
  names: Sequence[str],
  pictures: Sequence[Picture],
  findings: Findings,
) -> tuple[np.ndarray, np.ndarray]:
  """(float32 [N, A], int [N], lines of each picture)."""
  values = np.full((len(pictures), len(names)), np.nan, np.float32)
  seen = np.zeros(len(pictures), int)
  rows = name_index(dict(enumerate(pictures)))
  strange = []
  for line, record in records:
    if len(record) != len(names) + 1:
      findings.add(_LENGTH, f"line {line}: {len(record) - 1}, not {len(names)}")
      continue
    texts = [text.strip().lower() for text in record[1:]]
    for name, text in zip(names, texts, strict=True):
      if text not in VALUES:
        findings.add(_VALUE, f"line {line}, {name}: {text!r}")
    row = find_by_name(record[0], rows)
    if row is None:
      strange.append(f"line {line}: {_short(record[0])}")
      continue
    seen[row] += 1
    values[row] = [VALUES.get(text, np.nan) for text in texts]
  if strange and not seen.any():
    findings.add(_NONE_FITS, "; ".join(strange[:2]), count=0)
  else:
    for example in strange:
      findings.add(_NO_PICTURE, example)
  return values, seen


def _short(name: str) -> str:
  return name if len(name) < 40 else f".../{PurePosixPath(name).name}"


class PrevalenceCheck:
  """Counts how often attributes hold in train."""

  def __init__(self, findings: Findings, names: Sequence[str]):
    """Takes where findings go, and the names of the A attributes."""
    self._findings = findings
    self._names = names
    self._yes = np.zeros(len(names))
    self._known = np.zeros(len(names), int)
    self._count = 0

  def add(self, values: np.ndarray) -> None:
    """Counts one picture, float32 [A] in [0, 1], NaN = unknown."""
    known = ~np.isnan(values)
    self._yes += np.where(known, values, 0.0)
    self._known += known
    self._count += 1

  def finish(self) -> None:
    """Looks at the counts."""
    if not self._count or not self._names:
      return
    for i, name in enumerate(self._names):
      if not self._known[i]:
        self._findings.add(_UNKNOWN, name)
        continue
      share = self._yes[i] / self._known[i]
      if not RARE <= share <= 1 - RARE:
        self._findings.add(_PREVALENCE, f"{name}: {share:.1%}")
    unknown = 1 - self._known.sum() / (self._count * len(self._names))
    if unknown:
      self._findings.add(_SHARE, f"{unknown:.1%}", count=0)
