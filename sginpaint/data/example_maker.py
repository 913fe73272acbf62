"""Examples of a split, read, made square and stacked to one batch.

What is random in an example comes from outside, as numbers in [0, 1): making it
is a pure function of (index, numbers, framing).
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sginpaint.data.classes import attribute_permutation, mirror_table
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

CHANCES = 4  # as many as `shuffling` gets of one count of its generator


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
  """One example.

  Attributes:
    index: its position in the split.
    chances: CHANCES random numbers in [0, 1): three of the geometry, as
      `plan_geometry` takes them, and one of the mask.
    framing: of its own, or None.
  """

  index: int
  chances: Sequence[float] = (0.0,) * CHANCES
  framing: Framing | None = None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ExampleMaker:
  """Reads and transforms examples; called by many threads at once.

  Attributes:
    split: what to read.
    size: side of the pictures that come out.
    resize: see `transforms`, like the next three.
    crop_size: side of the crop / shorter side.
    crop: "center" | "random".
    flip: mirror half of the examples.
    teacher: precomputed features of the split.
    teacher_scale: side of `teacher_image` / `size`; 0 = without.
    mask_folder: where masks are drawn from.
  """

  split: Split
  size: int
  resize: str
  crop_size: float
  crop: str = "center"
  flip: bool = False
  teacher: FeatureStore | None = None
  teacher_scale: int = 0
  mask_folder: MaskFolder | None = None

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

  @functools.cached_property
  def _mirror(self) -> np.ndarray:
    return mirror_table(self.split.classes)

  @functools.cached_property
  def _permutation(self) -> np.ndarray:
    return attribute_permutation(self.split.classes, self.split.attributes)

  def batch(self, wanted: Sequence[Wanted]) -> dict[str, np.ndarray]:
    """The examples, stacked: the fields of a `Batch`."""
    # Pictures and label maps go where they stay: copying them later finds them
    # out of the cache and costs a twentieth of decoding.
    maps = self._maps(len(wanted))
    others = [
      self._example(example, {name: rows[i] for name, rows in maps.items()})
      for i, example in enumerate(wanted)
    ]
    return maps | {
      name: np.stack([other[name] for other in others]) for name in others[0]
    }

  def _maps(self, count: int) -> dict[str, np.ndarray]:
    sides = {"image": self.size}
    if self.teacher_scale:
      sides["teacher_image"] = self.teacher_scale * self.size
    maps = {
      name: np.empty((count, side, side, 3), np.uint8)
      for name, side in sides.items()
    }
    if self.split.classes:
      shape = (count, self.size, self.size)
      maps["segmentation"] = np.empty(shape, np.int32)
    return maps

  def _example(
    self, wanted: Wanted, maps: dict[str, np.ndarray]
  ) -> dict[str, Any]:
    """Fills in pictures and label map, each of its size; returns all else."""
    source = self.split[wanted.index]
    image = source["image"]
    geometry = plan_geometry(
      wanted.chances[:3],
      *image.shape[:2],
      resize=self.resize,
      crop=self.crop,
      crop_size=self.crop_size,
      flip=self.flip,
    )
    if wanted.framing is not None:
      height, width = image.shape[:2]
      geometry = framed(geometry, height, width, wanted.framing)
    for name, out in maps.items():
      size = len(out)
      if name == "segmentation":
        labels = source[name]
        transform_labels(labels, geometry, size, mirror=self._mirror, out=out)
      else:
        transform_image(image, geometry, size, out=out)
    example: dict[str, Any] = {"index": np.int32(wanted.index)}
    if "attributes" in source:
      example["attributes"] = transform_attributes(
        source["attributes"], geometry, self._permutation
      )
    if self.teacher is not None:
      features = self.teacher.read(wanted.index, flip=geometry.flip)
      example["teacher_features"] = features
    if self.mask_folder is not None:
      chosen = int(wanted.chances[3] * len(self.mask_folder))
      example["mask"] = self.mask_folder.load(chosen, self.size, self.size)
    return example
