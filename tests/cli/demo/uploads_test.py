"""Uploads become arrays, or one sentence before anything is decoded."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFile

from sginpaint.cli.demo import uploads
from sginpaint.errors import UserError
from tests.cli.demo.fake import hole, picture, png
from tests.cli.demo.hostile import bomb, saved
from tests.images.files import noise

SIZE = (30, 40)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_known_by_their_first_bytes(kind):
  data = saved(picture(), kind)
  want = np.asarray(Image.open(io.BytesIO(data)))
  np.testing.assert_array_equal(uploads.decode_picture(data).rgb, want)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_other_kinds_are_refused(kind):
  with pytest.raises(UserError, match="no PNG, JPEG or WebP"):
    uploads.decode_picture(saved(picture(), kind))


@pytest.mark.parametrize("side", [4001, 60_000, 2**31 - 1])
def test_bombs_are_not_decoded(side, monkeypatch):
  data = bomb(side, side)
  monkeypatch.setattr(ImageFile.ImageFile, "load", None)
  with pytest.raises(UserError, match="the picture: .* make it smaller"):
    uploads.decode_picture(data)


def test_jpeg_of_endless_scans():
  data = saved(picture(), "JPEG", progressive=True)
  assert uploads.decode_picture(data).size == SIZE
  start = data.index(b"\xff\xda")
  with pytest.raises(UserError, match="scans"):
    uploads.decode_picture(data[:start] + 300 * data[start:-2] + data[-2:])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_truncated_pictures(kind, share):
  data = saved(noise((64, 64, 3)), kind)
  with pytest.raises(UserError, match="the picture"):
    uploads.decode_picture(data[: int(share * len(data))])


def test_mask_of_any_grey_or_palette():
  want = hole() > 0
  for array in (hole(), hole() // 255):
    got = uploads.decode_mask(png(array), SIZE)
    np.testing.assert_array_equal(got, want)
  image = Image.fromarray(hole() // 255)
  image.putpalette([9, 9, 9, 1, 2, 3])
  buffer = io.BytesIO()
  image.save(buffer, "PNG")
  got = uploads.decode_mask(buffer.getvalue(), SIZE)
  np.testing.assert_array_equal(got, want)


def test_maps_are_numbers_and_255():
  indices = np.random.default_rng(0).choice([0, 1, 3, 255], SIZE)
  got = uploads.decode_map(png(indices.astype(np.uint8)), SIZE, 4)
  np.testing.assert_array_equal(got, indices)


def _wrong_indices():
  good = np.zeros(SIZE, np.uint8)
  unknown = good.copy()
  unknown[7, 11] = unknown[8, 2] = 4
  whole = png(noise(SIZE) % 4)
  return {
    "size": (png(good.T), "is 30x40 but its picture 40x30"),
    "bomb": (bomb(50_000, 50_000), "is 50000x50000"),
    "colours": (png(picture()), "mode RGB"),
    "deep": (png(good.astype(np.uint16)), "8-bit indices are needed"),
    "jpeg": (saved(good, "JPEG"), "is no PNG"),
    "nothing": (b"", "is no PNG"),
    "short": (whole[:20], "is no PNG"),
    "truncated": (whole[: len(whole) // 2], "the map: "),
    "class": (png(unknown), "class 4 at x=11, y=7 and 1 more"),
  }


@pytest.mark.parametrize("name", _wrong_indices())
def test_wrong_maps(name):
  data, words = _wrong_indices()[name]
  with pytest.raises(UserError, match=words):
    uploads.decode_map(data, SIZE, 4)


def test_empty_mask():
  with pytest.raises(UserError, match="holds no hole"):
    uploads.decode_mask(png(np.zeros(SIZE, np.uint8)), SIZE)
