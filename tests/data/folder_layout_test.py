"""Where pictures may lie, and how they are split."""

import os

import pytest

from sginpaint.data.folder_layout import assign_splits, find_pictures
from sginpaint.errors import UserError


def touch(root, *names):
  for name in names:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()


def split_ids(root):
  pictures = find_pictures(root)
  return {
    split: [pictures[i].id for i in members]
    for split, members in assign_splits(root, pictures).items()
  }


class TestFindPictures:
  def test_images_and_labels_at_any_depth(self, tmp_path):
    touch(tmp_path, "images/a/x.jpg", "images/y.PNG", "images/.z.jpg")
    touch(tmp_path, "images/notes.txt", "labels/a/x.png")
    found = {p.id: (p.image, p.label) for p in find_pictures(tmp_path)}
    assert found == {
      "a/x": ("images/a/x.jpg", "labels/a/x.png"),
      "y": ("images/y.PNG", ""),
    }

  def test_the_folder_itself_without_its_labels(self, tmp_path):
    touch(tmp_path, "x.jpg", "b/y.webp", "labels/x.png")
    found = {p.id: p.label for p in find_pictures(tmp_path)}
    assert found == {"x": "labels/x.png", "b/y": ""}

  def test_a_set_per_split(self, tmp_path):
    touch(tmp_path, "train/images/x.jpg", "train/labels/x.png")
    touch(tmp_path, "val/y.jpg", "val/x.jpg")
    found = [(p.split, p.id, p.label) for p in find_pictures(tmp_path)]
    assert found == [
      ("train", "x", "train/labels/x.png"),
      ("val", "x", ""),
      ("val", "y", ""),
    ]

  def test_a_name_that_is_not_utf8(self, tmp_path):
    touch(tmp_path, "é.jpg", os.fsdecode(b"\xe9.jpg"))
    with pytest.raises(UserError, match="is not UTF-8; rename the file"):
      find_pictures(tmp_path)

  def test_a_folder_that_may_not_be_read(self, tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    scandir = os.scandir

    def refuse(path):
      if str(path).endswith("locked"):
        raise PermissionError(13, "Permission denied", str(path))
      return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match="locked: Permission denied"):
      find_pictures(tmp_path)

  def test_mistakes_are_named(self, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
      find_pictures(tmp_path / "missing")
    with pytest.raises(UserError, match="no pictures"):
      find_pictures(tmp_path)
    touch(tmp_path, "images/x.jpg", "labels/other.png")
    with pytest.raises(UserError, match="no label has the stem"):
      find_pictures(tmp_path)
    touch(tmp_path, "images/x.png")
    with pytest.raises(UserError, match="images/x.* have the same stem"):
      find_pictures(tmp_path)


class TestAssignSplits:
  def test_lists(self, tmp_path):
    touch(tmp_path, *(f"images/d/{c}.jpg" for c in "abcd"))
    (tmp_path / "train.txt").write_text("d/c\n\na.jpg\r\n")
    (tmp_path / "validation.txt").write_text("b")
    assert split_ids(tmp_path) == {
      "train": ["d/a", "d/c"],
      "validation": ["d/b"],
    }

  def test_unknown_stem_is_named(self, tmp_path):
    touch(tmp_path, "images/a.jpg")
    (tmp_path / "test.txt").write_text("a\nq\n")
    with pytest.raises(UserError, match=r"test.txt, line 2: no picture 'q'"):
      split_ids(tmp_path)

  def test_lists_select_within_split_folders(self, tmp_path):
    touch(tmp_path, *(f"train/images/{c}.jpg" for c in "abc"))
    touch(tmp_path, *(f"val/images/{c}.jpg" for c in "cd"), "test/e.jpg")
    (tmp_path / "train.txt").write_text("a\nc")
    (tmp_path / "validation.txt").write_text("d")
    assert split_ids(tmp_path) == {
      "test": ["e"],
      "train": ["a", "c"],
      "validation": ["d"],
    }

  def test_hash_keeps_old_pictures_in_place(self, tmp_path):
    names = [f"{i:04d}" for i in range(2000)]
    touch(tmp_path, *(f"{n}.jpg" for n in names[:1000]))
    before = split_ids(tmp_path)
    touch(tmp_path, *(f"{n}.jpg" for n in names[1000:]))
    after = split_ids(tmp_path)
    assert sorted(sum(after.values(), [])) == names
    for split, share in (("train", 0.9), ("validation", 0.05), ("test", 0.05)):
      assert set(before[split]) == set(after[split]) & set(names[:1000])
      # Three standard deviations of a binomial share of 2000.
      tolerance = 3 * (share * (1 - share) / 2000) ** 0.5
      assert abs(len(after[split]) / 2000 - share) < tolerance
