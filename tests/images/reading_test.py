"""Reading: nothing of a file is lost, everything comes out upright."""

import contextlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from sginpaint import images
from sginpaint.errors import UserError
from sginpaint.images import reading
from tests.images.files import icc_profile, noise, save, save_turned
from tests.images.label_maps_test import CODE


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_8_bit_samples_are_those_of_the_file(tmp_path, suffix, channels):
  samples = noise((9, 7, channels))
  picture = images.read_picture(save(tmp_path / f"a{suffix}", samples))
  np.testing.assert_array_equal(picture.samples, samples)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_samples_written_by_opencv(tmp_path, suffix, channels):
  samples = noise((9, 7, channels), np.uint16)
  order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
  path = tmp_path / f"a{suffix}"
  assert cv2.imwrite(str(path), samples[..., order])
  picture = images.read_picture(path)
  assert images.read_header(path).bits == 16
  np.testing.assert_array_equal(picture.samples, samples)


def test_8_bit_view_of_16_bits_is_rounded():
  samples = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
  view = images.Picture(samples).rgb
  want = np.rint(samples[..., 0] / 257.0)
  for channel in range(3):
    np.testing.assert_array_equal(view[..., channel], want)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_upright_like_pillow(tmp_path, suffix, orientation):
  path = save_turned(tmp_path / f"a{suffix}", noise((6, 10, 3)), orientation)
  with Image.open(path) as image:
    want = np.asarray(ImageOps.exif_transpose(image))
  picture = images.read_picture(path)
  np.testing.assert_array_equal(picture.samples, want)
  assert images.read_header(path).size == want.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
  ("order", "big"), [("<", False), (">", False), ("<", True)]
)
def test_16_bit_tiff_is_turned_once(tmp_path, orientation, order, big):
  tifffile = pytest.importorskip("tifffile")
  samples = noise((6, 10, 3), np.uint16)
  path = tmp_path / "a.tif"
  tag = (274, 3, 1, orientation, True)
  options = {"photometric": "rgb", "byteorder": order, "bigtiff": big}
  tifffile.imwrite(path, samples, extratags=[tag], **options)
  picture = images.read_picture(path)
  # The 8-bit twin of the file, turned by Pillow.
  twin = save_turned(
    tmp_path / "b.png", reading.to_8_bits(samples), orientation
  )
  np.testing.assert_array_equal(picture.rgb, images.read_picture(twin).rgb)


def test_palette_keeps_colours_and_transparency(tmp_path):
  image = Image.fromarray(noise((8, 8), seed=1) % 4).convert("P")
  image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3])
  image.save(tmp_path / "a.png", transparency=2)
  picture = images.read_picture(tmp_path / "a.png")
  indices = np.asarray(image)
  palette = np.array(
    [[10, 20, 30, 255], [40, 50, 60, 255], [70, 80, 90, 0], [1, 2, 3, 255]]
  )
  np.testing.assert_array_equal(picture.samples, palette[indices])


def test_profile_of_rgb_is_kept_and_of_cmyk_dropped(tmp_path):
  profile = icc_profile()
  rgb = save(tmp_path / "a.png", noise((4, 4, 3)), icc_profile=profile)
  assert images.read_picture(rgb).icc == profile
  cmyk = tmp_path / "b.jpg"
  Image.new("CMYK", (4, 4)).save(cmyk, icc_profile=profile)
  picture = images.read_picture(cmyk)
  assert picture.icc is None
  assert picture.samples.shape == (4, 4, 3)


def test_bad_files_are_named(tmp_path):
  text = tmp_path / "text.jpg"
  text.write_text("not a picture")
  short = save(tmp_path / "short.png", noise((32, 32, 3)))
  short.write_bytes(short.read_bytes()[:-500])
  deep = save(tmp_path / "deep.png", noise((32, 32, 3), np.uint16))
  deep.write_bytes(deep.read_bytes()[:-500])
  real = tmp_path / "real.tif"
  Image.new("F", (4, 4)).save(real)
  for path, words in {
    text: "not a picture",
    short: "damaged",
    deep: "damaged",
    real: "32 bits",
    tmp_path: "cannot be read",
    tmp_path / "absent.png": "no such file",
  }.items():
    with pytest.raises(UserError, match=words) as caught:
      images.read_picture(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
  ("name", "cut", "words"),
  [
    ("a.webp", 0.5, "damaged|not a picture"),
    ("a.jpg", 0.05, "damaged|not a picture"),
    ("a.png", 0.01, "damaged|not a picture"),
    ("a.jp2", 0.05, "damaged|not a picture"),
    ("a.avif", 0.2, "damaged|not a picture"),
    ("a.tif", 0.5, "damaged|not a picture"),
    ("a.gif", 0.0, "empty"),
  ],
)
def test_cut_off_files_are_named(tmp_path, name, cut, words):
  path = save(tmp_path / name, noise((48, 64, 3)))
  data = path.read_bytes()
  path.write_bytes(data[: int(cut * len(data))])
  for read in (
    images.read_picture,
    lambda path: images.read_label_map(path, (48, 64), CODE),
    lambda path: images.read_mask(path, (48, 64)),
  ):
    with pytest.raises(UserError, match=f"{name}: .*({words})"):
      read(path)


@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes_of_a_header_are_named(tmp_path):
  for name in ("a.tif", "a.bmp", "a.pgm", "a.avif"):
    good = save(tmp_path / name, noise((24, 32))).read_bytes()
    for position in range(min(len(good), 150)):
      data = bytearray(good)
      data[position] ^= 0xFF
      (tmp_path / name).write_bytes(data)
      with contextlib.suppress(UserError):
        images.read_picture(tmp_path / name)


def test_too_many_pixels(tmp_path, monkeypatch):
  path = save(tmp_path / "a.png", noise((10, 11)))
  monkeypatch.setattr(reading, "MAX_PIXELS", 109)
  with pytest.raises(UserError, match="110 pixels"):
    images.read_header(path)


def test_planar_16_bit_tiff_is_refused(tmp_path):
  tifffile = pytest.importorskip("tifffile")
  path = tmp_path / "a.tif"
  planes = noise((3, 6, 10), np.uint16)
  tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
  with pytest.raises(UserError, match="16-bit PNG"):
    images.read_picture(path)
