"""Writing: every known sample of the file is the one that was read."""

import numpy as np
import pytest
from PIL import Image

from sginpaint import images
from sginpaint.errors import UserError
from tests.images.files import icc_profile, noise, save, save_turned

_KINDS = [
  (suffix, channels, dtype)
  for suffix in (".png", ".tif", ".webp")
  for channels in (1, 2, 3, 4)
  for dtype in (np.uint8, np.uint16)
  if not (dtype == np.uint16 and (suffix == ".webp" or channels == 2))
] + [(".png", 2, np.uint16)]


def _hole(shape=(12, 9)):
  return np.random.default_rng(5).random(shape) < 0.4


@pytest.mark.parametrize(("suffix", "channels", "dtype"), _KINDS)
def test_known_samples_and_alpha_survive(tmp_path, suffix, channels, dtype):
  samples = noise((12, 9, channels), dtype)
  hole, profile = _hole(), icc_profile()
  picture = images.Picture(samples, profile)
  filled = np.full((12, 9, 3), 77, np.uint8)
  images.write_picture(tmp_path / f"a{suffix}", picture, filled, hole)
  back = images.read_picture(tmp_path / f"a{suffix}")
  want = samples.copy()
  scale = 257 if dtype == np.uint16 else 1
  want[hole, : 1 if channels < 3 else 3] = 77 * scale
  if suffix == ".webp" and channels < 3:  # WebP knows no grey
    want = np.concatenate([want[..., [0] * 3], want[..., 1:]], axis=-1)
  np.testing.assert_array_equal(back.samples, want)
  assert back.samples.dtype == dtype
  assert back.icc == profile


def test_16_bit_files_are_read_the_same_by_others(tmp_path):
  tifffile = pytest.importorskip("tifffile")
  samples = noise((12, 9, 4), np.uint16)
  save(tmp_path / "a.tif", samples, icc_profile=icc_profile())
  with tifffile.TiffFile(tmp_path / "a.tif") as file:
    np.testing.assert_array_equal(file.asarray(), samples)
    assert file.pages[0].tags["InterColorProfile"].value == icc_profile()


def test_grey_fill_is_luma(tmp_path):
  picture = images.Picture(np.zeros((2, 2, 1), np.uint8))
  filled = np.zeros((2, 2, 3), np.uint8)
  filled[0, 0] = (200, 100, 50)
  path = tmp_path / "a.png"
  images.write_picture(path, picture, filled, np.ones((2, 2), bool))
  luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
  assert images.read_picture(path).samples[0, 0, 0] == luma


def test_no_exif_in_the_output(tmp_path):
  source = save_turned(tmp_path / "a.jpg", noise((6, 10, 3)), 6)
  picture = images.read_picture(source)
  hole = np.zeros(picture.size, bool)
  images.write_picture(tmp_path / "b.png", picture, picture.rgb, hole)
  with Image.open(tmp_path / "b.png") as image:
    assert dict(image.getexif()) == {}
    assert image.size == (6, 10)
    np.testing.assert_array_equal(np.asarray(image), picture.samples)


@pytest.mark.parametrize(
  ("name", "shape", "dtype", "lossy", "words"),
  [
    ("a.xyz", (2, 2, 3), np.uint8, False, "unknown output format"),
    ("a.jpg", (2, 2, 3), np.uint8, False, "--lossy"),
    ("a.jpg", (2, 2, 4), np.uint8, True, "no transparency"),
    ("a.webp", (2, 2, 3), np.uint16, False, "8 bits of 16"),
    ("a.webp", (1, 16384, 3), np.uint8, False, "16383"),
    ("a.tif", (2, 2, 2), np.uint16, False, "needs .png"),
  ],
)
def test_refused_outputs_write_nothing(
  tmp_path, name, shape, dtype, lossy, words
):
  picture = images.Picture(np.zeros(shape, dtype))
  hole = np.zeros(shape[:2], bool)
  with pytest.raises(UserError, match=words):
    images.write_picture(
      tmp_path / name, picture, picture.rgb, hole, lossy=lossy
    )
  assert list(tmp_path.iterdir()) == []


def test_lossy_jpeg_of_an_opaque_16_bit_picture(tmp_path):
  samples = np.full((8, 8, 4), 65535, np.uint16)
  picture = images.Picture(samples)
  hole = np.zeros((8, 8), bool)
  path = tmp_path / "a.jpg"
  images.write_picture(path, picture, picture.rgb, hole, lossy=True)
  assert (images.read_picture(path).samples == 255).all()


def test_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
  path = tmp_path / "a.png"
  path.write_bytes(b"old")

  def full_disk(*_):
    raise OSError(28, "No space left on device")

  monkeypatch.setattr("os.replace", full_disk)
  with pytest.raises(UserError, match="No space left"):
    images.write_bytes(path, b"new")
  assert path.read_bytes() == b"old"
  assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_wrong_shapes_are_errors(tmp_path):
  picture = images.Picture(np.zeros((4, 5, 3), np.uint8))
  good = np.zeros((4, 5, 3), np.uint8)
  with pytest.raises(ValueError, match="filled"):
    images.write_picture(tmp_path / "a.png", picture, good[:3], good[..., 0])
  with pytest.raises(ValueError, match="bool"):
    images.write_picture(tmp_path / "a.png", picture, good, good[..., 0])
