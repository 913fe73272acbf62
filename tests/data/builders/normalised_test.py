"""Pictures and label maps on their way into a record."""

import io

import numpy as np
import pytest
from PIL import Image

from sginpaint.data.builders.normalised import (
  normalise_labels,
  normalise_picture,
)
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
  decode_rgb,
)
from tests.data.builders.published import encoded, jpg, pixels, png


def header(data):
  image = Image.open(io.BytesIO(data))
  return image.format, image.mode, image.size


@pytest.mark.parametrize("data", [jpg(1), png(1)], ids=["jpg", "png"])
@pytest.mark.parametrize("size", [0, 12, 100])
def test_what_is_right_keeps_its_bytes(data, size):
  assert normalise_picture(data, size) == (data, (12, 16))


@pytest.mark.parametrize(
  ("data", "kind"),
  [
    (encoded(np.dstack([pixels(1), pixels(2)[..., 0]]), "png"), "PNG"),
    (encoded(pixels(1)[..., 0], "png"), "PNG"),
    (encoded(pixels(1)[..., 0], "jpg"), "JPEG"),
  ],
  ids=["transparent", "grey png", "grey jpg"],
)
def test_other_modes_become_rgb(data, kind):
  result, shape = normalise_picture(data, 0)
  assert shape == (12, 16) and header(result) == (kind, "RGB", (16, 12))
  error = decode_rgb(result).astype(int) - decode_rgb(data)
  assert np.abs(error).max() <= (0 if kind == "PNG" else 6)


def test_orientation_is_applied_and_its_tag_gone():
  exif = Image.Exif()
  exif[0x0112] = 6  # turned a quarter
  data = encoded(pixels(1), "jpg", exif=exif, quality=95, subsampling=0)
  result, shape = normalise_picture(data, 0)
  assert shape == (16, 12)
  assert not Image.open(io.BytesIO(result)).getexif()
  turned = np.rot90(pixels(1), -1).astype(int)
  assert np.abs(decode_rgb(result) - turned).mean() < 4


@pytest.mark.parametrize("shape", [(12, 16), (33, 50), (50, 33)])
def test_shorter_side_is_brought_down(shape):
  data = png(1, height=shape[0], width=shape[1])
  result, found = normalise_picture(data, 10)
  scale = 10 / min(shape)
  assert min(found) == 10
  assert np.abs(np.subtract(found, np.multiply(shape, scale))).max() <= 0.5
  assert header(result) == ("JPEG", "RGB", found[::-1])
  assert decode_rgb(result).mean() == pytest.approx(
    decode_rgb(data).mean(), abs=3
  )


@pytest.mark.parametrize("data", [b"", b"no picture", jpg(1)[:-200]])
def test_damaged_pictures(data):
  with pytest.raises(UnreadableError):
    normalise_picture(data, 0)


def test_labels_are_resized_without_new_values():
  labels = np.zeros((24, 32), np.uint8)
  labels[:, 16:] = 200
  data = normalise_labels(labels, (12, 16))
  assert data[24:26] == b"\x08\x00"  # 8-bit grey
  want = np.zeros((12, 16), np.uint8)
  want[:, 8:] = 200
  np.testing.assert_array_equal(decode_labels(data), want)


def test_labels_of_other_proportions():
  with pytest.raises(LabelFormatError, match="16x16 pixels, .* 16x12"):
    normalise_labels(np.zeros((16, 16), np.uint8), (12, 16))


def test_a_damaged_orientation_tag_costs_no_picture():
  whole, exif = jpg(1), b"Exif\0\0no TIFF header"
  tag = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
  result, shape = normalise_picture(whole[:2] + tag + whole[2:], 0)
  assert shape == (12, 16) and header(result)[0] == "JPEG"
  error = decode_rgb(result).astype(int) - decode_rgb(whole)
  assert np.abs(error).max() <= 6
