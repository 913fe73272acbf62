"""What a person hands to `sginpaint.load(...)`, checked and cut for a network.

And how what the network makes of the parts is pasted back into the picture.

Arrays are numpy: image uint8 [B, H, W, 3], mask bool [B, H, W] (True = hole),
segmentation int32 [B, H, W] (255 = not said), attributes float32 [B, A] (NaN =
not said).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import IGNORE
from sginpaint.windows import Plan, Window


class Inputs(NamedTuple):
  """What the network sees; a field of guidance is None where not given."""

  image: np.ndarray  # uint8 [B, H, W, 3]
  mask: np.ndarray  # bool [B, H, W]
  segmentation: np.ndarray | None  # int32 [B, H, W]
  attributes: np.ndarray | None  # float32 [B, A]

  def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Inputs":
    """Applies `function` to every array that is there."""
    return Inputs._make(None if x is None else function(x) for x in self)


def check_inputs(
  image: Any,
  mask: Any,
  segmentation: Any = None,
  attributes: Any = None,
  *,
  data: ConfigDict,
) -> tuple[Inputs, bool]:
  """Checks what `Inpainter.__call__` was given and adds a batch axis.

  Args:
    image: see there, as all others.
    mask: see there.
    segmentation: see there.
    attributes: see there.
    data: `config.data` of the system, for its classes and attributes.

  Returns:
    The inputs, and whether there was one picture without a batch axis.

  Raises:
    ValueError: a shape, dtype or value is not right.
  """
  image, mask, single = _as_batch(image, mask)
  return Inputs(
    image,
    mask,
    _check_segmentation(segmentation, mask.shape, single, len(data.classes)),
    _check_attributes(attributes, list(data.attributes), len(mask), single),
  ), single


def cut_windows(one: Inputs, windows: Sequence[Window], size: int) -> Inputs:
  """What the network sees of some windows of one picture.

  Args:
    one: arrays without a batch axis.
    windows: B of them.
    size: side at which the network sees them.
  """
  parts = [_cut(one, window, size) for window in windows]
  return Inputs._make(
    None if field[0] is None else np.stack(field)
    for field in zip(*parts, strict=True)
  )


def paste_windows(
  filled: np.ndarray,
  small: np.ndarray,
  plan: Plan,
  start: int,
  mask: np.ndarray,
) -> None:
  """Puts filled windows into the holes of a picture, in place.

  Args:
    filled: uint8 [H, W, 3].
    small: uint8 [B, size, size, 3], of windows `start`.. of the plan.
    plan: of the picture.
    start: index of the first of the windows.
    mask: bool [H, W].
  """
  for index, fill in enumerate(small, start):
    window = plan.windows[index]
    shrinks = window.side < len(fill)
    square = _resize(
      fill, window.side, cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    own = plan.owned(index, mask)
    filled[window.rows, window.columns][own] = square[window.inner][own]


def paste_labels(
  labels: np.ndarray,
  small: np.ndarray,
  plan: Plan,
  start: int,
  mask: np.ndarray,
) -> None:
  """Puts label maps of windows into that of a picture, in place.

  Where windows overlap, a hole is labelled by the one that fills it, and what
  is known by the first.

  Args:
    labels: uint8 [H, W], 255 where no window has been yet.
    small: uint8 [B, size, size], of windows `start`.. of the plan.
    plan: of the picture.
    start: index of the first of the windows.
    mask: bool [H, W].
  """
  for index, seen in enumerate(small, start):
    window = plan.windows[index]
    square = _resize(seen, window.side, cv2.INTER_NEAREST_EXACT)
    part = labels[window.rows, window.columns]
    take = plan.owned(index, mask) | (part == IGNORE)
    part[take] = square[window.inner][take]


def _cut(one: Inputs, window: Window, size: int) -> Inputs:
  way = cv2.INTER_AREA if window.side > size else cv2.INTER_LINEAR
  segmentation = one.segmentation
  if segmentation is not None:
    segmentation = _resize(
      window.cut(segmentation), size, cv2.INTER_NEAREST_EXACT
    )
  hole = window.cut(one.mask.astype(np.uint8)).astype(np.float32)
  return one._replace(
    image=_resize(window.cut(one.image), size, way),
    # A pixel that a hole pixel has a share in is not known.
    mask=_resize(hole, size, way) > 0,
    segmentation=segmentation,
  )


def _resize(array: np.ndarray, side: int, way: int) -> np.ndarray:
  """Resizes a square to [side, side, ...] with an interpolation of OpenCV."""
  if array.shape[:2] == (side, side):
    return array
  return cv2.resize(array, (side, side), interpolation=way)


def _as_batch(image: Any, mask: Any) -> tuple[np.ndarray, np.ndarray, bool]:
  """Checks both; (uint8 [B, H, W, 3], bool [B, H, W], no batch axis given)."""
  image, mask = np.asarray(image), np.asarray(mask)
  good = image.ndim in (3, 4) and image.shape[-1] == 3 and image.size > 0
  if not good or image.dtype != np.uint8:
    raise ValueError(
      "image must be uint8 [H, W, 3] or [B, H, W, 3], is "
      f"{image.dtype} {image.shape}"
    )
  if mask.shape not in (image.shape[:-1], (*image.shape[:-1], 1)):
    raise ValueError(
      f"mask must be {image.shape[:-1]} for this image, is {mask.shape}"
    )
  single = image.ndim == 3
  shape = (1, *image.shape) if single else image.shape
  return image.reshape(shape), mask.reshape(shape[:-1]) != 0, single


def _check_segmentation(
  value: Any, shape: tuple[int, ...], single: bool, count: int
) -> np.ndarray | None:
  if value is None:
    return None
  value = np.asarray(value)
  want = shape[1:] if single else shape
  if value.shape != want or not np.issubdtype(value.dtype, np.integer):
    raise ValueError(
      f"segmentation must be integers {want}, is {value.dtype} {value.shape}"
    )
  wrong = (value != IGNORE) & ((value < 0) | (value >= count))
  if wrong.any():
    raise ValueError(
      f"segmentation has class {value[wrong].flat[0]}; there are 0.."
      f"{count - 1}, and {IGNORE} where nothing is said"
    )
  return value.reshape(shape).astype(np.int32)


def _check_attributes(
  value: Any, names: list[str], batch: int, single: bool
) -> np.ndarray | None:
  if value is None:
    return None
  if isinstance(value, Mapping):
    if unknown := [name for name in value if name not in names]:
      raise ValueError(
        f"no attribute {unknown[0]!r}; there are {', '.join(names)}"
      )
    row = [value.get(name, np.nan) for name in names]
    value = np.asarray(row if single else [row] * batch)
  value = np.asarray(value, np.float32)
  want = (len(names),) if single else (batch, len(names))
  if value.shape != want or np.any((value < 0) | (value > 1)):
    raise ValueError(
      f"attributes must be {want} in 0..1 or NaN, is {value.shape}: {value}"
    )
  return value.reshape(batch, -1)
