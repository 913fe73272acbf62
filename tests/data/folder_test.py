"""Folders of a user's own: layouts, labels, defects."""

import logging
import os
import pickle

import numpy as np
import pytest

from sginpaint.data import folder_index
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from tests.data.example_folders import label, make_folder, picture, save


def load(root):
  return load_dataset(name="folder", path=str(root))


class TestExamples:
  def test_pixels_and_class_indices(self, tmp_path):
    split = load(make_folder(tmp_path)).split("train")
    assert list(split.ids) == [f"p{i:02d}" for i in range(8)]
    example = split[3]
    np.testing.assert_array_equal(example["image"], picture(3))
    values = label(3)
    expected = np.select([values == v for v in (0, 1, 2)], [0, 1, 2], 255)
    np.testing.assert_array_equal(example["segmentation"], expected)
    assert example["segmentation"].dtype == np.uint8
    assert [c.name for c in split.classes] == ["sky", "left_eye", "right_eye"]

  def test_pictures_only(self, tmp_path):
    dataset = load(make_folder(tmp_path, labels=False))
    assert dataset.classes == dataset.attributes == ()
    assert dataset.split("train")[0].keys() == {"image"}

  def test_missing_label_is_ignored_throughout(self, tmp_path, caplog):
    make_folder(tmp_path)
    (tmp_path / "labels" / "p00.png").unlink()
    example = load(tmp_path).split("train")[0]
    assert (example["segmentation"] == 255).all()
    assert "1 pictures have no label" in caplog.text

  def test_labels_without_classes_csv(self, tmp_path):
    make_folder(tmp_path)
    (tmp_path / "classes.csv").unlink()
    names = [info.name for info in load(tmp_path).classes]
    assert names == ["class_0", "class_1", "class_2", "class_9"]

  def test_unlisted_value_is_named(self, tmp_path):
    make_folder(tmp_path)
    save(tmp_path / "labels" / "p04.png", np.full((12, 16), 37, np.uint8))
    with pytest.raises(UserError, match=r"p04.png: holds the value 37"):
      load(tmp_path)

  def test_colour_labels_are_refused(self, tmp_path):
    make_folder(tmp_path)
    save(tmp_path / "labels" / "p04.png", picture(4))
    with pytest.raises(UserError, match=r"p04.png: .*mode RGB"):
      load(tmp_path)

  def test_pickles(self, tmp_path):
    split = load(make_folder(tmp_path)).split("train")
    again = pickle.loads(pickle.dumps(split))
    np.testing.assert_array_equal(again[2]["image"], split[2]["image"])
    assert again.fingerprint == split.fingerprint


class TestDefects:
  def test_unreadable_files_are_left_out_and_named(self, tmp_path, caplog):
    make_folder(tmp_path)
    whole = (tmp_path / "images" / "p01.png").read_bytes()
    (tmp_path / "images" / "p01.png").write_bytes(whole[:200])
    (tmp_path / "images" / "p02.png").write_text("text")
    save(tmp_path / "labels" / "p03.png", label(3, 6, 8))
    with caplog.at_level(logging.WARNING):
      split = load(tmp_path).split("train")
    assert list(split.ids) == ["p00", "p04", "p05", "p06", "p07"]
    assert "3 pictures are left out" in caplog.text
    for name in ("p01.png", "p02.png", "p03.png: 8x6 pixels"):
      assert name in caplog.text

  def test_all_unreadable(self, tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(UserError, match="no picture can be used.*a.jpg"):
      load(tmp_path)

  def test_file_that_changes_later_is_an_error(self, tmp_path):
    split = load(make_folder(tmp_path)).split("train")
    save(tmp_path / "images" / "p01.png", picture(77))
    with pytest.raises(UserError, match=r"p01.png: changed"):
      split[1]
    (tmp_path / "images" / "p02.png").unlink()
    with pytest.raises(UserError, match=r"p02.png: cannot be read"):
      split[2]

  def test_file_that_was_only_touched_is_read(self, tmp_path):
    split = load(make_folder(tmp_path)).split("train")
    os.utime(tmp_path / "images" / "p01.png", (1, 1))
    os.utime(tmp_path / "labels" / "p01.png", (1, 1))
    np.testing.assert_array_equal(split[1]["image"], picture(1))

  @pytest.mark.parametrize("folder", ["images", "labels"])
  def test_damage_that_leaves_size_and_time_is_an_error(self, tmp_path, folder):
    split = load(make_folder(tmp_path)).split("train")
    file = tmp_path / folder / "p01.png"
    status = file.stat()
    file.write_bytes(bytes(status.st_size))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(UserError, match=rf"{folder}/p01.png: changed"):
      split[1]

  def test_test_pictures_that_are_trained_on(self, tmp_path, caplog):
    make_folder(tmp_path)
    load(tmp_path)
    assert "also in train" not in caplog.text
    save(tmp_path / "images" / "p09.png", picture(2))
    load(tmp_path)
    assert "1 pictures of val are also in train, such as p09" in caplog.text


class TestIndex:
  def test_second_start_decodes_nothing(self, tmp_path, monkeypatch):
    first = load(make_folder(tmp_path))
    monkeypatch.setattr(folder_index, "decode_rgb", None)
    monkeypatch.setattr(folder_index, "decode_labels", None)
    assert load(tmp_path).fingerprint == first.fingerprint

  def test_only_what_changed_is_scanned(self, tmp_path, monkeypatch):
    load(make_folder(tmp_path))
    save(tmp_path / "images" / "p01.png", picture(77))
    scanned = []
    scan_file = folder_index._scan_file
    monkeypatch.setattr(
      folder_index,
      "_scan_file",
      lambda path, *a, **k: (
        scanned.append(path.name) or scan_file(path, *a, **k)
      ),
    )
    split = load(tmp_path).split("train")
    assert scanned == ["p01.png"]
    np.testing.assert_array_equal(split[1]["image"], picture(77))

  def test_nothing_is_written_to_the_folder(self, tmp_path):
    make_folder(tmp_path)
    before = sorted(os.listdir(tmp_path))
    load(tmp_path)
    assert sorted(os.listdir(tmp_path)) == before


class TestFingerprint:
  def test_touching_and_moving_change_nothing(self, tmp_path):
    dataset = load(make_folder(tmp_path / "a"))
    os.utime(tmp_path / "a" / "images" / "p00.png", (1, 1))
    (tmp_path / "a").rename(tmp_path / "b")
    moved = load(tmp_path / "b")
    assert moved.fingerprint == dataset.fingerprint
    for name in ("train", "val"):
      assert moved.split(name).fingerprint == dataset.split(name).fingerprint

  def test_split_follows_pictures_dataset_follows_labels(self, tmp_path):
    before = load(make_folder(tmp_path))
    save(tmp_path / "labels" / "p00.png", label(50))
    labelled = load(tmp_path)
    assert labelled.fingerprint != before.fingerprint
    train = before.split("train").fingerprint
    assert labelled.split("train").fingerprint == train
    save(tmp_path / "images" / "p00.png", picture(50))
    assert load(tmp_path).split("train").fingerprint != train
    val = before.split("val").fingerprint
    assert load(tmp_path).split("val").fingerprint == val
