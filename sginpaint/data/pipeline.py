"""Batches of a split: read, decoded, transformed and stacked.

Training batch i is a pure function of (seed, i): the same for any number of
threads and processes, so the step alone is the position in the data and a run
resumes without any state of the pipeline. Every epoch is another permutation
of the split; the batch that spans two epochs takes from both. A process gets a
contiguous block of every global batch. Nothing is filtered while reading. Grain
reads ahead; each thread makes whole batches.

The batches hold numpy arrays; what goes to a device is the caller's business.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import grain
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch
from sginpaint.data.example_maker import ExampleMaker, Wanted
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.shuffling import Shuffled
from sginpaint.data.splits import Split
from sginpaint.data.teacher_features import FeatureStore
from sginpaint.data.transforms import Framing
from sginpaint.errors import UserError


class BatchIterator(Iterator[Batch]):
  """Iterates over batches, reading ahead; close it, or use it in a `with`.

  Of b = batch_size / process_count examples: image uint8 [b, S, S, 3], index
  int32 [b]; where there are some, segmentation int32 [b, S, S], attributes
  float32 [b, A], teacher_features bfloat16 [b, h, w, F], teacher_image uint8
  [b, s S, s S, 3], mask float32 [b, S, S, 1], valid bool [b].
  """

  def __init__(
    self, make: Callable[[int], dict[str, Any]], steps: range, threads: int
  ):
    """Begins to read.

    Args:
      make: step -> fields of its batch; called by several threads.
      steps: in this order.
      threads: how many.
    """
    options = grain.ReadOptions(
      num_threads=threads, prefetch_buffer_size=2 * threads
    )
    batches = grain.MapDataset.range(steps.start, steps.stop).map(make)
    self._iterator = iter(batches.to_iter_dataset(options))

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

  Raises:
    UserError: options that are unknown or do not go together.
  """
  maker = ExampleMaker(
    split=split,
    size=image_size,
    resize=resize,
    crop=crop,
    crop_size=crop_size,
    flip=flip,
    teacher=teacher,
    teacher_scale=teacher_scale,
    mask_folder=mask_folder,
  )
  shuffled = Shuffled(len(split), seed)
  own = _Blocks(batch_size, process_index, process_count)

  def make(step: int) -> dict[str, Any]:
    return maker.batch(shuffled[own[step]])

  return BatchIterator(make, range(start_step, sys.maxsize), threads)


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
  maker = ExampleMaker(
    split=split, size=image_size, resize=resize, crop_size=crop_size
  )
  own = _Blocks(batch_size, process_index, process_count)
  chosen = list(range(len(split)) if indices is None else map(int, indices))
  count = len(chosen)
  chosen += chosen[-1:] * (-count % batch_size)

  def make(step: int) -> dict[str, Any]:
    wanted = [
      Wanted(chosen[i], framing=(framings or {}).get(chosen[i]))
      for i in own[step]
    ]
    return maker.batch(wanted) | {"valid": np.asarray(own[step]) < count}

  return BatchIterator(make, range(len(chosen) // batch_size), threads)


@dataclasses.dataclass(frozen=True)
class _Blocks:
  """Which positions of the examples a process takes of each batch."""

  batch_size: int
  process_index: int
  process_count: int

  def __post_init__(self) -> None:
    if self.batch_size < 1 or self.batch_size % self.process_count:
      raise UserError(
        f"config.batch_size={self.batch_size}: cannot be shared by "
        f"{self.process_count} processes; use a multiple"
      )

  def __getitem__(self, step: int) -> range:
    size = self.batch_size // self.process_count
    first = step * self.batch_size + self.process_index * size
    return range(first, first + size)
