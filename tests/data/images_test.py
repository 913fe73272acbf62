"""Every mode of file against pixels that are known."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
  decode_rgb,
)
from tests.data.example_folders import picture

ARRAY = cv2.resize(picture(0, 3, 4), (32, 24), interpolation=cv2.INTER_LINEAR)


def encode(image: Image.Image, fmt: str = "PNG", **options) -> bytes:
  buffer = io.BytesIO()
  image.save(buffer, fmt, **options)
  return buffer.getvalue()


class TestDecodeRgb:
  def test_grey_is_repeated(self):
    decoded = decode_rgb(encode(Image.fromarray(ARRAY[..., 0])))
    np.testing.assert_array_equal(decoded, np.repeat(ARRAY[..., :1], 3, -1))

  @pytest.mark.parametrize("opacity", [0, 128])
  def test_transparency_is_dropped(self, opacity):
    alpha = np.full(ARRAY.shape[:2] + (1,), opacity, np.uint8)
    rgba = Image.fromarray(np.concatenate([ARRAY, alpha], -1))
    np.testing.assert_array_equal(decode_rgb(encode(rgba)), ARRAY)

  def test_palette_gives_its_colours(self):
    colours = Image.fromarray(ARRAY).quantize(16)
    np.testing.assert_array_equal(
      decode_rgb(encode(colours)), np.asarray(colours.convert("RGB"))
    )

  def test_cmyk(self):
    data = encode(Image.fromarray(ARRAY).convert("CMYK"), "JPEG", quality=95)
    decoded = decode_rgb(data)
    assert decoded.shape == ARRAY.shape
    assert np.abs(decoded.astype(int) - ARRAY).mean() < 4

  @pytest.mark.parametrize("extension", [".png", ".tif"])
  def test_sixteen_bits_become_eight(self, extension):
    deep = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 85
    grey = cv2.imencode(extension, deep)[1].tobytes()
    error = decode_rgb(grey) - deep[..., None] / 257
    assert np.abs(error).max() <= 1
    colour = ARRAY.astype(np.uint16) * 257
    data = cv2.imencode(extension, colour[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode_rgb(data), ARRAY)

  @pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF"])
  @pytest.mark.parametrize("orientation", [3, 6, 8])
  def test_exif_orientation(self, fmt, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    options = {"quality": 95} if fmt in ("JPEG", "WEBP") else {}
    data = encode(Image.fromarray(ARRAY), fmt, exif=exif, **options)
    turns = {3: 2, 6: 3, 8: 1}[orientation]
    upright = np.rot90(ARRAY, turns)
    decoded = decode_rgb(data)
    assert decoded.shape == upright.shape
    assert np.abs(decoded.astype(int) - upright).mean() < 8

  @pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
  def test_truncated(self, fmt):
    data = encode(Image.fromarray(ARRAY), fmt)
    with pytest.raises(UnreadableError):
      decode_rgb(data[: len(data) // 2])

  @pytest.mark.parametrize("data", [b"", b"no picture at all"])
  def test_no_picture(self, data):
    with pytest.raises(UnreadableError):
      decode_rgb(data)


class TestDecodeLabels:
  VALUES = np.arange(24, dtype=np.uint8).reshape(4, 6) * 11

  def test_grey(self):
    data = encode(Image.fromarray(self.VALUES))
    np.testing.assert_array_equal(decode_labels(data), self.VALUES)

  @pytest.mark.parametrize("bits", [8, 4, 2, 1])
  def test_palette_gives_indices_not_colours(self, bits):
    indices = (self.VALUES // 11) & (2**bits - 1)
    image = Image.fromarray(indices, mode="L").convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette(picture(1, 1, 256).ravel().tolist())
    data = encode(image, bits=bits)
    assert data[24:26] == bytes([bits, 3])
    np.testing.assert_array_equal(decode_labels(data), indices)

  @pytest.mark.parametrize("bits", [4, 2, 1])
  def test_few_grey_bits_are_not_spread(self, bits):
    indices = np.tile(np.arange(2**bits, dtype=np.uint8), (3, 1))
    data = few_bits_png(indices, bits)
    np.testing.assert_array_equal(decode_labels(data), indices)

  def test_colours_are_refused(self):
    with pytest.raises(LabelFormatError, match="mode RGB"):
      decode_labels(encode(Image.fromarray(ARRAY)))

  def test_sixteen_bits_are_refused(self):
    deep = cv2.imencode(".png", self.VALUES.astype(np.uint16))[1].tobytes()
    with pytest.raises(LabelFormatError, match="8-bit"):
      decode_labels(deep)

  def test_truncated(self):
    data = encode(Image.fromarray(picture(0, 64, 64)[..., 0]))
    with pytest.raises(UnreadableError):
      decode_labels(data[: len(data) // 2])

  def test_more_pixels_than_pillow_takes(self, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(UnreadableError, match="so many pixels"):
      decode_labels(encode(Image.fromarray(picture(0, 8, 8))))


def few_bits_png(indices: np.ndarray, bits: int) -> bytes:
  """A grey PNG of few bits, which neither library writes."""

  def chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc

  height, width = indices.shape
  planes = np.unpackbits(indices[..., None], axis=-1)[..., 8 - bits :]
  rows = np.packbits(planes.reshape(height, -1), axis=-1)
  raw = b"".join(b"\0" + row.tobytes() for row in rows)
  header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
  return (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", header)
    + chunk(b"IDAT", zlib.compress(raw))
    + chunk(b"IEND", b"")
  )
