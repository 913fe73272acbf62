"""Label maps of pictures of any size, with a segmenter that was trained.

The network sees the whole picture at once, at the scale of its training: a
square where the training stretched pictures, or, with `config.data.resize =
"shorter_side"`, the shorter side as it was before the crop and the longer one
in proportion, in quarters of a square and at most four of them, so that few
shapes are compiled. Logits are enlarged bilinearly (half-pixel centres) to the
picture's own size before the largest is taken, a strip of rows at a time, so
that memory is bounded.
"""

import cv2
import jax
import numpy as np

from sginpaint.batch import Batch, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.data.transforms import input_size
from sginpaint.errors import UserError

_STRIP = 2**24  # logits that are held at the size of the picture


class Labeller:
  """Gives every pixel of a picture a class."""

  def __init__(self, loaded: Loaded):
    config = loaded.config
    self._data = config.data
    self._step = loaded.step
    self._weights = jax.device_put((loaded.variables, loaded.frozen))

    def predict(variables, frozen, image):
      batch = Batch(image=normalize_image(image[None]))
      outputs = loaded.system.predict(variables, frozen, batch)
      return outputs["segmentation_logits"][0]

    self._predict = jax.jit(predict)

  def __call__(self, image: np.ndarray) -> np.ndarray:
    """Labels one picture.

    Args:
      image: uint8 [H, W, 3].

    Returns:
      uint8 [H, W], class indices.

    Raises:
      UserError: the network puts out NaN or infinity.
    """
    height, width = image.shape[:2]
    size = input_size(
      *(height, width, self._data.image_size),
      resize=self._data.resize,
      crop_size=self._data.crop_size,
    )
    seen = _resized(image, size)
    logits = np.asarray(self._predict(*self._weights, seen))
    if not np.isfinite(logits).all():
      raise UserError(
        f"checkpoint {self._step} puts out NaN or infinity; use another --step"
      )
    return enlarged_argmax(logits, height, width)


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
  """By area where it shrinks, bicubic where it grows, as in training."""
  height, width = size
  shrunk = (min(image.shape[1], width), min(image.shape[0], height))
  image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
  return cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)


def enlarged_argmax(logits: np.ndarray, height: int, width: int) -> np.ndarray:
  """The best class after bilinear enlargement.

  Args:
    logits: float [h, w, K].
    height: H of the result.
    width: W of the result.

  Returns:
    uint8 [H, W].
  """
  rows = _taps(logits.shape[0], height)
  left, right, across = _taps(logits.shape[1], width)
  strip = max(1, _STRIP // (width * logits.shape[2]))
  labels = []
  for start in range(0, height, strip):
    top, bottom, down = (x[start : start + strip] for x in rows)
    lines = _blend(logits[top], logits[bottom], down[:, None, None])
    strip_logits = _blend(lines[:, left], lines[:, right], across[:, None])
    labels.append(strip_logits.argmax(axis=-1).astype(np.uint8))
  return np.concatenate(labels)


def _taps(
  source: int, target: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Both neighbours of each wanted pixel, and the weight of the second."""
  centres = (np.arange(target) + 0.5) * source / target - 0.5
  places = np.clip(centres, 0, source - 1)
  low = np.floor(places).astype(int)
  weight = (places - low).astype(np.float32)
  return low, np.minimum(low + 1, source - 1), weight


def _blend(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
  return a + weight * (b - a)
