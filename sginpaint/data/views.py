"""A data set seen with fewer attributes, or without its label maps.

`config.data.keep_attributes` names the attributes to use: so a network that
knows 18 of CelebA's 40 guides on any data whose attributes hold those, wherever
they stand there. `config.data.labels = "none"` is for a training that asks a
network what pictures show: the classes are then those of the network, not those
that the data set happens to have.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from sginpaint.data.splits import Dataset, Examples
from sginpaint.errors import UserError
from sginpaint.files import digest

NO_LABELS = "none"


@dataclasses.dataclass(frozen=True, eq=False)
class View:
  """The examples of a split, as they are; subclasses change what is read.

  Attributes:
    examples: of the split.
  """

  examples: Examples

  @property
  def ids(self) -> Sequence[str]:
    """As the split's own."""
    return self.examples.ids

  @property
  def fingerprint(self) -> str:
    """That of the pictures, which are the same."""
    return self.examples.fingerprint

  @property
  def labelled(self) -> np.ndarray:
    """bool [N], which have a label map."""
    return self.examples.labelled

  def content(self, index: int) -> str:
    """As the split's own."""
    return self.examples.content(index)

  def __len__(self) -> int:
    return len(self.examples)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    return self.examples[index]


@dataclasses.dataclass(frozen=True, eq=False)
class KeptAttributes(View):
  """With some of the attributes.

  Attributes:
    columns: int [A], their positions.
  """

  columns: np.ndarray

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    example = self.examples[index]
    return example | {"attributes": example["attributes"][self.columns]}


class Unlabelled(View):
  """Without label maps."""

  @property
  def labelled(self) -> np.ndarray:
    """bool [N]: none is."""
    return np.zeros(len(self), bool)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    example = dict(self.examples[index])
    example.pop("segmentation", None)
    return example


def keep_attributes(dataset: Dataset, names: Sequence[str]) -> Dataset:
  """The data set with no other attributes than `names`, in that order.

  Args:
    dataset: one without attributes stays as it is.
    names: to keep; none = all.

  Raises:
    UserError: one is not there, or named twice.
  """
  if not names or not dataset.attributes:
    return dataset
  position = {name: i for i, name in enumerate(dataset.attributes)}
  for name in names:
    if name not in position:
      raise UserError(
        f"config.data.keep_attributes={name}: not an attribute of "
        f"{dataset.source}; there are {', '.join(position)}"
      )
  if len(set(names)) < len(names):
    raise UserError("config.data.keep_attributes: name each attribute once")
  columns = np.array([position[name] for name in names])
  return dataclasses.replace(
    dataset,
    attributes=tuple(names),
    splits={n: KeptAttributes(e, columns) for n, e in dataset.splits.items()},
    fingerprint=digest(dataset.fingerprint, "|", *names),
  )


def without_labels(dataset: Dataset) -> Dataset:
  """The data set without classes and label maps; attributes stay."""
  return dataclasses.replace(
    dataset,
    classes=(),
    splits={name: Unlabelled(e) for name, e in dataset.splits.items()},
    fingerprint=digest(dataset.fingerprint, "|", NO_LABELS),
  )
