"""From the picture as it is to the square that networks see; numpy only.

A `Geometry` is planned once per example and applied alike to the picture, its
labels, and the larger picture for a teacher: first a box of source pixels is
cut, then it is resized to a square, then mirrored. Cutting first lets every
output size see the same box; mirroring last makes the mirrored output the exact
mirror image of the plain one, whatever the parity of the sizes.

Resizing of pictures: by area where it shrinks (no aliasing), bicubic where it
grows, each axis by itself. Labels are never mixed: nearest neighbour, sampled
at pixel centres, so that they stay in register with the picture.
"""

import dataclasses
import functools
from collections.abc import Sequence

import cv2
import numpy as np

from sginpaint.data.classes import class_indices
from sginpaint.errors import UserError, check_choice

RESIZES = ("stretch", "shorter_side")
CROPS = ("center", "random")
# Part of what precomputed features are bound to: raise it when pixels change.
VERSION = 1
_STEPS = 4  # shapes between a square and one that is twice as long
_LONGEST = 4  # sides of a square


@dataclasses.dataclass(frozen=True)
class Geometry:
  """What is cut out of the source, in source pixels, and whether mirrored."""

  top: int
  left: int
  height: int
  width: int
  flip: bool = False


# What one picture has of its own: (top, left, height, width) in source pixels
# or None, and whether it is mirrored.
Framing = tuple[tuple[int, int, int, int] | None, bool]


def plan_geometry(
  chances: Sequence[float],
  height: int,
  width: int,
  *,
  resize: str,
  crop: str = "center",
  crop_size: float = 1.0,
  flip: bool = False,
) -> Geometry:
  """Chooses box and mirroring for one example.

  Args:
    chances: three random numbers in [0, 1): of mirroring, and of the first row
      and the first column of a random crop.
    height: of the source.
    width: of the source.
    resize: "stretch" takes all of it, distorted to a square; "shorter_side"
      keeps the aspect and takes a square.
    crop: which square: "center" | "random".
    crop_size: side of the square / shorter side of the source.
    flip: mirror with probability 1/2.

  The options are those that `check_options` lets through.
  """
  mirroring, row, column = chances
  mirrored = flip and mirroring < 0.5
  if resize == "stretch":
    return Geometry(0, 0, height, width, mirrored)
  side = max(1, round(crop_size * min(height, width)))
  top, left = (height - side) // 2, (width - side) // 2
  if crop == "random":
    top = int(row * (height - side + 1))
    left = int(column * (width - side + 1))
  return Geometry(top, left, side, side, mirrored)


def framed(
  planned: Geometry, height: int, width: int, framing: Framing
) -> Geometry:
  """What a framing takes of a picture in the place of what was planned.

  Args:
    planned: without it.
    height: of the source.
    width: of the source.
    framing: (box or None = as planned, mirrored).

  Raises:
    UserError: the box does not lie within the picture.
  """
  box, mirrored = framing
  if box is None:
    return dataclasses.replace(planned, flip=mirrored)
  top, left, rows, columns = box
  fits = min(top, left) >= 0 and min(rows, columns) > 0
  if not fits or top + rows > height or left + columns > width:
    raise UserError(
      f"crop {list(box)} (top, left, height, width) does not lie within a "
      f"picture of {width}x{height} pixels; mend it in the manifest"
    )
  return Geometry(top, left, rows, columns, mirrored)


def check_options(*, resize: str, crop: str, crop_size: float) -> None:
  """Raises a UserError that names the config field of a wrong option."""
  for field, value, known in (
    ("resize", resize, RESIZES),
    ("crop", crop, CROPS),
  ):
    check_choice(f"data.{field}", value, known)
  if not 0 < crop_size <= 1 or (crop_size < 1 and resize == "stretch"):
    raise UserError(
      f"config.data.crop_size={crop_size}: does not go with resize={resize}; "
      "use 1, or a smaller share with shorter_side"
    )


def describe_preprocessing(
  *, resize: str, crop: str, size: int, crop_size: float = 1.0
) -> str:
  """Names what stands between a file and a `size`-pixel input.

  Equal texts mean equal pixels; precomputed features are bound to it.
  """
  check_options(resize=resize, crop=crop, crop_size=crop_size)
  share = "" if crop_size == 1 else f"-{crop_size:g}"
  cut = "" if resize == "stretch" else f"-{crop}{share}"
  return f"{resize}{cut}-{size}px-area-cubic-v{VERSION}"


def input_size(
  height: int, width: int, size: int, *, resize: str, crop_size: float = 1.0
) -> tuple[int, int]:
  """(height, width) at which a network that was trained on squares sees all.

  The scale is that of the training; sides are quarters of a square, so that few
  shapes are compiled.

  Args:
    height: of the picture.
    width: of the picture.
    size: of the squares in training.
    resize: how they were made, "stretch" or "shorter_side".
    crop_size: side of the squares / shorter side.
  """
  if resize == "stretch":
    return size, size
  size = size * round(_STEPS / crop_size) // _STEPS
  aspect = max(height, width) / min(height, width)
  steps = min(round(_STEPS * aspect), _STEPS * _LONGEST)
  long = size * steps // _STEPS
  return (long, size) if height > width else (size, long)


def transform_image(
  image: np.ndarray,
  geometry: Geometry,
  size: int,
  *,
  out: np.ndarray | None = None,
) -> np.ndarray:
  """uint8 [H, W, 3] -> uint8 [size, size, 3].

  Args:
    image: the source.
    geometry: what is taken of it.
    size: side of the result.
    out: uint8 [size, size, 3], contiguous, where the result goes; without it,
      into memory of its own.
  """
  if out is None:
    out = np.empty((size, size, 3), np.uint8)
  box = _cut(image, geometry)
  height, width, _ = box.shape
  # By area only where it shrinks: growing by area would be nearest neighbour.
  shrunk = (min(width, size), min(height, size))
  grows = shrunk != (size, size)
  if shrunk != (width, height):
    first = None if grows else out
    box = cv2.resize(box, shrunk, dst=first, interpolation=cv2.INTER_AREA)
  if grows:
    box = cv2.resize(box, (size, size), dst=out, interpolation=cv2.INTER_CUBIC)
  if box is not out:
    out[...] = box
  if geometry.flip:
    # NumPy copies a mirrored view pixel by pixel, thirty times as slowly.
    cv2.flip(out, 1, dst=out)
  return out


def transform_labels(
  labels: np.ndarray,
  geometry: Geometry,
  size: int,
  *,
  mirror: np.ndarray | None = None,
  out: np.ndarray | None = None,
) -> np.ndarray:
  """Integers [H, W] -> int32 [size, size].

  Args:
    labels: class indices, 255 = ignore.
    geometry: as for the picture.
    size: side of the result.
    mirror: int32 [256], `classes.mirror_table`; a mirrored map passes through
      it (left eye <-> right eye).
    out: int32 [size, size], where the result goes; without it, into memory of
      its own.
  """
  if out is None:
    out = np.empty((size, size), np.int32)
  rows, columns = (
    _centres(geometry.height, size),
    _centres(geometry.width, size),
  )
  if geometry.flip:
    columns = columns[::-1]
  square = _cut(labels, geometry).take(rows, axis=0).take(columns, axis=1)
  if geometry.flip and mirror is not None:
    square = class_indices(square.astype(np.uint8), mirror)
  out[...] = square
  return out


def transform_attributes(
  attributes: np.ndarray, geometry: Geometry, permutation: np.ndarray
) -> np.ndarray:
  """float32 [A] -> float32 [A]; a mirrored picture swaps left and right.

  Args:
    attributes: the values.
    geometry: as for the picture.
    permutation: int32 [A], `classes.attribute_permutation`.
  """
  return attributes[permutation] if geometry.flip else attributes


@functools.lru_cache(maxsize=64)
def _centres(length: int, size: int) -> np.ndarray:
  """Which of `length` rows `size` rows show, nearest neighbour.

  Row i of the result covers source rows [i, i + 1) * length / size; its centre
  lies in row floor((i + 1/2) * length / size).
  """
  return (2 * np.arange(size) + 1) * length // (2 * size)


def _cut(array: np.ndarray, geometry: Geometry) -> np.ndarray:
  bottom = geometry.top + geometry.height
  right = geometry.left + geometry.width
  return array[geometry.top : bottom, geometry.left : right]
