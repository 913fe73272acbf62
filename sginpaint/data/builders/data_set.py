"""What a builder knows of a data set: where it comes from and what is in it.

A data set of the papers is a `DataSet`: a table of facts and a function that
looks through the archives and returns a `Plan`, one `Item` a picture. The rest,
reading, normalising, writing, resuming and verifying, is `building`'s.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.members import Member
from sginpaint.data.classes import ClassInfo, ClassTable, default_colour
from sginpaint.data.images import decode_labels

Part = tuple[str, bytes]  # name of a label file, and what is in it


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
  """One picture to be.

  Attributes:
    id: unique in its split.
    split: train, validation or test.
    image: where the picture lies.
    labels: the file or files of its label map; none = unlabelled.
    attributes: values in the order of the plan's names, NaN = unknown; or
      what the plan's `attribute_values` starts from.
  """

  id: str
  split: str
  image: Member
  labels: tuple[Member, ...] = ()
  attributes: tuple[float, ...] = ()


def one_label_map(parts: Sequence[Part]) -> np.ndarray:
  """The label map of a data set that has one file a picture."""
  ((_, data),) = parts
  return decode_labels(data)


def planned_attributes(
  item: Item, labels: np.ndarray | None
) -> Sequence[float]:
  """The attributes of a data set that publishes them."""
  del labels
  return item.attributes


@dataclasses.dataclass(frozen=True)
class Plan:
  """What is to be built.

  Attributes:
    items: the pictures, in any order.
    classes: of the label maps, by the value that `label_map` returns; None
      where there are no labels.
    attributes: their names.
    label_map: makes uint8 [H, W] of the label files of a picture.
    attribute_values: of a picture, float [A] in [0, 1] or NaN, given its label
      map, uint8 [H, W] or None.
    counts: pictures by split, as published, of what was found; none = those of
      the data set.
  """

  items: Sequence[Item]
  classes: ClassTable | None = None
  attributes: tuple[str, ...] = ()
  label_map: Callable[[Sequence[Part]], np.ndarray] = one_label_map
  attribute_values: Callable[[Item, np.ndarray | None], Sequence[float]] = (
    planned_attributes
  )
  counts: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class DataSet:
  """A published data set.

  Attributes:
    name: of its recipe, its folder and its prepare command.
    title: as its owners call it.
    home: where to get it.
    terms: under which terms, in a few words.
    files: what belongs into the manual folder.
    plan: looks through that folder.
    size: sides of pictures are brought down until the shorter one has as many
      pixels; 0 = they stay as published.
    counts: pictures by split, as published.
  """

  name: str
  title: str
  home: str
  terms: str
  files: str
  plan: Callable[[ManualDir], Plan]
  size: int = 0
  counts: Mapping[str, int] = dataclasses.field(default_factory=dict)

  def how_to_get(self) -> str:
    """Where, under which terms, and the command; one line."""
    return (
      f"get {self.title} ({self.files}) from {self.home} ({self.terms}), put "
      f"the files into a folder and run: python -m sginpaint prepare "
      f"{self.name} --manual-dir FOLDER"
    )


def class_table(
  names: Sequence[str],
  *,
  colours: Sequence[tuple[int, int, int]] = (),
  mirrors: Mapping[str, str] | None = None,
  first: int = 0,
  ignored: Mapping[int, str] | None = None,
) -> ClassTable:
  """The table of classes with consecutive values.

  Args:
    names: of the classes.
    colours: RGB of each; none = some that differ.
    mirrors: {left: right}, each pair once.
    first: value of the first class.
    ignored: {value: name} of what counts as unlabelled.
  """
  pairs = dict(mirrors or {})
  pairs |= {right: left for left, right in pairs.items()}
  rows = [
    ClassInfo(
      name,
      colours[i] if colours else default_colour(i),
      mirror=pairs.get(name, ""),
    )
    for i, name in enumerate(names)
  ]
  values = list(range(first, first + len(rows)))
  for value, name in (ignored or {}).items():
    rows.append(ClassInfo(name, (0, 0, 0), ignore=True))
    values.append(value)
  return ClassTable(tuple(rows), tuple(values))
