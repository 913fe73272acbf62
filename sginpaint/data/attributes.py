"""Attributes of the pictures of a folder: from a file, or from the labels.

`attributes.csv` has one row per picture: its id or stem in the first column
(whatever its title), then one column per attribute, 1 = yes, 0 or -1 = no,
empty or nan = unknown. A picture without a row knows nothing.

Where there are labels but no such file, the attributes are the classes present:
1 where a class covers at least 0.5 % of the whole picture. Those that hold for
less than 2 % or more than 98 % of the training pictures say nothing and are
dropped. A picture without a label knows nothing.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.classes import ClassTable
from sginpaint.data.folder_layout import Picture, find_by_name, name_index
from sginpaint.data.text_files import opened_text
from sginpaint.errors import UserError

PRESENT = 0.005
RARE = 0.02
VALUES = {"1": 1.0, "0": 0.0, "-1": 0.0, "": np.nan, "nan": np.nan}


def read_attributes(
  path: Path, pictures: Sequence[Picture]
) -> tuple[tuple[str, ...], np.ndarray]:
  """Reads `attributes.csv`: names, and float32 [N, A] in order of `pictures`.

  Rows of pictures that are not there are passed over.

  Raises:
    UserError: a row is wrong, or no row fits a picture; names file and line.
  """
  with opened_text(path) as file:
    reader = csv.reader(file, skipinitialspace=True)
    names = tuple(name.strip() for name in next(reader, ())[1:])
    wrong = len(set(names)) < len(names) or not all(names)
    if not names or wrong or VALUES.keys() & set(names):
      raise UserError(
        f"{path}: the first line must name the picture column, then every "
        "attribute once"
      )
    table = np.full((len(pictures), len(names)), np.nan, np.float32)
    rows = name_index(dict(enumerate(pictures)))
    fitting = 0
    for record in filter(None, reader):
      row = find_by_name(record[0], rows)
      values = _values(record, len(names), f"{path}, line {reader.line_num}")
      if row is not None:
        table[row] = values
        fitting += 1
  if not fitting:
    raise UserError(f"{path}: no row fits a picture; write stems in column 1")
  return names, table


def classes_present(
  table: ClassTable,
  counts: Sequence[Mapping[int, int]],
  train: Sequence[int],
) -> tuple[tuple[str, ...], np.ndarray]:
  """Classes present as attributes: names, and float32 [N, A].

  Args:
    table: the classes.
    counts: per picture, pixels per file value; empty = no label.
    train: positions of the training pictures, whose shares decide.
  """
  shares = np.full((len(counts), len(table.classes)), np.nan, np.float32)
  lookup = table.lookup
  for row, values in zip(shares, counts, strict=True):
    if values:
      row[:] = 0.0
      for value, pixels in values.items():
        if lookup[value] != IGNORE:
          row[lookup[value]] = pixels / sum(values.values())
  present = np.where(np.isnan(shares), shares, shares >= PRESENT)
  known = present[np.asarray(train, int)]
  known = known[~np.isnan(known).any(axis=1)]
  prevalence = known.mean(axis=0) if len(known) else np.zeros(shares.shape[1])
  kept = (prevalence >= RARE) & (prevalence <= 1 - RARE)
  names = tuple(
    info.name for info, keep in zip(table.classes, kept, strict=True) if keep
  )
  return names, present[:, kept].astype(np.float32)


def _values(record: list[str], count: int, where: str) -> list[float]:
  if len(record) != count + 1:
    raise UserError(
      f"{where}: {len(record) - 1} values, but the first line names {count}"
    )
  texts = [text.strip().lower() for text in record[1:]]
  if wrong := [text for text in texts if text not in VALUES]:
    raise UserError(f"{where}: {wrong[0]!r}; write 1, 0, -1 or nothing")
  return [VALUES[text] for text in texts]
