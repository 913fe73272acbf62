"""Label maps from elsewhere in the place of a data set's own.

`config.data.labels` names a folder of them, `<id>.png` with a classes.csv, as
`python -m sginpaint segment --labels --split=train` writes: predicted labels,
or anybody's, for the split that is trained on. A picture without one keeps its
own label, and evaluation those of the data set. A class is known by its name.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sginpaint.data.classes import (
  ClassInfo,
  class_indices,
  read_classes,
  unlisted_value,
)
from sginpaint.data.folder_layout import classes_file
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
)
from sginpaint.data.splits import ALIASES, Dataset
from sginpaint.data.views import View
from sginpaint.errors import UserError

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Relabelled(View):
  """With other label maps.

  Attributes:
    folder: of the label maps.
    given: bool [N], whose maps lie there.
    lookup: int32 [256], number in a file -> class index, 255, or UNLISTED.
  """

  folder: Path
  given: np.ndarray
  lookup: np.ndarray

  @property
  def labelled(self) -> np.ndarray:
    """bool [N]: those with a map in the folder, and those with their own."""
    return self.given | self.examples.labelled

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    example = self.examples[index]
    if not self.given[index]:
      return example
    path = _path(self.folder, self.ids[index])
    try:
      labels = decode_labels(path.read_bytes())
    except (OSError, UnreadableError, LabelFormatError) as e:
      raise UserError(f"{path}: {e}; write the label maps again") from e
    if labels.shape != example["image"].shape[:2]:
      height, width = example["image"].shape[:2]
      raise UserError(
        f"{path}: {labels.shape[1]}x{labels.shape[0]}, but the picture is "
        f"{width}x{height}"
      )
    if unlisted_value(labels, self.lookup) is not None:
      raise UserError(
        f"{path}: holds a number that {classes_file(self.folder)} does not list"
      )
    return example | {"segmentation": class_indices(labels, self.lookup)}


def relabel(dataset: Dataset, split: str, folder: str) -> Dataset:
  """The data set with the label maps of `folder` in one split.

  A data set without classes takes those of the folder.

  Args:
    dataset: whose pictures stay.
    split: name of the split.
    folder: of the label maps.

  Raises:
    UserError: the folder lacks classes.csv or the map of a picture that has no
      label of its own, or has a class that the data set does not know.
  """
  field = f"config.data.labels={folder}"
  file = classes_file(Path(folder))
  if not file.is_file():
    raise UserError(f"{field}: no {file.name} there; segment --labels makes it")
  table = read_classes(file)
  classes = dataset.classes or table.classes
  lookup = _translated(table.lookup, table.classes, classes, field)
  examples = dataset.split(split).examples
  given = np.array([_path(Path(folder), i).is_file() for i in examples.ids])
  lacking = np.flatnonzero(~given & ~examples.labelled)
  if len(lacking) or not given.any():
    first = examples.ids[lacking[0] if len(lacking) else 0]
    raise UserError(
      f"{field}: {len(lacking) or len(given)} of {len(given)} pictures have no "
      f"label map, such as {first}; write them with segment --labels "
      f"--split={split}"
    )
  if not given.all():
    _LOG.warning(
      "%s: for %d of %d pictures; the others keep their labels",
      field,
      given.sum(),
      len(given),
    )
  name = split if split in dataset.splits else ALIASES[split]
  relabelled = Relabelled(examples, Path(folder), given, lookup)
  return dataclasses.replace(
    dataset, classes=classes, splits={**dataset.splits, name: relabelled}
  )


def _path(folder: Path, name: str) -> Path:
  return folder / f"{name}.png"


def _translated(
  lookup: np.ndarray,
  given: Sequence[ClassInfo],
  wanted: Sequence[ClassInfo],
  field: str,
) -> np.ndarray:
  """`lookup` with indices of `wanted`, classes matched by name."""
  index = {info.name: i for i, info in enumerate(wanted)}
  if strange := [info.name for info in given if info.name not in index]:
    raise UserError(
      f"{field}: class {strange[0]!r} is not one of the data set "
      f"({', '.join(index)})"
    )
  table = np.arange(-1, 256, dtype=np.int32)  # UNLISTED, then every index
  for i, info in enumerate(given):
    table[i + 1] = index[info.name]
  return table[lookup + 1]
