"""Pictures and label maps as a prepared data set holds them.

Pictures: JPEG or PNG of 8-bit RGB, upright without an orientation tag. What is
so already keeps its bytes; the rest is encoded anew, as JPEG of quality 95
without chroma subsampling where it was lossy or is made smaller, else as PNG.
Label maps: 8-bit grey PNG of the picture's size. So the traps of decoding
(palettes, transparency, grey, CMYK, orientation) are over before training.
"""

import io
import struct

import cv2
import numpy as np
from PIL import Image

from sginpaint.data.images import LabelFormatError, decode_rgb

_ORIENTATION = 0x0112
_QUALITY = 95
# What Pillow raises of strange headers and tags, or of very many pixels.
_UNCLEAR = (
  OSError,
  SyntaxError,
  ValueError,
  struct.error,
  Image.DecompressionBombError,
)


def normalise_picture(data: bytes, size: int) -> tuple[bytes, tuple[int, int]]:
  """Encoded picture and its (height, width).

  Args:
    data: a picture file.
    size: the shorter side is brought down to it; 0 = never.

  Raises:
    UnreadableError: not a picture, truncated or damaged.
  """
  pixels = decode_rgb(data)
  height, width = pixels.shape[:2]
  kind, plain = _inspect(data)
  shrink = 0 < size < min(height, width)
  if not shrink and plain:
    return data, (height, width)
  if shrink:
    scale = size / min(height, width)
    height, width = max(size, round(height * scale)), round(width * scale)
    width = max(size, width)
    pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
  lossy = shrink or kind in ("JPEG", "WEBP", "MPO")
  return _encode(pixels, lossy=lossy), (height, width)


def normalise_labels(labels: np.ndarray, shape: tuple[int, int]) -> bytes:
  """Label map as 8-bit grey PNG of the picture's size.

  Args:
    labels: uint8 [H, W], at the picture's proportions.
    shape: (height, width) of the picture.

  Raises:
    LabelFormatError: the proportions are others.
  """
  if labels.shape != shape:
    (tall, wide), (height, width) = labels.shape, shape
    # Sides were rounded to whole pixels.
    if abs(tall * width - wide * height) > max(tall, wide, height, width):
      raise LabelFormatError(
        f"a label map of {wide}x{tall} pixels, the picture has {width}x{height}"
      )
    nearest = cv2.INTER_NEAREST_EXACT
    labels = cv2.resize(labels, (width, height), interpolation=nearest)
  return _imencode(".png", labels, [])


def _inspect(data: bytes) -> tuple[str, bool]:
  """Format, and whether the bytes are 8-bit RGB, upright, JPEG or PNG."""
  kind = "JPEG" if data.startswith(b"\xff\xd8") else ""
  try:
    with Image.open(io.BytesIO(data)) as image:
      kind, mode = image.format or "", image.mode
      # To know that of a PNG, Pillow would decode it.
      turned = b"eXIf" in data
      if kind == "JPEG":
        turned = image.getexif().get(_ORIENTATION, 1) != 1
      transparent = "transparency" in image.info
  except _UNCLEAR:
    # OpenCV decoded it, so it is encoded anew.
    return kind, False
  deep = kind == "PNG" and data[24] > 8
  rgb = mode == "RGB" and not (deep or transparent)
  return kind, kind in ("JPEG", "PNG") and rgb and not turned


def _encode(pixels: np.ndarray, *, lossy: bool) -> bytes:
  bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
  if not lossy:
    return _imencode(".png", bgr, [])
  options = [
    cv2.IMWRITE_JPEG_QUALITY,
    _QUALITY,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
  ]
  return _imencode(".jpg", bgr, options)


def _imencode(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
  done, data = cv2.imencode(suffix, pixels, options)
  if not done:
    raise RuntimeError(f"OpenCV could not encode {suffix}")
  return data.tobytes()
