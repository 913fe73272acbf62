"""What a stranger sends, turned into arrays, within limits.

The kind of a file is read off its first bytes, never off a name, and its size
off its header, before anything is decoded. A label map is the *numbers* of an
index PNG; colours are refused.
"""

import struct

import numpy as np

from sginpaint import images
from sginpaint.batch import IGNORE
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
)
from sginpaint.errors import UserError

MAX_BYTES = 20 * 2**20  # of one upload
MAX_PIXELS = 16_000_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_SCAN, _MAX_SCANS = b"\xff\xda", 200


def decode_picture(data: bytes) -> images.Picture:
  """Decodes a PNG, JPEG or WebP.

  Raises:
    UserError: another kind of file, too many pixels, or a damaged file.
  """
  is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
  if not (data.startswith((_PNG, _JPEG)) or is_webp):
    raise UserError("the picture is no PNG, JPEG or WebP; save it as PNG")
  # Each scan of a progressive JPEG goes over the whole picture, and thousands
  # of them fit into a small file.
  if data.startswith(_JPEG) and data.count(_SCAN) > _MAX_SCANS:
    raise UserError(
      f"the picture is a JPEG of more than {_MAX_SCANS} scans; save it as PNG"
    )
  return images.decode_picture(data, "the picture", max_pixels=MAX_PIXELS)


def decode_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
  """Decodes a PNG in which every number but 0 is hole.

  Args:
    data: the file.
    size: (height, width) of the picture it belongs to.

  Returns:
    bool [H, W], True = hole.

  Raises:
    UserError: no PNG of that size with one channel of 8 bits, or no hole.
  """
  mask = _decode_indices(data, size, "the mask") != 0
  if not mask.any():
    raise UserError("the mask holds no hole; paint what is to be filled")
  return mask


def decode_map(
  data: bytes, size: tuple[int, int], num_classes: int
) -> np.ndarray:
  """Decodes a PNG of class indices, 255 = not said.

  Args:
    data: the file.
    size: (height, width) of the picture it belongs to.
    num_classes: K.

  Returns:
    uint8 [H, W].

  Raises:
    UserError: no PNG of that size with one channel of 8 bits, or an index
      that is no class.
  """
  indices = _decode_indices(data, size, "the map")
  unknown = (indices >= num_classes) & (indices != IGNORE)
  if unknown.any():
    row, column = np.argwhere(unknown)[0]
    raise UserError(
      f"the map has class {indices[row, column]} at x={column}, y={row} and "
      f"{unknown.sum() - 1} more unknown ones; there are 0..{num_classes - 1}, "
      f"and {IGNORE} where nothing is said"
    )
  return indices


def _decode_indices(
  data: bytes, size: tuple[int, int], name: str
) -> np.ndarray:
  """uint8 [H, W]; `name` is what an error calls the file."""
  if not data.startswith(_PNG) or len(data) < 24:
    raise UserError(f"{name} is no PNG; send one of 8-bit indices")
  width, height = struct.unpack(">II", data[16:24])
  if (height, width) != size:
    raise UserError(
      f"{name} is {width}x{height} but its picture {size[1]}x{size[0]}"
    )
  try:
    return decode_labels(data)
  except (UnreadableError, LabelFormatError) as e:
    raise UserError(f"{name}: {e}") from e
