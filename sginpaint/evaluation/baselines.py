"""Fills that need no training: what a network has to beat.

One picture at a time: uint8 [H, W, 3] and mask [H, W] (non-zero = hole); known
pixels come back bit-equal. Telea 2004 and Bertalmio et al. 2001 (Navier-Stokes)
are OpenCV's, radius 3.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from ml_collections import ConfigDict

from sginpaint.errors import check_choice

RADIUS = 3
_MID_GREY = 128  # 0 of [-1, 1]; also where not one pixel is known
MASKED = "masked"


def mean_color(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Fills with the mean of the known pixels, rounded."""
  known = image[mask == 0]
  color = known.mean(axis=0).round() if len(known) else _MID_GREY
  return _paste(np.full_like(image, color), image, mask)


def masked(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Fills with grey, which is how networks are shown a hole."""
  return _paste(np.full_like(image, _MID_GREY), image, mask)


def telea(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Fills by fast marching from the border inwards."""
  return _opencv(image, mask, cv2.INPAINT_TELEA)


def navier_stokes(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Fills by continuing isophotes as a fluid would flow."""
  return _opencv(image, mask, cv2.INPAINT_NS)


def _opencv(image: np.ndarray, mask: np.ndarray, method: int) -> np.ndarray:
  if mask.all():  # OpenCV would leave the hidden pixels as they are
    return mean_color(image, mask)
  hole = (mask > 0).astype(np.uint8)
  return _paste(cv2.inpaint(image, hole, RADIUS, method), image, mask)


def _paste(fill: np.ndarray, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  return np.where(mask[..., None] > 0, fill, image)


BASELINES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
  "mean_color": mean_color,
  "telea": telea,
  "navier_stokes": navier_stokes,
  MASKED: masked,
}


def chosen_baselines(config: ConfigDict) -> tuple[str, ...]:
  """The baselines that an evaluation scores, in order.

  Those of `config.eval.baselines`; retrieval adds `masked`, the lowest row of
  its published table, where it is not among them.

  Raises:
    UserError: one is not a key of `BASELINES`.
  """
  names = tuple(config.eval.baselines)
  if config.eval.retrieval_network != "none":
    names = tuple(dict.fromkeys((*names, MASKED)))
  for name in names:
    check_choice("eval.baselines", name, BASELINES)
  return names


def fill_batch(
  name: str, images: np.ndarray, masks: np.ndarray, pool: ThreadPoolExecutor
) -> np.ndarray:
  """Fills uint8 [B, H, W, 3] with masks [B, H, W, 1]; OpenCV frees the GIL."""
  fills = pool.map(BASELINES[name], images, masks[..., 0] > 0.5)
  return np.stack(list(fills))
