"""What every data set looks like from outside: `Dataset` and `Split`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from sginpaint.data.classes import ClassInfo
from sginpaint.errors import UserError
from sginpaint.files import digest

ALIASES = {"val": "validation", "validation": "val"}


class Examples(Protocol):
  """Random access to the examples of a split.

  Picklable, hashable and thread-safe.
  """

  def __hash__(self) -> int: ...

  @property
  def ids(self) -> Sequence[str]:
    """As `Split.ids`."""

  @property
  def fingerprint(self) -> str:
    """As `Split.fingerprint`."""

  @property
  def labelled(self) -> np.ndarray:
    """bool [N], which examples have a label map of their own."""

  def content(self, index: int) -> str:
    """As `Split.content`."""

  def __len__(self) -> int: ...

  def __getitem__(self, index: int) -> dict[str, np.ndarray]: ...


@dataclasses.dataclass(frozen=True)
class Split:
  """One split of a data set: a sequence of examples in a fixed order.

  `split[i]` is a dict of `image` uint8 [H, W, 3] RGB and, where the data set
  has them, `segmentation` uint8 [H, W] (class indices, 255 = ignore) and
  `attributes` float32 [A] (NaN = unknown), all at the original size.

  Attributes:
    name: as asked for.
    examples: where they are read.
    classes: of the segmentation; empty = the examples have none.
    attributes: their names; empty = the examples have none.
    siblings: {name: examples} of all splits of the data set.
  """

  name: str
  examples: Examples
  classes: tuple[ClassInfo, ...]
  attributes: tuple[str, ...]
  siblings: Mapping[str, Examples] = dataclasses.field(default_factory=dict)

  @property
  def ids(self) -> Sequence[str]:
    """One text per example, unique in the split, in order."""
    return self.examples.ids

  @property
  def fingerprint(self) -> str:
    """Changes when the pictures or their order change.

    What is computed from pictures alone, such as teacher features, is bound to
    it. Copying or touching the files does not change it, nor, in a folder, does
    the correction of labels; the data set's own module says what goes into it.
    """
    return self.examples.fingerprint

  @property
  def labelled(self) -> bool:
    """Whether any example has a label map; else all pixels are unknown."""
    return bool(self.examples.labelled.any())

  def content(self, index: int) -> str:
    """Hash of a picture as it is stored: equal pictures, whatever their ids."""
    return self.examples.content(index)

  def __len__(self) -> int:
    return len(self.examples)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    return self.examples[index]


@dataclasses.dataclass(frozen=True)
class Dataset:
  """A data set: its classes, its attributes and its splits.

  Attributes:
    name: of the data set, as `config.data.name`.
    source: the directory it is read from.
    classes: the K classes, position = index in label maps; ignored ones are
      not among them.
    attributes: the A names.
    splits: examples by name.
    fingerprint: changes when pictures, labels, classes or attributes do.
  """

  name: str
  source: str
  classes: tuple[ClassInfo, ...]
  attributes: tuple[str, ...]
  splits: Mapping[str, Examples]
  fingerprint: str

  def split(self, name: str) -> Split:
    """The split of that name; `val` and `validation` stand for each other.

    Raises:
      UserError: there is none, or it is empty; names those that exist.
    """
    examples = self.splits.get(name, self.splits.get(ALIASES.get(name, "")))
    filled = ", ".join(n for n, e in self.splits.items() if len(e))
    if examples is None:
      raise UserError(f"{self.source}: no split {name!r}; there is {filled}")
    if not len(examples):
      raise UserError(
        f"{self.source}: split {name!r} is empty; there is {filled}"
      )
    return Split(
      name, examples, self.classes, self.attributes, siblings=self.splits
    )


def dataset_fingerprint(
  classes: Sequence[ClassInfo],
  attributes: Sequence[str],
  contents: Sequence[str],
) -> str:
  """Hash of the description of a data set and the hashes of its contents."""
  described = [repr(dataclasses.astuple(info)) for info in classes]
  return digest(*described, "|", *attributes, "|", *contents)
