"""Masks out of files: bool [H, W], True = hole."""

import logging
import os

import numpy as np

from sginpaint.errors import UserError
from sginpaint.images.reading import (
  Picture,
  read_picture,
  to_8_bits,
)

_log = logging.getLogger(__name__)


def read_mask(path: str | os.PathLike, size: tuple[int, int]) -> np.ndarray:
  """Reads a mask: white (over 127) is hole.

  A mask that is drawn on a transparent layer is understood: what is not painted
  is known, and a single colour of paint counts as white, whatever it is.

  Args:
    path: a picture file.
    size: (height, width) the mask must have.

  Returns:
    bool [H, W], True = hole.

  Raises:
    UserError: unreadable, or of another size.
  """
  mask = read_picture(path)
  check_size(path, mask.size, size)
  level = _levels(mask)
  if level.max(initial=0) == 1:
    _log.warning("%s: holds only 0 and 1; 1 is taken as hole", path)
    return level == 1
  grey = np.mean((level > 15) & (level < 240))
  if grey > 0.01:
    _log.warning(
      "%s: %.0f %% of the mask is neither black nor white; split at 127",
      path,
      100 * grey,
    )
  hole = level > 127
  if level.any() and not hole.any():
    _log.warning("%s: nothing is brighter than 127, so nothing is hole", path)
  if hole.mean() > 0.7:
    _log.warning(
      "%s: %.0f %% of the picture is hole; white means hole: is it inverted?",
      path,
      100 * hole.mean(),
    )
  return hole


def check_size(
  path: str | os.PathLike, got: tuple[int, int], want: tuple[int, int]
) -> None:
  """Raises a UserError unless both (height, width) agree."""
  if got != want:
    raise UserError(
      f"{path}: is {got[1]}x{got[0]} but its picture {want[1]}x{want[0]}; "
      "give one of the size of the upright picture (width x height)"
    )


def _levels(mask: Picture) -> np.ndarray:
  """uint8 [H, W] in which bright means hole."""
  level = np.rint(mask.rgb.mean(-1)).astype(np.uint8)
  if mask.alpha is None:
    return level
  alpha = to_8_bits(mask.alpha)
  painted = level[alpha > 127]
  if painted.size in (0, alpha.size):
    return np.where(alpha > 127, level, 0).astype(np.uint8)
  if np.ptp(painted) < 16:  # one colour of paint
    return alpha
  return np.rint(level * (alpha / 255.0)).astype(np.uint8)
