"""Mask files sorted by the size of the hole, the two polarities told apart."""

import shutil

import numpy as np
import pytest

from sginpaint.cli.__main__ import main
from sginpaint.data.builders.irregular_masks import range_name, sort_masks
from sginpaint.data.mask_files import MaskFolder
from sginpaint.errors import UserError
from tests.data.builders.published import label_png, write_tar, write_zip

SIDE = 64  # the border is 50 / 512 of it, 6 pixels


def mask(top, left, height, width):
  pixels = np.zeros((SIDE, SIDE), np.uint8)
  pixels[top : top + height, left : left + width] = 255
  return pixels


INSIDE = mask(6, 6, 32, 32)  # a quarter
BORDER = mask(5, 6, 32, 32)
SMALL = mask(30, 30, 16, 20)  # 7.8 %


def write(root, test=(), train=()):
  for archive, folder, masks in (
    ("test_mask", "mask/testing_mask_dataset", test),
    ("irregular_mask", "irregular_mask/disocclusion_img_mask", train),
  ):
    if len(masks):
      files = {
        f"{folder}/{i:05d}.png": label_png(m) for i, m in enumerate(masks)
      }
      write_zip(root / f"{archive}.zip", files)
  return str(root)


def test_masks_by_range_and_border(tmp_path):
  manual = write(
    tmp_path, test=[INSIDE, BORDER, SMALL], train=[255 - SMALL, 255 - INSIDE]
  )
  directory, counts = sort_masks(manual, str(tmp_path / "data"), size=32)
  assert counts == {
    "test/01-10/inside": 1,
    "test/20-30/border": 1,
    "test/20-30/inside": 1,
    "train/01-10/inside": 1,
    "train/20-30/inside": 1,
  }
  folder = MaskFolder(directory / "test" / "20-30")
  assert folder.ids == ("border/00001.png", "inside/00000.png")
  np.testing.assert_array_equal(folder[1][..., 0], INSIDE[::2, ::2] / 255)
  # Both sets have white holes now.
  quarter = MaskFolder(directory / "train" / "20-30")[0]
  np.testing.assert_array_equal(quarter, folder[1])


def test_a_compressed_tar_leaves_nothing_behind(tmp_path):
  files = {"testing_mask_dataset/7.png": label_png(SMALL)}
  write_tar(tmp_path / "manual" / "test_mask.tar.gz", files)
  directory, counts = sort_masks(str(tmp_path / "manual"), str(tmp_path / "d"))
  assert counts == {"test/01-10/inside": 1}
  assert [p.name for p in directory.iterdir()] == ["test"]
  assert list(directory.parent.iterdir()) == [directory]


def test_a_damaged_mask_is_named(tmp_path):
  manual = write(tmp_path, test=[SMALL])
  path = tmp_path / "test_mask.zip"
  data = bytearray(path.read_bytes())
  data[data.find(b"IDAT")] ^= 1
  path.write_bytes(data)
  with pytest.raises(UserError, match=r"00000\.png: damaged .* anew"):
    sort_masks(manual, str(tmp_path / "data"))
  path.unlink()
  with pytest.raises(UserError, match="cannot be written"):
    sort_masks(write(tmp_path, test=[SMALL]), str(path) + "/x")


def test_masks_that_are_there_twice_are_refused(tmp_path):
  manual = write(tmp_path, test=[SMALL])
  shutil.unpack_archive(tmp_path / "test_mask.zip", tmp_path)
  with pytest.raises(UserError, match="a second mask '00000', beside .* leave"):
    sort_masks(manual, str(tmp_path / "data"))


def test_masks_sorted_again_replace_those_of_before(tmp_path):
  write(tmp_path / "1", test=[SMALL])
  write(tmp_path / "2", test=[INSIDE])
  for manual in ("1", "2"):
    directory, _ = sort_masks(str(tmp_path / manual), str(tmp_path / "data"))
  assert [p.name for p in directory.rglob("?????")] == ["20-30"]
  assert list((tmp_path / "data").iterdir()) == [directory]


@pytest.mark.parametrize("kind", ["test", "train"])
def test_contrary_polarity_is_refused(tmp_path, kind):
  masks = [255 - SMALL] * 3 if kind == "test" else [SMALL] * 3
  manual = write(tmp_path, **{kind: masks})
  with pytest.raises(UserError, match=f"the {kind} masks look inverted"):
    sort_masks(manual, str(tmp_path / "data"))
  assert not list((tmp_path / "data").glob("*"))


@pytest.mark.parametrize(
  ("ratio", "name"),
  [
    (0.0, "00-01"),
    (0.01, "00-01"),
    (0.0101, "01-10"),
    (0.2, "10-20"),
    (0.6, "50-60"),
    (0.61, "60-100"),
    (1.0, "60-100"),
  ],
)
def test_ranges_hold_their_upper_end(ratio, name):
  assert range_name(ratio) == name


def test_command(tmp_path, capsys):
  flags = ["--manual-dir", write(tmp_path, test=[SMALL])]
  flags += ["--data-dir", str(tmp_path)]
  assert main(["prepare", "irregular_masks", *flags]) == 0
  assert "test/01-10/inside: 1\n" in capsys.readouterr().out
  (empty := tmp_path / "empty").mkdir()
  assert main(["prepare", "irregular_masks", f"--manual-dir={empty}"]) == 2
  assert "no masks there; get NVIDIA" in capsys.readouterr().err
