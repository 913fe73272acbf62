"""A directory that a tfds builder prepared: `config.data.name = "tfds"`.

Any directory with `dataset_info.json` and ArrayRecord shards is read, such as
`python -m sginpaint prepare` writes; the code of its builder is not needed, nor
is TensorFlow. Features, as far as they exist:

    image          an Image (also called image_left)
    segmentation   an Image of one channel (also called segmentation_mask,
                   segmentation_label, label_map or annotation); its classes
                   come from a `classes.csv` put beside dataset_info.json, from
                   `classes` (names) and `colors` (RGB) in the builder's
                   metadata, or from the names of a LabeledImage; those of
                   tfds's own cityscapes, label ids, are known. `labelled` in
                   the metadata says how many records at the start of each
                   split have one; else all
    attributes     a Tensor [A], named by `attributes` in the builder's
                   metadata, else attribute_0, ...; or a FeaturesDict of scalars
    id             (also image_id, file_name, filename, image/filename); else
                   <split>/<position>

Pictures are decoded by `images`, because tfds itself would hand over RGBA and
palettes as they are. A split's fingerprint is a hash of its name and of
its records, of 1,024 spread evenly where there are more: sets of hundreds of GB
need not be read for it, and copying or generating them again, whose files then
differ, changes nothing.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tensorflow_datasets as tfds

from sginpaint.data.builders import cityscapes
from sginpaint.data.classes import (
  ClassInfo,
  ClassTable,
  class_indices,
  default_colour,
  read_classes,
  unlisted_value,
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

_SEGMENTATION = (
  "segmentation",
  "segmentation_mask",
  "segmentation_label",
  "label_map",
  "annotation",
)
_IMAGES = ("image", "image_left")
_IDS = ("id", "image_id", "file_name", "filename", "image/filename")
_SAMPLE = 1024  # records that a fingerprint reads


@dataclasses.dataclass(frozen=True, eq=False)
class PreparedExamples:
  """The examples of one split.

  Attributes:
    split: its name.
    directory: for messages.
    records: the tfds data source; pictures in it are left encoded.
    keys: feature name by role: image, segmentation, attributes, id.
    lookup: int32 [256], file value -> class index; None without labels.
    labelled_count: how many records, the first, have labels; None = all.
  """

  split: str
  directory: Path
  records: Sequence[dict[str, Any]]
  keys: dict[str, str]
  lookup: np.ndarray | None
  labelled_count: int | None = None

  @functools.cached_property
  def ids(self) -> tuple[str, ...]:
    """Of the records, or their positions; the former reads all of them."""
    if "id" not in self.keys:
      return tuple(f"{self.split}/{i:07d}" for i in range(len(self)))
    return tuple(_text(record[self.keys["id"]]) for record in self.records)

  @functools.cached_property
  def fingerprint(self) -> str:
    """Hash of the number of records and of what is in a sample of them."""
    count = len(self)
    sample = np.linspace(0, count - 1, min(count, _SAMPLE)).astype(int)
    contents = (_content(self.records[i]) for i in sample.tolist())
    return digest(self.split, str(count), *contents)

  @property
  def labelled(self) -> np.ndarray:
    """bool [N]: which records have a label map of their own."""
    if self.lookup is None:
      return np.zeros(len(self), bool)
    known = len(self) if self.labelled_count is None else self.labelled_count
    return np.arange(len(self)) < known

  def content(self, index: int) -> str:
    """Hash of the encoded picture."""
    return digest(self.records[index][self.keys["image"]])

  def __len__(self) -> int:
    return len(self.records)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    record = self.records[index]
    try:
      example = {"image": decode_rgb(record[self.keys["image"]])}
      if self.lookup is not None:
        labels = decode_labels(record[self.keys["segmentation"]])
        example["segmentation"] = self._indices(self.lookup, labels, index)
    except (UnreadableError, LabelFormatError) as e:
      raise UserError(
        f"{self.directory}: record {index} of {self.split}: {e}; prepare the "
        "data set again"
      ) from e
    if "attributes" in self.keys:
      example["attributes"] = attribute_vector(record[self.keys["attributes"]])
    return example

  def _indices(
    self, lookup: np.ndarray, labels: np.ndarray, index: int
  ) -> np.ndarray:
    if (value := unlisted_value(labels, lookup)) is not None:
      raise UserError(
        f"{self.directory / 'classes.csv'}: the value {value} of record "
        f"{index} of {self.split} is not listed; add a line for it"
      )
    return class_indices(labels, lookup)


def load_prepared(directory: str, *, name: str = "tfds") -> Dataset:
  """Opens a prepared directory.

  Args:
    directory: the one with dataset_info.json.
    name: of the data set.

  Raises:
    UserError: it is no prepared directory of ArrayRecord, has no picture, or
      has labels whose classes nothing describes.
  """
  root = Path(directory)
  builder = _open(root)
  features = builder.info.features
  keys = _keys(root, features)
  table = _class_table(root, builder, keys) if "segmentation" in keys else None
  names = _attribute_names(builder, keys)
  decoders = {
    keys[role]: tfds.decode.SkipDecoding()
    for role in ("image", "segmentation")
    if role in keys
  }
  labelled = (builder.info.metadata or {}).get("labelled", {})
  splits = {
    split: PreparedExamples(
      split,
      root,
      builder.as_data_source(split=split, decoders=decoders),
      keys,
      _lookup(table) if table else None,
      labelled.get(split),
    )
    for split in builder.info.splits
  }
  classes = table.classes if table else ()
  contents = [s.fingerprint for s in splits.values()]
  return Dataset(
    name=name,
    source=str(root),
    classes=classes,
    attributes=names,
    splits=splits,
    fingerprint=dataset_fingerprint(classes, names, contents),
  )


def _open(root: Path) -> tfds.core.DatasetBuilder:
  if not (root / "dataset_info.json").is_file():
    raise UserError(
      f"{root}: no dataset_info.json in it; set --config.data.path to the "
      "directory that tfds prepared, such as <data_dir>/<name>/<config>/1.0.0"
    )
  try:
    builder = tfds.builder_from_directory(root)
  except Exception as e:  # tfds raises many types for a damaged file
    raise UserError(
      f"{root}: its dataset_info.json or features.json cannot be read ({e}); "
      "prepare the data set again"
    ) from e
  if builder.info.file_format is not tfds.core.FileFormat.ARRAY_RECORD:
    raise UserError(
      f"{root}: prepared as {builder.info.file_format}; prepare it with "
      "file_format='array_record'"
    )
  return builder


def _keys(root: Path, features: Any) -> dict[str, str]:
  """Feature name by role."""
  found: dict[str, str] = {}
  for name, feature in features.items():
    is_image = isinstance(feature, tfds.features.Image)
    channels = feature.shape[-1] if is_image else 0
    if name in _IMAGES and is_image:
      found.setdefault("image", name)
    elif name in _SEGMENTATION and is_image and channels == 1:
      found.setdefault("segmentation", name)
    elif name == "attributes":
      found["attributes"] = name
    elif name in _IDS:
      found.setdefault("id", name)
  if "image" not in found:
    raise UserError(f"{root}: no feature 'image'; it has {', '.join(features)}")
  return found


def _class_table(
  root: Path, builder: tfds.core.DatasetBuilder, keys: dict[str, str]
) -> ClassTable:
  if (file := root / "classes.csv").is_file():
    return read_classes(file)
  metadata = builder.info.metadata or {}
  feature = builder.info.features[keys["segmentation"]]
  names = metadata.get("classes") or getattr(feature, "names", None)
  if not names and builder.name == "cityscapes":
    return cityscapes.CLASSES
  if not names:
    raise UserError(f"{file}: not there; write value,name of every label in it")
  colours = metadata.get("colors") or map(default_colour, range(len(names)))
  rows = tuple(
    ClassInfo(name, (r, g, b))
    for name, (r, g, b) in zip(names, colours, strict=True)
  )
  return ClassTable(rows, tuple(range(len(rows))))


def _lookup(table: ClassTable) -> np.ndarray:
  """int32 [256], file value -> class index."""
  # tfds stores label ids, of which many are the one class "rest".
  if table is cityscapes.CLASSES:
    return cityscapes.lookup()
  return table.lookup


def _attribute_names(
  builder: tfds.core.DatasetBuilder, keys: dict[str, str]
) -> tuple[str, ...]:
  if "attributes" not in keys:
    return ()
  feature = builder.info.features[keys["attributes"]]
  if isinstance(feature, tfds.features.FeaturesDict):
    return tuple(sorted(feature))
  names = (builder.info.metadata or {}).get("attributes")
  return tuple(names or (f"attribute_{i}" for i in range(feature.shape[0])))


def attribute_vector(value: Any) -> np.ndarray:
  """float32 [A] in [0, 1] of the feature `attributes` of a record."""
  if isinstance(value, dict):
    value = [value[name] for name in sorted(value)]
  return np.clip(np.asarray(value, np.float32), 0.0, 1.0)


def _text(value: Any) -> str:
  return value.decode() if isinstance(value, bytes) else str(value)


def _content(record: dict[str, Any]) -> str:
  return digest(
    *(
      value if isinstance(value, bytes) else np.asarray(value).tobytes()
      for value in jax.tree.leaves(record)
    )
  )
