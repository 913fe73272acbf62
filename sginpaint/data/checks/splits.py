"""Splits: there, filled, and without a picture in common."""

from collections.abc import Mapping

from sginpaint.data.checks.findings import ERROR, NOTE, WARNING, Findings, Kind
from sginpaint.data.checks.reading import UNLISTED_SPLIT, Source
from sginpaint.data.splits import ALIASES

_ACROSS = Kind(
  "shared-picture",
  WARNING,
  "pictures of one split that are, pixel for pixel, in another too",
  "scores on them are too good: keep each in one split",
)
_WITHIN = Kind(
  "repeated-picture",
  NOTE,
  "pictures that are twice in a split, pixel for pixel",
  "they count twice: remove one of each, if that is not meant",
)
_ID_TWICE = Kind(
  "repeated-id",
  ERROR,
  "ids that several records of a split have",
  "results could not be told apart: prepare it with ids that are unique",
)
_NO_TRAIN = Kind(
  "no-train-split",
  ERROR,
  "no picture in the split to train on",
  "fill it, or name another one",
)
_NO_VALIDATION = Kind(
  "no-validation-split",
  WARNING,
  "no picture in the split to look at while training",
  "fill it, or name another one",
)
_NO_TEST = Kind(
  "no-test-split",
  WARNING,
  "no picture in the split to evaluate",
  "fill it, name another one, or evaluate with --split=NAME",
)
_EMPTY = Kind("empty-split", WARNING, "splits without a picture")


def check_splits(
  sizes: Mapping[str, int], findings: Findings, *, wanted: Mapping[str, str]
) -> None:
  """Looks whether there is what a training needs.

  Args:
    sizes: pictures of each split.
    findings: are added to.
    wanted: {"train" | "validation" | "test": name of the split}.
  """
  filled = ", ".join(s for s, n in sizes.items() if s and n) or "none"
  lacking = set()
  kinds = {
    "train": _NO_TRAIN,
    "validation": _NO_VALIDATION,
    "test": _NO_TEST,
  }
  for role, name in wanted.items():
    own = name if name in sizes else ALIASES.get(name, "")
    if not own or not sizes.get(own):
      lacking |= {name, own}
      field = f"--config.data.{role}_split={name}"
      findings.add(kinds[role], f"{field}; there is {filled}", count=0)
  for split, size in sizes.items():
    if not size and split != UNLISTED_SPLIT and split not in lacking:
      findings.add(_EMPTY, split)


class DuplicateCheck:
  """Finds pictures and ids that come again, in 100 bytes for each."""

  def __init__(self, findings: Findings, source: Source):
    """Takes where findings go, and what names of pictures come from."""
    self._findings = findings
    self._source = source
    self._pictures: dict[int, tuple[str, int]] = {}
    self._ids: set[int] = set()

  def add(self, split: str, index: int, name: str, content: int) -> None:
    """Looks at one picture.

    Args:
      split: that it is of.
      index: its position there.
      name: of it.
      content: hash of its pixels; 0 = not known.
    """
    if split == UNLISTED_SPLIT:
      return
    here = hash((split, name))
    if here in self._ids:
      self._findings.add(_ID_TWICE, f"{name} in {split}")
    self._ids.add(here)
    if not content:
      return
    first, position = self._pictures.setdefault(content, (split, index))
    if (first, position) == (split, index):
      return
    other = self._source.name(first, position)
    if first == split:
      self._findings.add(_WITHIN, f"{_in(split, other)} = {name}")
    else:
      both = f"{_in(first, other)} = {_in(split, name)}"
      self._findings.add(_ACROSS, both)


def _in(split: str, name: str) -> str:
  return name if name.startswith(f"{split}/") else f"{split}: {name}"
