"""Batches of a split: read, decoded, transformed and stacked by Grain.

Training batch i is a pure function of (seed, i): the same for any number of
threads and processes, so the step alone is the position in the data and a run
resumes without any state of the pipeline. Every epoch is another permutation
of the split; the batch that spans two epochs takes from both. A process gets a
contiguous block of every global batch. Nothing is filtered while reading.

The batches hold numpy arrays; what goes to a device is the caller's business.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import grain
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch
from sginpaint.data.classes import (
  attribute_permutation,
  mirror_table,
)
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.splits import Split
from sginpaint.data.teacher_features import FeatureStore
from sginpaint.data.transforms import (
  Framing,
  check_options,
  framed,
  plan_geometry,
  transform_attributes,
  transform_image,
  transform_labels,
)
from sginpaint.errors import UserError


class BatchIterator(Iterator[Batch]):
  """Iterates over batches, reading ahead; close it, or use it in a `with`."""

  def __init__(self, dataset: grain.MapDataset, threads: int):
    options = grain.ReadOptions(
      num_threads=threads, prefetch_buffer_size=2 * threads
    )
    self._iterator = iter(dataset.to_iter_dataset(options))

  def __next__(self) -> Batch:
    return Batch(**next(self._iterator))

  def close(self) -> None:
    """Stops reading ahead."""
    self._iterator.close()

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_) -> None:
    self.close()


def geometry_options(data: ConfigDict, *, train: bool) -> dict[str, Any]:
  """How pictures become squares: keyword arguments of the two functions below.

  Args:
    data: `config.data`.
    train: of `training_batches`, else of `evaluation_batches`.
  """
  names = ["image_size", "resize", "crop_size", "threads"]
  return {name: data[name] for name in names + ["crop", "flip"] * train}


def training_batches(
  split: Split,
  *,
  batch_size: int,
  start_step: int = 0,
  seed: int,
  image_size: int,
  resize: str = "stretch",
  crop: str = "center",
  crop_size: float = 1.0,
  flip: bool = True,
  threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
  teacher: FeatureStore | None = None,
  teacher_scale: int = 0,
  mask_folder: MaskFolder | None = None,
) -> BatchIterator:
  """Endless training batches from `start_step` on; the start costs no reading.

  Args:
    split: what to read.
    batch_size: global, over all processes.
    start_step: the first batch that comes out.
    seed: of order and augmentation.
    image_size: S, side of the pictures that come out.
    resize: "stretch" | "shorter_side", see `transforms`.
    crop: "center" | "random".
    crop_size: side of the crop / shorter side.
    flip: mirror half of the examples.
    threads: that decode; each makes whole batches.
    process_index: of this process.
    process_count: how many share a batch.
    teacher: precomputed features of this split.
    teacher_scale: s > 0 adds `teacher_image`, resized from the source.
    mask_folder: adds a `mask` drawn from these files to each example.

  Returns:
    An iterator of `Batch`, b = batch_size / process_count: image uint8
    [b, S, S, 3], index int32 [b]; where there are some, segmentation int32
    [b, S, S], attributes float32 [b, A], teacher_features bfloat16
    [b, h, w, F], teacher_image uint8 [b, s S, s S, 3], mask float32
    [b, S, S, 1].

  Raises:
    UserError: options that are unknown or do not go together.
  """
  maker = _ExampleMaker.build(
    split,
    size=image_size,
    resize=resize,
    crop=crop,
    crop_size=crop_size,
    flip=flip,
    teacher=teacher,
    teacher_scale=teacher_scale,
    mask_folder=mask_folder,
  )
  examples = _shuffled(maker, seed)[start_step * batch_size :]
  return _iterate(examples, batch_size, process_index, process_count, threads)


def evaluation_batches(
  split: Split,
  *,
  batch_size: int,
  image_size: int,
  resize: str = "stretch",
  crop_size: float = 1.0,
  threads: int = 4,
  indices: Sequence[int] | None = None,
  framings: Mapping[int, Framing] | None = None,
  process_index: int = 0,
  process_count: int = 1,
) -> BatchIterator:
  """Each example once, in order, without augmentation (crops are central).

  The last batch is filled up by repeating its last example; `valid` [b] is
  False there. Otherwise as `training_batches`.

  Args:
    indices: positions in the split, in the order wanted; None = all.
    framings: {index: (box or None, mirrored)} of examples that are cut and
      mirrored otherwise than the rest.
  """
  maker = _ExampleMaker.build(
    split,
    size=image_size,
    resize=resize,
    crop="center",
    crop_size=crop_size,
    flip=False,
    teacher=None,
    teacher_scale=0,
    mask_folder=None,
  )
  chosen = list(range(len(split)) if indices is None else map(int, indices))
  padding = [(i, False) for i in chosen[-1:]] * (-len(chosen) % batch_size)
  positions = [(i, True) for i in chosen] + padding
  read = functools.partial(maker.evaluation_example, framings=framings or {})
  examples = grain.MapDataset.source(positions).map(read)
  return _iterate(examples, batch_size, process_index, process_count, threads)


@dataclasses.dataclass(frozen=True, eq=False)
class _ExampleMaker:
  """Reads and transforms one example; called by many threads at once."""

  split: Split
  size: int
  resize: str
  crop: str
  crop_size: float
  flip: bool
  teacher: FeatureStore | None
  teacher_scale: int
  mask_folder: MaskFolder | None
  mirror: np.ndarray
  permutation: np.ndarray

  @classmethod
  def build(cls, split: Split, **options) -> Self:
    return cls(
      split=split,
      mirror=mirror_table(split.classes),
      permutation=attribute_permutation(split.classes, split.attributes),
      **options,
    )

  def __post_init__(self) -> None:
    check_options(resize=self.resize, crop=self.crop, crop_size=self.crop_size)
    if self.teacher is None:
      return
    if self.resize == "shorter_side" and self.crop == "random":
      raise UserError(
        "config.data.crop=random: does not go with precomputed features; use "
        "crop=center or config.teacher.mode=online"
      )
    if len(self.teacher) != len(self.split):
      raise UserError(
        f"{self.teacher.directory}: features of {len(self.teacher)} pictures, "
        f"but split {self.split.name!r} has {len(self.split)}; run precompute "
        "again"
      )

  def __call__(
    self,
    index: int,
    generator: np.random.Generator,
    framing: Framing | None = None,
  ) -> dict[str, Any]:
    source = self.split[index]
    image = source["image"]
    geometry = plan_geometry(
      generator,
      *image.shape[:2],
      resize=self.resize,
      crop=self.crop,
      crop_size=self.crop_size,
      flip=self.flip,
    )
    if framing is not None:
      height, width = image.shape[:2]
      geometry = framed(geometry, height, width, framing)
    example: dict[str, Any] = {
      "image": transform_image(image, geometry, self.size),
      "index": np.int32(index),
    }
    if "segmentation" in source:
      example["segmentation"] = transform_labels(
        source["segmentation"], geometry, self.size, mirror=self.mirror
      )
    if "attributes" in source:
      example["attributes"] = transform_attributes(
        source["attributes"], geometry, self.permutation
      )
    if self.teacher is not None:
      features = self.teacher.read(int(index), flip=geometry.flip)
      example["teacher_features"] = features
    if self.teacher_scale:
      example["teacher_image"] = transform_image(
        image, geometry, self.teacher_scale * self.size
      )
    if self.mask_folder is not None:
      chosen = int(generator.integers(len(self.mask_folder)))
      example["mask"] = self.mask_folder.load(chosen, self.size, self.size)
    return example

  def evaluation_example(
    self, position: tuple[int, bool], framings: Mapping[int, Framing]
  ) -> dict[str, Any]:
    index, valid = position
    example = self(index, np.random.default_rng(0), framings.get(index))
    return example | {"valid": np.bool_(valid)}


def _shuffled(maker: _ExampleMaker, seed: int) -> grain.MapDataset:
  """Endless examples; every epoch is another permutation of the split."""
  indices = grain.MapDataset.range(len(maker.split)).seed(seed)
  return indices.shuffle().repeat().random_map(maker)


def _iterate(
  examples: grain.MapDataset,
  batch_size: int,
  process_index: int,
  process_count: int,
  threads: int,
) -> BatchIterator:
  """Batches of this process: its block of every `batch_size` examples."""
  if batch_size < 1 or batch_size % process_count:
    raise UserError(
      f"config.batch_size={batch_size}: cannot be shared by {process_count} "
      "processes; use a multiple"
    )
  batches = examples.batch(batch_size // process_count, drop_remainder=True)
  return BatchIterator(batches[process_index::process_count], threads)
