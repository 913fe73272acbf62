"""A folder of pictures as a data set: `config.data.name = "folder"`.

`folder_layout` says which files there may be, `classes` and `attributes` what
stands in classes.csv and attributes.csv. A picture without a label in a folder
with labels is unlabelled throughout (255). A split's fingerprint is a hash of
the ids and of the contents of the pictures: moving or touching the folder does
not change it.
"""

import dataclasses
import functools
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.attributes import classes_present, read_attributes
from sginpaint.data.classes import (
  UNLISTED,
  ClassTable,
  class_indices,
  read_classes,
  table_from_values,
)
from sginpaint.data.folder_index import (
  FileFacts,
  scan,
  sound_pictures,
  stamp_of,
)
from sginpaint.data.folder_layout import (
  Picture,
  assign_splits,
  find_pictures,
)
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
  decode_rgb,
)
from sginpaint.data.splits import Dataset, dataset_fingerprint
from sginpaint.errors import UserError
from sginpaint.files import digest

_LOG = logging.getLogger(__name__)
_IMAGE, _LABEL = range(2)  # of the two files of a picture


@dataclasses.dataclass(frozen=True, eq=False)
class FolderExamples:
  """The examples of one split; reads the files when asked for.

  Attributes:
    root: the folder.
    pictures: those of this split.
    hashes: of each image file and of its label file, as scanned.
    stamps: int64 [N, 2, 2], their `stamp_of`, as scanned.
    table: the classes, or None without labels.
    attribute_values: float32 [N, A], or None.
  """

  root: Path
  pictures: tuple[Picture, ...]
  hashes: tuple[tuple[str, str], ...]
  stamps: np.ndarray
  table: ClassTable | None
  attribute_values: np.ndarray | None

  @functools.cached_property
  def ids(self) -> tuple[str, ...]:
    """Paths below `images/` without extension."""
    return tuple(picture.id for picture in self.pictures)

  @functools.cached_property
  def fingerprint(self) -> str:
    """Hash of the ids and of the contents of the image files."""
    return digest(*self.ids, "|", *(image for image, _ in self.hashes))

  @property
  def labelled(self) -> np.ndarray:
    """bool [N], which pictures have a label file."""
    known = self.table is not None
    return np.array([known and bool(p.label) for p in self.pictures], bool)

  def content(self, index: int) -> str:
    """Hash of the bytes of the image file."""
    return self.hashes[index][0]

  @functools.cached_property
  def _lookup(self) -> np.ndarray | None:
    return None if self.table is None else self.table.lookup

  def __len__(self) -> int:
    return len(self.pictures)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    picture = self.pictures[index]
    image = self._read(index, _IMAGE, decode_rgb)
    example = {"image": image}
    if self._lookup is not None:
      labels = np.full(image.shape[:2], IGNORE, np.uint8)
      if picture.label:
        values = self._read(index, _LABEL, decode_labels)
        labels = class_indices(values, self._lookup)
      example["segmentation"] = labels
    if self.attribute_values is not None:
      example["attributes"] = self.attribute_values[index]
    return example

  def _read(
    self, index: int, kind: int, decode: Callable[[bytes], np.ndarray]
  ) -> np.ndarray:
    """Decodes a file if it still holds what was found sound."""
    picture = self.pictures[index]
    path = f"{self.root}/{(picture.image, picture.label)[kind]}"
    try:
      with open(path, "rb", buffering=0) as file:
        stamp = stamp_of(os.fstat(file.fileno()))
        data = file.read()
    except OSError as e:
      raise UserError(
        f"{path}: cannot be read any more ({e.strerror}); put it back, or "
        "start again to leave it out"
      ) from e
    changed = f"{path}: changed since the folder was scanned; start again"
    # Hashing costs a fifteenth of decoding; a touched file alone needs it.
    touched = list(stamp) != self.stamps[index, kind].tolist()
    if touched and digest(data) != self.hashes[index][kind]:
      raise UserError(changed)
    try:
      return decode(data)
    except (UnreadableError, LabelFormatError) as e:
      raise UserError(changed) from e


def load_folder(path: str) -> Dataset:
  """Opens a folder; the first time, every file is checked.

  Raises:
    UserError: the folder, a file or a line in it is not as it should be.
  """
  root = Path(path)
  everything = find_pictures(root)
  facts = scan(root, everything)
  sound = sound_pictures(root, everything, facts)
  # Splits are assigned before the unsound are taken out: a list may name one.
  positions = {
    split: [i for i in members if sound[i]]
    for split, members in assign_splits(root, everything).items()
  }
  table = _classes(root, everything, facts)
  names, values = _attributes(root, everything, facts, table, positions)
  splits = {
    split: FolderExamples(
      root,
      tuple(everything[i] for i in members),
      tuple(_hashes(everything[i], facts) for i in members),
      _stamps([everything[i] for i in members], facts),
      table,
      values[members] if names else None,
    )
    for split, members in positions.items()
  }
  _warn_of_leaks(root, splits)
  classes = table.classes if table else ()
  contents = [
    part
    for split in splits.values()
    for part in (*split.ids, *(h for pair in split.hashes for h in pair))
  ]
  contents.append(values.tobytes().hex())
  return Dataset(
    name="folder",
    source=str(root),
    classes=classes,
    attributes=names,
    splits=splits,
    fingerprint=dataset_fingerprint(classes, names, contents),
  )


def _warn_of_leaks(root: Path, splits: dict[str, FolderExamples]) -> None:
  """Tells of test pictures that are trained on, under whatever name."""
  others = dict(splits)
  if (train_split := others.pop("train", None)) is None:
    return
  train = {image for image, _ in train_split.hashes}
  for name, split in others.items():
    shared = [
      picture.id
      for picture, (image, _) in zip(split.pictures, split.hashes, strict=True)
      if image in train
    ]
    if shared:
      _LOG.warning(
        "%s: %d pictures of %s are also in train, such as %s",
        root,
        len(shared),
        name,
        shared[0],
      )


def _hashes(picture: Picture, facts: dict[str, FileFacts]) -> tuple[str, str]:
  label = facts[picture.label].hash if picture.label else ""
  return facts[picture.image].hash, label


def _stamps(
  pictures: Sequence[Picture], facts: dict[str, FileFacts]
) -> np.ndarray:
  stamps = np.zeros((len(pictures), 2, 2), np.int64)
  for picture, row in zip(pictures, stamps, strict=True):
    row[_IMAGE] = facts[picture.image].stamp
    if picture.label:
      row[_LABEL] = facts[picture.label].stamp
  return stamps


def _classes(
  root: Path, pictures: Sequence[Picture], facts: dict[str, FileFacts]
) -> ClassTable | None:
  labelled = [p for p in pictures if p.label]
  if not labelled:
    return None
  if unlabelled := len(pictures) - len(labelled):
    _LOG.warning("%s: %d pictures have no label", root, unlabelled)
  file = root / "classes.csv"
  if not file.is_file():
    seen = set().union(*(facts[p.label].counts for p in labelled))
    return table_from_values(sorted(seen))
  table = read_classes(file)
  lookup = table.lookup
  for picture in labelled:
    for value in facts[picture.label].counts:
      if lookup[value] == UNLISTED:
        raise UserError(
          f"{root / picture.label}: holds the value {value}, which {file} does "
          "not list; add a line for it"
        )
  return table


def _attributes(
  root: Path,
  pictures: Sequence[Picture],
  facts: dict[str, FileFacts],
  table: ClassTable | None,
  positions: dict[str, list[int]],
) -> tuple[tuple[str, ...], np.ndarray]:
  if (file := root / "attributes.csv").is_file():
    return read_attributes(file, pictures)
  if table is None:
    return (), np.zeros((len(pictures), 0), np.float32)
  counts = [facts[p.label].counts if p.label else {} for p in pictures]
  train = positions.get("train", range(len(pictures)))
  return classes_present(table, counts, train)
