"""Masks out of files: polarity, depth, resizing, warnings."""

import hashlib
import logging
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sginpaint.data.mask_files import MaskFolder, read_grey
from sginpaint.errors import UserError


def _save(path, pixels, mode=None):
  Image.fromarray(np.asarray(pixels), mode).save(path)
  return path


def _square(low=0, high=255, side=16):
  """A quarter of `high` in the top left corner."""
  pixels = np.full((side, side), low, np.uint8)
  pixels[: side // 2, : side // 2] = high
  return pixels


class TestMaskFolder:
  def test_files_are_listed_by_name(self, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ["b.png", "a.JPG", "c.webp", "sub/a.tif", "d.bmp", ".x.png"]:
      format = "JPEG" if name.endswith("JPG") else None
      Image.fromarray(_square()).save(tmp_path / name, format)
    (tmp_path / "notes.txt").write_text("no mask")
    folder = MaskFolder(tmp_path)
    assert folder.ids == ("a.JPG", "b.png", "c.webp", "d.bmp", "sub/a.tif")
    assert len(folder) == 5
    for i in range(5):
      assert folder[i].shape == (16, 16, 1) and folder[i].dtype == np.float32
      np.testing.assert_array_equal(folder[i][..., 0], _square() / 255)

  def test_polarity(self, tmp_path):
    _save(tmp_path / "m.png", np.array([[0, 127, 128, 255]], np.uint8))
    white = MaskFolder(tmp_path)[0]
    black = MaskFolder(tmp_path, white_is_hole=False)[0]
    assert white.ravel().tolist() == [0, 0, 1, 1]
    assert black.ravel().tolist() == [1, 1, 0, 0]

  @pytest.mark.parametrize("size", [(4, 6), (7, 11), (3, 5), (14, 9)])
  def test_nearest_resize_matches_a_loop(self, tmp_path, size):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11), np.uint8)
    _save(tmp_path / "m.png", pixels)
    want = np.zeros((*size, 1), np.float32)
    for y in range(size[0]):
      for x in range(size[1]):
        source = pixels[
          int((y + 0.5) * 7 / size[0]), int((x + 0.5) * 11 / size[1])
        ]
        want[y, x, 0] = source > 127
    np.testing.assert_array_equal(MaskFolder(tmp_path).load(0, *size), want)

  def test_resize_before_threshold_keeps_thin_holes_binary(self, tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, 1] = 255  # an average with its neighbour would be 127
    _save(tmp_path / "m.png", pixels)
    mask = MaskFolder(tmp_path).load(0, 4, 4)[..., 0]
    assert mask.tolist() == [[1, 0, 0, 0]] * 4

  def test_hashes(self, tmp_path):
    first = _save(tmp_path / "a.png", _square())
    _save(tmp_path / "b.png", _square(side=8))
    folder = MaskFolder(tmp_path)
    bytes_hash = hashlib.sha256(first.read_bytes()).hexdigest()
    assert folder.file_hash(0) == bytes_hash
    before = folder.set_hash
    assert before == MaskFolder(tmp_path, white_is_hole=False).set_hash
    first.rename(tmp_path / "0.png")
    renamed = MaskFolder(tmp_path).set_hash
    _save(tmp_path / "0.png", _square(side=4))
    assert len({before, renamed, MaskFolder(tmp_path).set_hash}) == 3

  @pytest.mark.parametrize("path", ["", "missing", "file.png"])
  def test_no_folder(self, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    _save(tmp_path / "file.png", _square())
    with pytest.raises(UserError, match=path or "''"):
      MaskFolder(path)

  def test_empty_folder(self, tmp_path):
    with pytest.raises(UserError, match="no mask files"):
      MaskFolder(tmp_path)

  @pytest.mark.parametrize("bytes_kept", [0, 40])
  def test_broken_file_is_named(self, tmp_path, bytes_kept):
    path = _save(tmp_path / "bad.png", _square(side=64))
    path.write_bytes(path.read_bytes()[:bytes_kept])
    with pytest.raises(UserError, match=r"bad\.png") as error:
      MaskFolder(tmp_path)
    assert "\n" not in str(error.value)


class TestWarnings:
  def test_a_sound_set_is_silent(self, tmp_path, caplog):
    _save(tmp_path / "m.png", _square())
    assert MaskFolder(tmp_path).warnings == ()
    assert not caplog.records

  @pytest.mark.parametrize("white_is_hole", [True, False])
  def test_inverted_set(self, tmp_path, caplog, white_is_hole):
    pixels = _square() if not white_is_hole else 255 - _square()
    for i in range(3):
      _save(tmp_path / f"{i}.png", pixels)
    _save(tmp_path / "other.png", 255 - pixels)
    with caplog.at_level(logging.WARNING):
      folder = MaskFolder(tmp_path, white_is_hole=white_is_hole)
    (line,) = folder.warnings
    assert f"--config.masks.white_is_hole={not white_is_hole}" in line
    assert f"--config.eval.white_is_hole={not white_is_hole}" in line
    assert [r.getMessage() for r in caplog.records] == [line]

  def test_grey_set(self, tmp_path, caplog):
    _save(tmp_path / "a.png", _square())
    soft = _square()
    soft[0, :3] = 90
    _save(tmp_path / "soft.png", soft)
    (line,) = MaskFolder(tmp_path).warnings
    assert "1 of 2" in line and "soft.png" in line and "1.2%" in line
    assert caplog.records[0].levelno == logging.WARNING

  def test_jpeg_noise_near_black_and_white_passes(self, tmp_path):
    _save(tmp_path / "m.png", _square(20, 236))
    assert MaskFolder(tmp_path).warnings == ()


class TestReadGrey:
  def test_colour_is_averaged_and_rounded(self, tmp_path):
    pixels = np.array([[[255, 255, 0], [127, 127, 128], [0, 0, 0]]], np.uint8)
    path = _save(tmp_path / "m.png", pixels)
    assert read_grey(path).tolist() == [[170, 127, 0]]

  def test_alpha_is_ignored_where_colour_tells(self, tmp_path):
    alpha = np.full((16, 16), 255, np.uint8)
    alpha[8:] = 0
    pixels = np.dstack([_square()] * 3 + [alpha])
    path = _save(tmp_path / "m.png", pixels)
    np.testing.assert_array_equal(read_grey(path), _square())

  def test_alpha_alone_tells_the_hole(self, tmp_path):
    red = np.zeros((16, 16, 3), np.uint8) + np.array([200, 0, 0], np.uint8)
    path = _save(tmp_path / "m.png", np.dstack([red, _square()]))
    np.testing.assert_array_equal(read_grey(path), _square())

  @pytest.mark.parametrize(
    "pixels",
    [
      _square(0, 1),
      _square().astype(bool),
      _square().astype(np.uint16) * 257,
      _square().astype(np.uint16),
      (_square() / 255).astype(np.float32),
      np.dstack([_square()] * 3),
    ],
    ids=["0/1", "1 bit", "16 bits", "8 in 16 bits", "float", "colour"],
  )
  def test_depths(self, tmp_path, pixels):
    path = _save(tmp_path / "m.tif", pixels)
    np.testing.assert_array_equal(read_grey(path), _square())

  def test_palette(self, tmp_path):
    image = Image.fromarray(_square(0, 1), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_grey(tmp_path / "m.png"), _square())


def test_reading_masks_needs_no_jax():
  code = (
    "import sys, sginpaint.data.mask_files; assert 'jax' not in sys.modules"
  )
  subprocess.run([sys.executable, "-c", code], check=True)
