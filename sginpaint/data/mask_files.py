"""Holes read from a folder of mask files.

Files are PNG, JPEG, BMP, WebP or TIFF of any size and depth. A mask becomes
float32 [H, W, 1] in {0, 1}, 1 = missing, in this order: one grey value per
pixel, nearest resize, polarity, threshold. Thresholding last and never
interpolating keeps the hole's edge where the file has it.

Published sets disagree on polarity: of one much used set the test masks are
white where the picture is missing, the training masks where it is known.
"""

import functools
import hashlib
import io
import logging
import pathlib
import statistics
from collections.abc import Iterator

import numpy as np
from PIL import Image

from sginpaint.errors import UserError

_logger = logging.getLogger(__name__)

SUFFIXES = (
  ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff",
)  # fmt: skip
_THRESHOLD = 127  # grey above it is white
INVERTED = 0.7  # a set whose median hole is larger looks inverted
_NEAR = 32  # grey levels from black or white that pass as such
_INSPECTED = 64  # files looked at when a folder is opened


class MaskFolder:
  """A folder of mask files, in the order of their names.

  Subfolders are included; what has another suffix or a hidden name is not. On
  opening, up to 64 files spread over the folder are read; what looks wrong is
  logged as warnings and kept in `warnings`.

  Attributes:
    ids: path of each file below the folder, with "/" and suffix.
    warnings: one line for each thing that looks wrong.
    white_is_hole: polarity of the files.
  """

  def __init__(self, path: str | pathlib.Path, *, white_is_hole: bool = True):
    """Lists the folder and looks at a sample of its files.

    Args:
      path: the folder.
      white_is_hole: white pixels are missing; False: black ones are.

    Raises:
      UserError: no such folder, no mask in it, or a file is unreadable.
    """
    self.path = pathlib.Path(path)
    self.white_is_hole = bool(white_is_hole)
    if not str(path) or not self.path.is_dir():
      raise UserError(f"{str(path)!r}: no such folder of masks; check the path")
    self.ids = tuple(sorted(find_masks(self.path)))
    if not self.ids:
      raise UserError(
        f"{path}: no mask files in this folder; put {' '.join(SUFFIXES)} there"
      )
    self.warnings = tuple(self._inspect())
    for line in self.warnings:
      _logger.warning("%s", line)

  def __len__(self) -> int:
    return len(self.ids)

  def __getitem__(self, i: int) -> np.ndarray:
    """Mask i at its own size, float32 [H, W, 1], 1 = missing."""
    return self._threshold(self._grey(i))

  def load(self, i: int, height: int, width: int) -> np.ndarray:
    """Mask i resized by nearest neighbour, float32 [height, width, 1].

    Args:
      i: position in `ids`.
      height: of the result, pixels.
      width: of the result, pixels.

    Returns:
      1 = missing. Target pixel y shows the source pixel under its centre.

    Raises:
      UserError: the file is unreadable.
    """
    return self._threshold(resize_nearest(self._grey(i), height, width))

  def file_hash(self, i: int) -> str:
    """sha256 of the bytes of file i, hexadecimal."""
    return hashlib.sha256((self.path / self.ids[i]).read_bytes()).hexdigest()

  @functools.cached_property
  def set_hash(self) -> str:
    """sha256 over every name and the bytes behind it, hexadecimal."""
    total = hashlib.sha256()
    for i, name in enumerate(self.ids):
      total.update(f"{name}\0{self.file_hash(i)}\n".encode())
    return total.hexdigest()

  def _grey(self, i: int) -> np.ndarray:
    return read_grey(self.path / self.ids[i])

  def _threshold(self, grey: np.ndarray) -> np.ndarray:
    hole = is_hole(grey, white_is_hole=self.white_is_hole)
    return hole.astype(np.float32)[..., None]

  def _inspect(self) -> Iterator[str]:
    count = min(len(self), _INSPECTED)
    ratios, unclear = [], []
    for i in (j * len(self) // count for j in range(count)):
      grey = self._grey(i)
      ratios.append(float(self._threshold(grey).mean()))
      share = grey_share(grey)
      if share > 0.01:
        unclear.append((self.ids[i], share))
    ratio = statistics.median(ratios)
    if ratio > INVERTED:
      value = not self.white_is_hole
      yield (
        f"{self.path}: masks look inverted (half of them leave more than "
        f"{ratio:.0%} of the picture to fill); if so, set "
        f"--config.masks.white_is_hole={value} for training, "
        f"--config.eval.white_is_hole={value} for evaluation"
      )
    if unclear:
      name, share = unclear[0]
      yield (
        f"{self.path}: {len(unclear)} of {count} masks inspected are not black "
        f"and white, e.g. {name}: {share:.1%} of its pixels are grey (JPEG or "
        f"soft edges?); they are cut at {_THRESHOLD}"
      )


def resize_nearest(grey: np.ndarray, height: int, width: int) -> np.ndarray:
  """[H, W] -> [height, width]; pixel y shows the pixel under its centre."""
  rows, columns = (
    (2 * np.arange(new) + 1) * old // (2 * new)
    for new, old in zip((height, width), grey.shape, strict=True)
  )
  return grey[np.ix_(rows, columns)]


def is_hole(grey: np.ndarray, *, white_is_hole: bool) -> np.ndarray:
  """bool [H, W] of grey levels, uint8 [H, W]."""
  return (grey if white_is_hole else 255 - grey) > _THRESHOLD


def grey_share(grey: np.ndarray) -> float:
  """Share of pixels that are neither about black nor about white."""
  return float(np.mean((grey > _NEAR) & (grey < 255 - _NEAR)))


def read_grey(path: pathlib.Path, data: bytes | None = None) -> np.ndarray:
  """Reads a mask file as grey levels, uint8 [H, W].

  Colour is averaged over its channels and rounded. Alpha is ignored unless
  the colour is the same everywhere, so that alpha alone can tell the hole;
  then opaque counts as white. 16 bits are scaled to 8. A lossless file with
  no value above 1 holds 0/1 instead of 0/255. An orientation tag is ignored.

  Args:
    path: the file.
    data: its bytes, where they come from elsewhere.

  Returns:
    0 = black, 255 = white.

  Raises:
    UserError: the file is missing, broken or not a picture.
  """
  try:
    with Image.open(path if data is None else io.BytesIO(data)) as file:
      lossy = file.format == "JPEG"
      pixels = _channels(file)
  except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
    raise UserError(
      f"{path}: not a readable mask; replace or remove the file"
    ) from e
  if pixels.dtype != np.uint8:
    deep = pixels.max() > 255
    pixels = np.clip(np.round(pixels / (257 if deep else 1)), 0, 255)
    pixels = pixels.astype(np.uint8)
  if pixels.ndim == 3:
    color, alpha = pixels[..., :-1], pixels[..., -1]
    uniform = (color == color[0, 0]).all()
    grey = alpha if uniform and np.ptp(alpha) else color.mean(-1)
    grey = np.floor(grey + 0.5).astype(np.uint8)
  else:
    grey = pixels
  return grey * 255 if grey.max() <= 1 and not lossy else grey


def _channels(file: Image.Image) -> np.ndarray:
  """[H, W] of one channel, or [H, W, C + 1] with alpha last."""
  if file.mode.startswith("I") or file.mode == "F":
    return np.asarray(file).astype(np.float64)
  if file.mode in ("1", "L") and "transparency" not in file.info:
    return np.asarray(file.convert("L"))
  return np.asarray(file.convert("RGBA"))


def find_masks(folder: pathlib.Path) -> Iterator[str]:
  """Paths of mask files below a folder, with "/", in no order."""
  for file in folder.rglob("*"):
    name = file.relative_to(folder)
    hidden = any(part.startswith(".") for part in name.parts)
    if not hidden and file.suffix.lower() in SUFFIXES and file.is_file():
      yield name.as_posix()
