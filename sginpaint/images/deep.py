"""Pictures of 16 bits per sample, which Pillow would cut down to 8.

PNG and TIFF only. Decoding is OpenCV's, encoding is ours: OpenCV writes neither
a colour profile into a TIFF nor grey with transparency into a PNG. Arrays are
uint16 [H, W, C] with C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
"""

import struct
import zlib

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from sginpaint.errors import UserError
from sginpaint.images.depth import UNREADABLE

_PNG_KIND = 25  # byte offset inside IHDR
_PNG_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> colour type of PNG
_BITS, _PHOTOMETRIC, _ORIENTATION = 258, 262, 274
_PLANAR, _EXTRA_SAMPLES = 284, 338
_SHORT, _LONG, _UNDEFINED = 3, 4, 7  # types of TIFF values


def decode(image: Image.Image, data: bytes, name: str) -> np.ndarray:
  """Samples of a 16-bit PNG or TIFF, as stored (not turned upright).

  Args:
    image: the same file opened by Pillow, for its tags.
    data: the whole file.
    name: what an error calls the file.

  Returns:
    uint16 [H, W, C].

  Raises:
    UserError: OpenCV does not decode it.
  """
  if isinstance(image, TiffImagePlugin.TiffImageFile):
    data = _without_orientation(data)
  array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
  if array is None or array.dtype != np.uint16:
    raise UserError(f"{name}: {UNREADABLE}")
  if array.ndim == 2:
    return _with_key(array, image.info.get("transparency"))
  if image.format == "PNG" and data[_PNG_KIND] == _PNG_KINDS[2]:
    return np.ascontiguousarray(array[..., [0, 3]])
  order = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
  return cv2.cvtColor(array, order)


def _without_orientation(data: bytes) -> bytes:
  """Sets the orientation tag to "upright": OpenCV would turn half of them."""
  order = "<" if data[:2] == b"II" else ">"
  big = struct.unpack_from(order + "H", data, 2)[0] == 43
  # Where the directory's offset lies, and the types of it and of the count.
  at, offset, number = (8, "Q", "Q") if big else (4, "I", "H")
  (start,) = struct.unpack_from(order + offset, data, at)
  (count,) = struct.unpack_from(order + number, data, start)
  first, size, value = start + struct.calcsize("=" + number), 12, 8
  if big:
    size, value = 20, 12
  for entry in range(first, first + size * count, size):
    if struct.unpack_from(order + "H", data, entry)[0] == _ORIENTATION:
      at = entry + value
      return data[:at] + struct.pack(order + "H", 1) + data[at + 2 :]
  return data


def _with_key(grey: np.ndarray, key: int | None) -> np.ndarray:
  if key is None:
    return grey[..., None]
  alpha = np.where(grey == key, 0, 65535).astype(np.uint16)
  return np.stack([grey, alpha], axis=-1)


def encode_png(samples: np.ndarray, icc: bytes | None) -> bytes:
  """A 16-bit PNG of uint16 [H, W, C] with an optional colour profile."""
  height, width, channels = samples.shape
  rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
  lines = np.empty((height, rows.shape[1] + 1), np.uint8)
  lines[:, 0] = 2  # each line holds the difference from the one above
  lines[0, 1:] = rows[0]
  np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
  kind = _PNG_KINDS[channels]
  header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
  chunks = [_chunk(b"IHDR", header)]
  if icc:
    chunks.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
  chunks.append(_chunk(b"IDAT", zlib.compress(lines.data, 4)))
  chunks.append(_chunk(b"IEND", b""))
  return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
  checksum = struct.pack(">I", zlib.crc32(name + body))
  return struct.pack(">I", len(body)) + name + body + checksum


def encode_tiff(samples: np.ndarray, icc: bytes | None) -> bytes:
  """A 16-bit deflated TIFF of uint16 [H, W, 1 | 3 | 4], optional profile."""
  height, width, channels = samples.shape
  steps = samples.copy()
  steps[:, 1:] -= samples[:, :-1]  # horizontal predictor; wraps by design
  strip = zlib.compress(steps.astype("<u2").data, 4)
  strip += b"\0" * (len(strip) % 2)  # what follows has to start on a word
  entries = [
    (256, _LONG, [width]),
    (257, _LONG, [height]),
    (_BITS, _SHORT, [16] * channels),
    (259, _SHORT, [8]),  # deflate
    (_PHOTOMETRIC, _SHORT, [1 if channels == 1 else 2]),
    (273, _LONG, [8]),  # the strip follows the header
    (277, _SHORT, [channels]),
    (278, _LONG, [height]),
    (279, _LONG, [len(strip)]),
    (_PLANAR, _SHORT, [1]),
    (317, _SHORT, [2]),  # horizontal predictor
  ]
  if channels == 4:
    entries.append((_EXTRA_SAMPLES, _SHORT, [2]))  # straight alpha
  if icc:
    entries.append((34675, _UNDEFINED, list(icc)))
  return _assemble_tiff(strip, entries)


def _assemble_tiff(strip: bytes, entries: list) -> bytes:
  start = 8 + len(strip)
  after = start + 2 + 12 * len(entries) + 4
  directory, tail = struct.pack("<H", len(entries)), b""
  for tag, kind, values in entries:
    code = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B"}[kind]
    body = struct.pack(f"<{len(values)}{code}", *values)
    if len(body) > 4:
      body, tail = struct.pack("<I", after + len(tail)), tail + body
      tail += b"\0" * (len(tail) % 2)
    directory += struct.pack("<HHI", tag, kind, len(values))
    directory += body.ljust(4, b"\0")
  header = b"II*\0" + struct.pack("<I", start)
  return header + strip + directory + b"\0\0\0\0" + tail
