"""How many bits the samples of a file have, and whether they can be kept.

16 bits are kept of PNG and TIFF. Of other formats Pillow would cut deep samples
down to 8 without a word: those are refused, before anything is decoded.
"""

import re
import struct

from PIL import Image, TiffImagePlugin

from sginpaint.errors import UserError

UNREADABLE = "this kind of 16-bit picture is not read; save it as 16-bit PNG"

_PNG_DEPTH = 24  # byte offset inside IHDR
_BITS, _PHOTOMETRIC, _PLANAR, _EXTRA_SAMPLES = 258, 262, 284, 338
_PARTS = ((273, 279), (324, 325))  # offsets and lengths, of strips and tiles
_JP2_SIZE = b"\xff\x4f\xff\x51"  # start of the codestream and its SIZ
_GAP = rb"(?:\s|#[^\n]*\n)+"
# The third number behind the magic: the largest sample of a PGM or PPM.
_PNM_LARGEST = re.compile(rb"P[2356](?:%b\d+){2}%b(\d+)" % (_GAP, _GAP))


def check_depth(image: Image.Image, data: bytes, name: str) -> int:
  """Bits per sample of an opened picture.

  Args:
    image: the same file opened by Pillow, not yet decoded.
    data: the whole file.
    name: what an error calls the file.

  Raises:
    UserError: samples that could not be written back as they are, or a
      truncated TIFF.
  """
  bits = _bit_depth(image, data)
  tiff = image if isinstance(image, TiffImagePlugin.TiffImageFile) else None
  if tiff is not None:
    _refuse_truncated(tiff, data, name)
  if bits > 16 or image.mode == "F":
    raise UserError(f"{name}: samples of 32 bits; save it with 16 or 8 bits")
  whole = image.format in ("PNG", "TIFF") and image.mode != "I"  # I: signed
  if bits > 8 and not (whole and bits == 16):
    raise UserError(
      f"{name}: {bits}-bit {image.format} of this kind is not read; save it as "
      "16-bit PNG"
    )
  if bits == 16 and tiff is not None:
    _refuse_unsafe(tiff, name)
  return bits


def _bit_depth(image: Image.Image, data: bytes) -> int:
  if image.format == "PNG":
    return data[_PNG_DEPTH]
  if isinstance(image, TiffImagePlugin.TiffImageFile):
    return max(image.tag_v2.get(_BITS, (1,)))
  if image.format == "PPM":
    largest = _PNM_LARGEST.match(data)
    return int(largest[1]).bit_length() if largest else 8
  if image.format == "JPEG2000":
    start = data.index(_JP2_SIZE)
    (count,) = struct.unpack_from(">H", data, start + 40)
    # Of each component: depth - 1 in seven bits, then two of subsampling.
    depths = data[start + 42 : start + 42 + 3 * count : 3]
    return 1 + max(depth % 128 for depth in depths)
  if image.format == "AVIF":
    flags = data[data.index(b"av1C") + 6] >> 5 & 3
    return {2: 10, 3: 12}.get(flags, 8)
  return 8


def _refuse_truncated(
  image: TiffImagePlugin.TiffImageFile, data: bytes, name: str
) -> None:
  # libtiff would find out too, but write lines of its own to stderr.
  for starts, lengths in _PARTS:
    for start, length in zip(
      image.tag_v2.get(starts, ()), image.tag_v2.get(lengths, ()), strict=False
    ):
      if start + length > len(data):
        raise UserError(f"{name}: damaged picture (the file is truncated)")


def _refuse_unsafe(image: TiffImagePlugin.TiffImageFile, name: str) -> None:
  """OpenCV would decode these wrongly or not at all."""
  tags = image.tag_v2
  if tags.get(_PLANAR, 1) != 1 or tags.get(_PHOTOMETRIC) not in (1, 2):
    raise UserError(f"{name}: {UNREADABLE}")
  if tags.get(_EXTRA_SAMPLES, (2,)) != (2,):
    raise UserError(f"{name}: {UNREADABLE} with straight alpha")
