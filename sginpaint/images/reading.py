"""Reading pictures as the samples that their files hold, turned upright.

See `sginpaint.images` for what is kept. Arrays are [H, W, C].
"""

import contextlib
import dataclasses
import io
import logging
import os
import pathlib
import struct
import threading
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image

from sginpaint.errors import UserError
from sginpaint.images import deep
from sginpaint.images.depth import check_depth

INPUT_SUFFIXES = (
  *(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm"),
  *(".pgm", ".jp2", ".avif"),
)
MAX_PIXELS = 200_000_000  # larger pictures are refused before decoding
_ORIENTATION = 274  # EXIF tag
# What Pillow's readers raise over damaged bytes, from opening to decoding.
_DAMAGE = (
  *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, TypeError),
  *(LookupError, ArithmeticError, struct.error, zlib.error),
)
_pillow_limit = threading.Lock()
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Header:
  """What a file says of its picture before it is decoded.

  Attributes:
    size: (height, width), upright.
    bits: per sample.
    format: Pillow's name of the file format.
    turned: whether the file is stored other than upright.
  """

  size: tuple[int, int]
  bits: int
  format: str
  turned: bool


@dataclasses.dataclass(frozen=True)
class Picture:
  """A decoded picture, upright.

  Attributes:
    samples: uint8 | uint16 [H, W, C], C = 1 grey, 2 grey + alpha, 3, 4 RGBA.
    icc: colour profile, or None.
  """

  samples: np.ndarray
  icc: bytes | None = None

  @property
  def size(self) -> tuple[int, int]:
    """(height, width)."""
    return self.samples.shape[:2]

  @property
  def colour(self) -> np.ndarray:
    """A view of the samples without alpha, [H, W, 1 | 3]."""
    return self.samples[..., : 1 if self.samples.shape[-1] < 3 else 3]

  @property
  def alpha(self) -> np.ndarray | None:
    """A view of the alpha samples [H, W], or None."""
    has_alpha = self.samples.shape[-1] in (2, 4)
    return self.samples[..., -1] if has_alpha else None

  @property
  def rgb(self) -> np.ndarray:
    """uint8 [H, W, 3], what networks see."""
    colour = np.repeat(self.colour, 3 // self.colour.shape[-1], axis=-1)
    return to_8_bits(colour)


def read_header(path: str | os.PathLike) -> Header:
  """Reads size, depth and format without decoding.

  Raises:
    UserError: no such file, not a picture, too many pixels, or samples that
      cannot be kept (floats, more than 16 bits, deep ones but PNG and TIFF).
  """
  data, name = read_bytes(path), str(path)
  with opened(data, name, MAX_PIXELS) as image:
    width, height = image.size
    orientation = _orientation(image)
    # Pillow reports the size of a TIFF upright already.
    swap = image.format != "TIFF" and orientation >= 5
    return Header(
      (width, height) if swap else (height, width),
      check_depth(image, data, name),
      image.format or "",
      orientation != 1,
    )


def read_picture(path: str | os.PathLike) -> Picture:
  """Reads a picture with its depth, alpha and profile, and turns it upright.

  Raises:
    UserError: see `read_header`; or the picture is damaged.
  """
  return decode_picture(read_bytes(path), str(path))


def decode_picture(
  data: bytes, name: str, *, max_pixels: int = MAX_PIXELS
) -> Picture:
  """`read_picture` of a file's bytes; `name` is what an error calls them."""
  with opened(data, name, max_pixels) as image:
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
      _log.warning("%s: holds several pictures; the first is used", name)
    bits = check_depth(image, data, name)
    orientation = _orientation(image)
    image.load()  # also for 16 bits: Pillow notices a truncated file
    if bits == 16:
      samples = deep.decode(image, data, name)
    else:
      samples = _samples_8_bit(image)
      orientation = _orientation(image)  # 1 where Pillow turned it already
    is_rgb = image.mode not in ("CMYK", "LAB")
    icc = image.info.get("icc_profile") if is_rgb else None
  return Picture(np.ascontiguousarray(_upright(samples, orientation)), icc)


def to_8_bits(samples: np.ndarray) -> np.ndarray:
  """Rounds uint16 samples to uint8 (/ 257); leaves uint8 as it is."""
  if samples.dtype == np.uint8:
    return samples
  shape = samples.shape
  flat = np.ascontiguousarray(samples).reshape(shape[0], -1)
  return cv2.convertScaleAbs(flat, alpha=1 / 257).reshape(shape)


def _samples_8_bit(image: Image.Image) -> np.ndarray:
  grey = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
  mode = grey + ("A" if image.has_transparency_data else "")
  samples = np.asarray(image if image.mode == mode else image.convert(mode))
  return samples[..., None] if samples.ndim == 2 else samples


def _orientation(image: Image.Image) -> int:
  value = image.getexif().get(_ORIENTATION, 1)
  return value if value in range(1, 9) else 1


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
  if orientation in (5, 6, 7, 8):  # rows and columns change places
    array = array.swapaxes(0, 1)
  if orientation in (2, 3, 6, 7):
    array = array[:, ::-1]
  if orientation in (3, 4, 7, 8):
    array = array[::-1]
  return array


def read_bytes(path: str | os.PathLike) -> bytes:
  """Reads a file.

  Raises:
    UserError: it is not there or cannot be read.
  """
  try:
    return pathlib.Path(path).read_bytes()
  except FileNotFoundError as e:
    raise UserError(f"{path}: no such file") from e
  except OSError as e:
    raise UserError(f"{path}: cannot be read ({e.strerror})") from e


@contextlib.contextmanager
def opened(data: bytes, name: str, max_pixels: int) -> Iterator[Image.Image]:
  """Opens a file with Pillow; turns what goes wrong into one line."""
  if not data:
    raise UserError(f"{name}: the file is empty")
  with damage_named(name), _no_pillow_limit():
    image = Image.open(io.BytesIO(data))
  pixels = image.width * image.height
  if pixels > max_pixels:
    raise UserError(
      f"{name}: {pixels} pixels ({image.width}x{image.height}); at most "
      f"{max_pixels} are read, make it smaller or cut it"
    )
  with damage_named(name), image:
    yield image


@contextlib.contextmanager
def damage_named(path: str | os.PathLike) -> Iterator[None]:
  """Turns what Pillow raises over a file into a `UserError` that names it."""
  try:
    yield
  except Image.UnidentifiedImageError as e:
    raise UserError(
      f"{path}: not a picture that can be read; save it as PNG"
    ) from e
  except _DAMAGE as e:
    raise UserError(f"{path}: damaged picture ({e})") from e


@contextlib.contextmanager
def _no_pillow_limit() -> Iterator[None]:
  # Pillow's own limit lies under ours and cannot be given per call.
  with _pillow_limit:
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
      yield
    finally:
      Image.MAX_IMAGE_PIXELS = before
