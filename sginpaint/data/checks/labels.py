"""Label maps: class numbers, as large as their pictures, all of them known.

What usually goes wrong is told by the numbers themselves: colours instead of
numbers, numbers spread over 0..255 to be seen, counted from one, or mixed by
JPEG or by a resize that interpolates.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.checks.findings import ERROR, NOTE, WARNING, Findings, Kind
from sginpaint.data.checks.label_files import LabelFacts
from sginpaint.data.classes import (
  UNLISTED,
  ClassInfo,
  ClassTable,
  table_from_values,
)

_SIZE = Kind(
  "label-size",
  ERROR,
  "label maps of another size than their pictures",
  "make them again, or resize them by nearest neighbour",
)
_TURNED = Kind(
  "label-turned",
  ERROR,
  "label maps that lie where their pictures stand, or the reverse",
  "turn them as the pictures' EXIF orientation says",
)
_VOID = Kind(
  "void-label",
  WARNING,
  "label maps that are ignored or unknown in every pixel",
  "is the class to ignore right? Else label or remove these pictures",
)
_UNLABELLED = Kind(
  "no-label",
  WARNING,
  "pictures without a label map",
  "they count as ignored in every pixel: label them, or mean it",
)
_UNSEEN = Kind(
  "unseen-class",
  WARNING,
  "classes that no pixel of train shows",
  "nothing can be learned of them: remove them from classes.csv, or move "
  "pictures to train",
)
_BINARY = Kind(
  "binary-labels",
  WARNING,
  "label maps hold 0 and 255 alone, and 255 is ignored",
  "if 255 means a class, write 1 instead",
)
_MANY = 32  # more values than this where no file lists the classes: suspicious
_STRAY = 8  # more unknown values than this look like a mixture
_IGNORED = 0.5  # share of ignored pixels that calls for a look


class LabelCheck:
  """Looks at label maps one after the other, then at all together."""

  def __init__(
    self,
    findings: Findings,
    *,
    lookup: np.ndarray | None,
    classes: Sequence[ClassInfo],
    file: str,
  ):
    """Takes what the values mean.

    Args:
      findings: are added to.
      lookup: int32 [256], value -> class index, 255 or UNLISTED; None =
        nothing describes them, so each is a class.
      classes: of the indices.
      file: where the classes are listed, for people.
    """
    self._findings = findings
    self._lookup = lookup
    self._classes = classes
    self._file = file
    self._files = 0
    self._unlabelled: list[str] = []
    self._pixels: dict[str, np.ndarray] = {}
    self._unknown_names: dict[int, str] = {}
    self._unknown_files = np.zeros(256, np.int64)

  def add(
    self,
    name: str,
    split: str,
    facts: LabelFacts | None,
    size: tuple[int, int],
  ) -> None:
    """Looks at one label map.

    Args:
      name: of the label map, or of the picture that has none.
      split: that it is of.
      facts: of the label map; None = there is none.
      size: (height, width) of the picture; zeros = not known.
    """
    if facts is None:
      self._unlabelled.append(name)
      return
    self._files += 1
    if facts.kind:
      detail = f": {facts.detail}" if facts.detail else ""
      self._findings.add(facts.kind, f"{name}{detail}")
      return
    assert facts.counts is not None
    if facts.size != size and any(size):
      kind = _TURNED if facts.size == size[::-1] else _SIZE
      (h, w), (high, wide) = facts.size, size
      self._findings.add(kind, f"{name}: {w}x{h}, picture {wide}x{high}")
    pixels = self._pixels.setdefault(split, np.zeros(256, np.int64))
    pixels += facts.counts
    self._look_at_values(name, facts.counts)

  def _look_at_values(self, name: str, counts: np.ndarray) -> None:
    known = counts[IGNORE]
    if self._lookup is not None:
      unknown = (self._lookup == UNLISTED) & (counts > 0)
      self._unknown_files += unknown
      for value in np.flatnonzero(unknown).tolist():
        self._unknown_names.setdefault(value, name)
      known = counts[self._lookup == IGNORE].sum()
    if known == counts.sum():
      self._findings.add(_VOID, name)

  def finish(self, *, complete: bool = True) -> None:
    """Looks at all together, of which there may be more."""
    if not self._files:
      return
    for name in self._unlabelled:
      self._findings.add(_UNLABELLED, name)
    total = sum(self._pixels.values(), np.zeros(256, np.int64))
    if self._lookup is None:
      table = table_from_values(np.flatnonzero(total).tolist())
      self._undescribed(table)
      self._lookup, self._classes = table.lookup, table.classes
    else:
      self._unknown(total)
    self._shares(total)
    if complete:
      self._unseen(total)

  def _undescribed(self, table: ClassTable) -> None:
    values = table.values
    shown = [f"class_{v}" for v in values]
    kind = Kind(
      "no-classes-file",
      WARNING,
      f"no {self._file}: every number becomes a class",
      "write value,name,ignore,mirror of each number there",
    )
    self._findings.add(kind, _listed(shown), count=len(shown))
    if len(values) > _MANY:
      kind = Kind(
        "many-values",
        WARNING,
        "different numbers in label maps, more than labels usually have",
        "grey pictures, or labels mixed by JPEG or resizing? Make them again",
      )
      self._findings.add(kind, _listed(map(str, values)), count=len(values))

  def _unknown(self, total: np.ndarray) -> None:
    assert self._lookup is not None
    unknown = np.flatnonzero((self._lookup == UNLISTED) & (total > 0)).tolist()
    if not unknown:
      return
    kind = Kind(
      "unknown-value",
      ERROR,
      f"numbers in label maps that {self._file} does not list",
      self._hint(unknown, total),
    )
    for value in sorted(unknown, key=lambda v: -total[v]):
      files = self._unknown_files[value]
      example = (
        f"{value}: {total[value]:,} pixels of {files:,} "
        f"map{'' if files == 1 else 's'}, first {self._unknown_names[value]}"
      )
      self._findings.add(kind, example)

  def _hint(self, unknown: Sequence[int], total: np.ndarray) -> str:
    assert self._lookup is not None
    listed = set(np.flatnonzero(self._lookup >= 0).tolist()) - {IGNORE}
    seen = [v for v in np.flatnonzero(total).tolist() if v not in (0, IGNORE)]
    if not np.isin(seen, list(listed)).any() or len(seen) <= len(listed):
      step = int(np.gcd.reduce(seen)) if seen else 1
      if step > 1 and {v // step for v in seen} <= listed | {0}:
        return f"they look like class numbers times {step}: divide them"
    first, last = min(listed), max(listed)
    if list(unknown) == [last + 1] and not total[first]:
      return "they look counted from one too many: subtract 1"
    if len(unknown) > _STRAY:
      return (
        "so many look like labels mixed by JPEG or by a resize that "
        "interpolates: make them again as PNG, resized by nearest neighbour"
      )
    return f"add a line for each to {self._file}, or mend the label maps"

  def _shares(self, total: np.ndarray) -> None:
    assert self._lookup is not None
    if set(np.flatnonzero(total).tolist()) == {0, IGNORE}:
      self._findings.add(_BINARY, count=0)
    ignored = total[self._lookup == IGNORE].sum() / max(1, total.sum())
    much = ignored > _IGNORED
    kind = Kind(
      "ignored-pixels",
      WARNING if much else NOTE,
      "pixels of label maps that are ignored",
      "is the class to ignore right?" if much else "",
    )
    if ignored:
      self._findings.add(kind, f"{ignored:.1%}", count=0)

  def _unseen(self, total: np.ndarray) -> None:
    assert self._lookup is not None
    train = self._pixels.get("train", total)
    seen = {self._lookup[v] for v in np.flatnonzero(train).tolist()}
    for index, info in enumerate(self._classes):
      if index not in seen:
        self._findings.add(_UNSEEN, info.name)


def _listed(words: Iterable[str]) -> str:
  shown = list(words)
  return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "")
