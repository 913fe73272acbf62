"""Deep samples are kept or refused, never cut down without a word."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from sginpaint import images
from sginpaint.errors import UserError
from tests.images.files import noise

_SAMPLES = noise((48, 64, 3), np.uint16)


def _packed_tiff(samples: np.ndarray) -> bytes:
  """A grey TIFF of 12 bits per sample, two samples in three bytes."""
  height, width = samples.shape
  first, second = samples[:, ::2], samples[:, 1::2]
  strip = np.stack(
    [first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1
  ).astype(np.uint8)
  tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8}
  tags |= {277: 1, 278: height, 279: strip.size}
  entries = [struct.pack("<HHII", t, 4, 1, v) for t, v in tags.items()]
  start = struct.pack("<2sHI", b"II", 42, 8 + strip.size)
  count = struct.pack("<H", len(tags))
  return start + strip.tobytes() + count + b"".join(entries) + b"\0" * 4


def _write(path):
  kind = path.name.partition("-")[0]
  if kind == "packed":
    path.write_bytes(_packed_tiff(_SAMPLES[..., 0] >> 4))
  elif kind == "signed":
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, _SAMPLES[..., 0].astype(np.int16))
  elif path.suffix == ".jp2":
    Image.fromarray(_SAMPLES[..., 0]).save(path)
  else:
    array = _SAMPLES if kind == "colour" else _SAMPLES[..., 0]
    options = [cv2.IMWRITE_AVIF_DEPTH, 10] if path.suffix == ".avif" else []
    assert cv2.imwrite(str(path), array, options)


@pytest.mark.parametrize(
  ("name", "words"),
  [
    ("colour-a.ppm", "16-bit PPM"),
    ("grey-a.pgm", "16-bit PPM"),
    ("grey-a.jp2", "16-bit JPEG2000"),
    ("colour-a.avif", "10-bit AVIF"),
    ("packed-a.tif", "12-bit TIFF"),
    ("signed-a.tif", "16-bit TIFF"),
  ],
)
@pytest.mark.parametrize("read", [images.read_header, images.read_picture])
def test_deep_samples_that_cannot_be_kept_are_refused(
  tmp_path, name, words, read
):
  _write(tmp_path / name)
  with pytest.raises(UserError, match=f"{name}: {words}.*16-bit PNG"):
    read(tmp_path / name)


def test_8_bits_of_the_same_formats_are_read(tmp_path):
  pgm = tmp_path / "a.pgm"
  pgm.write_bytes(b"P5 # 65535\n3 #\n#x\n2 255\n" + bytes([0, 1, 2, 3, 4, 255]))
  samples = images.read_picture(pgm).samples
  np.testing.assert_array_equal(samples[..., 0], [[0, 1, 2], [3, 4, 255]])
  eight = noise((48, 64, 3))
  for name in ("a.jp2", "a.avif"):
    Image.fromarray(eight).save(tmp_path / name)
    assert images.read_header(tmp_path / name).bits == 8
    assert images.read_picture(tmp_path / name).samples.shape == eight.shape


def test_truncated_tiff_is_one_message(tmp_path, capfd):
  path = tmp_path / "a.tif"
  Image.fromarray(noise((64, 64, 3))).save(path, compression="tiff_lzw")
  data = path.read_bytes()
  length = struct.pack("<HHI", 279, 4, 1)  # of the only strip
  entry = data.index(length) + len(length)
  long = struct.pack("<I", len(data))
  path.write_bytes(data[:entry] + long + data[entry + 4 :])
  with pytest.raises(UserError, match="a.tif: damaged.*truncated"):
    images.read_picture(path)
  assert capfd.readouterr().err == ""  # libtiff would write there
