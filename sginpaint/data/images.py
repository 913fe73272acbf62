"""Bytes of a picture or label file -> arrays, whatever the file's mode.

Pictures: upright (the EXIF orientation is applied), RGB uint8 [H, W, 3]. Grey
is repeated, CMYK converted, transparency dropped, 16 bits reduced to 8.
Label maps: the *numbers* in the file, uint8 [H, W]; of a palette file its
indices, since its colours only serve display. OpenCV decodes, because it is the
quickest and frees the interpreter lock; Pillow reads what OpenCV would expand
into colours.
"""

import io

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

# Pictures are decoded by many threads at once; threads inside threads only
# take turns.
cv2.setNumThreads(0)
# A damaged file becomes an exception that names it; OpenCV need not report too.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_PNG = b"\x89PNG\r\n\x1a\n"


class UnreadableError(Exception):
  """The bytes are not a whole picture; the text says what is wrong."""


class LabelFormatError(Exception):
  """A sound file that cannot be a label map; the text says why."""


def decode_rgb(data: bytes) -> np.ndarray:
  """Decodes a picture to uint8 [H, W, 3], RGB, upright.

  Raises:
    UnreadableError: not a picture, truncated or damaged.
  """
  if not data:
    raise UnreadableError("the file is empty")
  try:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
  except cv2.error as e:
    raise UnreadableError(f"cannot be decoded ({e.err})") from e
  if image is None:
    raise UnreadableError("not a picture, or truncated or damaged")
  return image


def decode_labels(data: bytes) -> np.ndarray:
  """Decodes a label map to uint8 [H, W] of file values.

  Raises:
    UnreadableError: not a picture, truncated or damaged.
    LabelFormatError: colours instead of indices, or more than 8 bits.
  """
  # Colour type 0 at 8 bits: the one kind that OpenCV hands over untouched.
  if data.startswith(_PNG) and data[24:26] == b"\x08\x00":
    labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is not None and labels.ndim == 2:
      return labels
  return _decode_labels_by_pillow(data)


def _decode_labels_by_pillow(data: bytes) -> np.ndarray:
  try:
    with Image.open(io.BytesIO(data)) as image:
      image.load()
  except UnidentifiedImageError as e:
    raise UnreadableError("not a picture") from e
  except Image.DecompressionBombError as e:
    raise UnreadableError(
      "so many pixels are read as 8-bit grey PNG only; save it as one, or "
      "make it smaller"
    ) from e
  except (OSError, SyntaxError, ValueError) as e:
    raise UnreadableError(f"truncated or damaged ({e})") from e
  if image.mode not in ("L", "P", "1"):
    raise LabelFormatError(
      f"a label map of mode {image.mode}, where 8-bit indices are needed "
      "(mode L, or P with a palette): pixel value = class value"
    )
  labels = np.asarray(image).astype(np.uint8)
  if image.mode == "L" and data.startswith(_PNG) and data[24] < 8:
    # Pillow spreads 2 and 4 bits over 0..255.
    labels //= 255 // (2 ** data[24] - 1)
  return labels
