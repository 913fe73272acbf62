"""Writing filled pictures so that every known sample stays bit for bit."""

import dataclasses
import io
import os
import pathlib
from typing import Any

import cv2
import numpy as np
from PIL import Image

from sginpaint.errors import UserError
from sginpaint.files import write_atomically
from sginpaint.images import deep
from sginpaint.images.reading import Picture, to_8_bits

LOSSLESS_SUFFIXES = (".png", ".webp", ".tif", ".tiff")
LOSSY_SUFFIXES = (".jpg", ".jpeg")
_FORMATS = {
  ".png": "PNG",
  ".webp": "WEBP",
  ".tif": "TIFF",
  ".tiff": "TIFF",
  ".jpg": "JPEG",
  ".jpeg": "JPEG",
}
_OPTIONS: dict[str, dict[str, Any]] = {
  "PNG": {},
  # `exact` keeps colours under full transparency; quality is effort here.
  "WEBP": {"lossless": True, "exact": True, "quality": 50},
  "TIFF": {"compression": "tiff_adobe_deflate"},
  "JPEG": {"quality": 95, "subsampling": 0},
}
_MAX_SIDE = {"WEBP": 16383, "JPEG": 65535}


def output_format(path: str | os.PathLike) -> str:
  """Pillow's name of the format that the suffix asks for.

  Raises:
    UserError: an unknown suffix.
  """
  kind = _FORMATS.get(pathlib.Path(path).suffix.lower())
  if kind is None:
    known = ", ".join(LOSSLESS_SUFFIXES)
    raise UserError(f"{path}: unknown output format; use one of {known}")
  return kind


def check_output(
  path: str | os.PathLike,
  size: tuple[int, int],
  *,
  bits: int,
  alpha: bool,
  lossy: bool,
) -> None:
  """Refuses an output file that could not hold the picture.

  Raises:
    UserError: unknown suffix, a lossy format without `lossy`, or a format that
      lacks the depth, the transparency or the size.
  """
  kind = output_format(path)
  if kind == "JPEG" and not lossy:
    raise UserError(
      f"{path}: JPEG changes known pixels; write .png, or pass --lossy"
    )
  if kind == "JPEG" and alpha:
    raise UserError(f"{path}: JPEG holds no transparency; write .png")
  if kind == "WEBP" and bits > 8:
    raise UserError(f"{path}: WebP holds 8 bits of {bits}; write .png or .tif")
  if max(size) > _MAX_SIDE.get(kind, max(size)):
    raise UserError(f"{path}: {kind} ends at {_MAX_SIDE[kind]} px; write .png")


def write_picture(
  path: str | os.PathLike,
  picture: Picture,
  filled: np.ndarray,
  mask: np.ndarray,
  *,
  lossy: bool = False,
) -> None:
  """Writes `picture` with its hole taken from `filled`, atomically.

  Known samples are written as they were read; alpha stays as it was inside the
  hole too; grey pictures stay grey; filled values of 16-bit pictures are 8-bit
  values x 257.

  Args:
    path: .png, .webp (lossless), .tif, .tiff, or .jpg with `lossy`.
    picture: what was read.
    filled: uint8 [H, W, 3].
    mask: bool [H, W], True = hole.
    lossy: allows JPEG.

  Raises:
    UserError: see `check_output`; or the file cannot be written.
    ValueError: shapes or dtypes differ from the above.
  """
  write_bytes(path, encode_picture(path, picture, filled, mask, lossy=lossy))


def encode_picture(
  path: str | os.PathLike,
  picture: Picture,
  filled: np.ndarray,
  mask: np.ndarray,
  *,
  lossy: bool = False,
) -> bytes:
  """What `write_picture` writes; of `path` only the suffix matters."""
  if filled.shape != (*picture.size, 3) or filled.dtype != np.uint8:
    raise ValueError(
      f"filled must be uint8 {(*picture.size, 3)}, is {filled.dtype} "
      f"{filled.shape}"
    )
  if mask.shape != picture.size or mask.dtype != np.bool_:
    raise ValueError(
      f"mask must be bool {picture.size}, is {mask.dtype} {mask.shape}"
    )
  done = dataclasses.replace(picture, samples=picture.samples.copy())
  if mask.any():
    fill = filled[mask]
    if done.colour.shape[-1] == 1:
      fill = cv2.cvtColor(fill[None], cv2.COLOR_RGB2GRAY)[0, :, None]
    scale = 257 if done.samples.dtype == np.uint16 else 1
    done.colour[mask] = fill.astype(done.samples.dtype) * scale
  return _encode(pathlib.Path(path), done, lossy=lossy)


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
  """Writes a file, and its folder, so that it is there whole or not at all.

  Raises:
    UserError: it cannot be written.
  """
  try:
    write_atomically(pathlib.Path(path), data)
  except OSError as e:
    raise UserError(f"{path}: cannot be written ({e.strerror})") from e


def _encode(path: pathlib.Path, picture: Picture, *, lossy: bool) -> bytes:
  samples, alpha = picture.samples, picture.alpha
  bits = 8 * samples.dtype.itemsize
  opaque = alpha is None or alpha.min(initial=2**bits - 1) == 2**bits - 1
  check_output(path, picture.size, bits=bits, alpha=not opaque, lossy=lossy)
  kind = output_format(path)
  if kind == "JPEG":
    samples, bits = to_8_bits(picture.colour), 8
  if bits == 16:
    if kind == "PNG":
      return deep.encode_png(samples, picture.icc)
    if samples.shape[-1] == 2:
      raise UserError(f"{path}: 16-bit grey with alpha needs .png")
    return deep.encode_tiff(samples, picture.icc)
  options = dict(_OPTIONS[kind])
  if picture.icc:
    options["icc_profile"] = picture.icc
  buffer = io.BytesIO()
  single = samples.shape[-1] == 1
  image = Image.fromarray(samples[..., 0] if single else samples)
  image.save(buffer, kind, **options)
  return buffer.getvalue()
