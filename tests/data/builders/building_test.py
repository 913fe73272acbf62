"""The engine: same bytes whoever builds and however often it was killed."""

import dataclasses
import errno
import logging
import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from sginpaint.data.builders import building, shards
from sginpaint.data.builders.building import build
from sginpaint.data.builders.data_set import DataSet, Item, Plan, class_table
from sginpaint.data.builders.own_folder import FOLDER
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from tests.data.builders.published import (
  jpg,
  label_png,
  write_folder,
  write_zip,
)
from tests.data.example_folders import make_folder


def plan(manual):
  members = manual.members("pictures")
  labels = {k[-7:-4]: m for k, m in members.items() if "/labels/" in k}
  items = [
    Item(k[-7:-4], "train", m, tuple(filter(None, [labels.get(k[-7:-4])])))
    for k, m in members.items()
    if k.endswith(".jpg")
  ]
  return Plan(items, class_table(("sky", "sea"), ignored={9: "void"}))


TOY = DataSet("toy", "Toys", "a shop", "none", "pictures.zip", plan)


@pytest.fixture
def manual(tmp_path):
  """Six pictures, the last four with labels."""
  files = {f"{i:03d}.jpg": jpg(i) for i in range(6)}
  for i in range(2, 6):
    labels = np.random.default_rng(i).choice([0, 1, 9, 255], (12, 16))
    files[f"labels/{i:03d}.png"] = label_png(labels)
  write_zip(tmp_path / "manual" / "pictures.zip", files)
  return tmp_path / "manual"


@pytest.fixture(autouse=True)
def two_a_shard(monkeypatch):
  monkeypatch.setattr(
    building,
    "split_into_shards",
    lambda n: [range(i, min(i + 2, n)) for i in range(0, n, 2)],
  )


def contents(directory):
  return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


def make(manual, folder, **options):
  return build(TOY, str(manual), str(folder), **{"workers": 1} | options)


def test_labelled_pictures_come_first(manual, tmp_path):
  built = make(manual, tmp_path)
  split = load_dataset(name="tfds", path=str(built.directory)).split("train")
  assert list(split.ids) == ["002", "003", "004", "005", "000", "001"]
  assert split.examples.labelled.tolist() == [True] * 4 + [False] * 2
  assert built.counts == {"train": 6}
  assert set(np.unique(split[0]["segmentation"])) == {0, 1, 255}


def test_several_processes_make_the_same_bytes(manual, tmp_path):
  alone = make(manual, tmp_path / "alone")
  together = make(manual, tmp_path / "together", workers=2)
  assert contents(alone.directory) == contents(together.directory)


def test_a_build_that_stopped_goes_on(manual, tmp_path, monkeypatch):
  whole = contents(make(manual, tmp_path / "whole").directory)
  written = []

  def write_one_and_stop(shard):
    if written:
      raise KeyboardInterrupt
    written.append(shard.file)
    return shards.write_shard(shard)

  monkeypatch.setattr(building, "write_shard", write_one_and_stop)
  with pytest.raises(KeyboardInterrupt):
    make(manual, tmp_path)
  stamp = written[0].stat().st_mtime_ns
  (tmp_path / "toy" / "x.77.part").write_bytes(b"of a killed process")
  monkeypatch.setattr(building, "write_shard", shards.write_shard)
  assert contents(make(manual, tmp_path).directory) == whole
  assert written[0].stat().st_mtime_ns == stamp
  assert make(manual, tmp_path).existed


def test_a_truncated_picture_is_left_out_and_named(manual, tmp_path, caplog):
  write_folder(
    manual / "pictures", {"000.jpg": jpg(0)[:-150], "001.jpg": jpg(1)}
  )
  (manual / "pictures.zip").unlink()
  with caplog.at_level(logging.WARNING):
    built = make(manual, tmp_path)
  ((name, reason),) = built.left_out
  assert name == "000" and "pictures/000.jpg" in reason
  assert built.counts == {"train": 1}
  assert "000" in (built.directory / "left_out.txt").read_text()
  assert "1 pictures are left out" in caplog.text and reason in caplog.text


def test_a_label_out_of_range_is_left_out_and_named(manual, tmp_path):
  labels = np.zeros((12, 16), np.uint8)
  labels[3, 3] = 7
  files = {"000.jpg": jpg(0), "001.jpg": jpg(1)}
  files["labels/001.png"] = label_png(labels)
  write_zip(manual / "pictures.zip", files)
  ((name, reason),) = make(manual, tmp_path).left_out
  assert name == "001" and "value 7, which no class has" in reason


def test_too_many_damaged_pictures_stop_the_build(manual, tmp_path):
  files = {f"{i:03d}.jpg": b"" for i in range(11)} | {"100.jpg": jpg(0)}
  write_zip(manual / "pictures.zip", files)
  with pytest.raises(UserError, match="11 pictures would be left out"):
    make(manual, tmp_path)
  assert not (tmp_path / "toy" / "dataset_info.json").exists()


def damage(file):
  """Breaks the last label map, without changing the size."""
  data = bytearray(file.read_bytes())
  data[data.rfind(b"IHDR")] ^= 1
  file.write_bytes(data)


def test_a_shard_that_reads_back_wrong_is_made_anew(
  manual, tmp_path, monkeypatch
):
  def write_and_damage(shard):
    report = shards.write_shard(shard)
    if shard.file.name.endswith("00001-of-00003"):
      damage(shard.file)
    return report

  monkeypatch.setattr(building, "write_shard", write_and_damage)
  with pytest.raises(UserError, match=r"00001-of-00003: .*same command again"):
    make(manual, tmp_path)
  monkeypatch.setattr(building, "write_shard", shards.write_shard)
  again = contents(make(manual, tmp_path).directory)
  assert again == contents(make(manual, tmp_path / "other").directory)


def test_other_archives_do_not_mix_with_an_unfinished_build(
  manual, tmp_path, monkeypatch
):
  monkeypatch.setattr(building, "describe", lambda *_: 1 / 0)
  with pytest.raises(ZeroDivisionError):
    make(manual, tmp_path)
  with pytest.raises(UserError, match="unfinished build of other archives"):
    make(manual, tmp_path, size=8)


def test_other_label_maps_do_not_mix_with_an_unfinished_build(
  manual, tmp_path, monkeypatch
):
  monkeypatch.setattr(building, "describe", lambda *_: 1 / 0)
  with pytest.raises(ZeroDivisionError):
    make(manual, tmp_path)
  files = {f"{i:03d}.jpg": jpg(i) for i in range(6)}
  blank = label_png(np.zeros((12, 16)))
  files |= {f"labels/{i:03d}.png": blank for i in range(2, 6)}
  write_zip(manual / "pictures.zip", files)
  with pytest.raises(UserError, match="unfinished build of other archives"):
    make(manual, tmp_path)


def test_a_disk_that_is_full_at_the_very_end(manual, tmp_path, monkeypatch):
  write = tfds.folder_dataset.write_metadata

  def write_half(data_dir, **rest):
    write(data_dir=data_dir, **rest)
    (data_dir / "dataset_info.json").write_text("{")
    raise OSError(errno.ENOSPC, "No space left on device")

  monkeypatch.setattr(tfds.folder_dataset, "write_metadata", write_half)
  with pytest.raises(UserError, match="No space left .* command again"):
    make(manual, tmp_path)
  monkeypatch.setattr(tfds.folder_dataset, "write_metadata", write)
  assert not make(manual, tmp_path).existed
  assert make(manual, tmp_path).counts == {"train": 6}


def test_two_pictures_of_one_name(manual, tmp_path):
  write_zip(manual / "pictures.zip", {"a/1.jpg": jpg(0), "b/1.jpg": jpg(1)})
  twice = DataSet(
    "twice", "", "", "", "", lambda m: Plan(
      [Item("1", "train", x) for x in m.members("pictures").values()]
    ),
  )  # fmt: skip
  with pytest.raises(UserError, match="second picture '1'"):
    build(twice, str(manual), str(tmp_path), workers=1)


def test_own_folder_is_the_same_data_set(tmp_path):
  root = make_folder(tmp_path / "own")
  folder = load_dataset(name="folder", path=str(root))
  built = build(FOLDER, str(root), str(tmp_path), workers=1)
  dataset = load_dataset(name="tfds", path=str(built.directory))
  assert dataset.classes == folder.classes
  assert dataset.attributes == folder.attributes
  for name in ("train", "val"):
    ours, theirs = dataset.split(name), folder.split(name)
    assert list(ours.ids) == list(theirs.ids)
    for i in range(len(ours)):
      for field, value in theirs[i].items():
        np.testing.assert_array_equal(ours[i][field], value)


def test_another_process_was_quicker(manual, tmp_path):
  def plan_slowly(manual_dir):
    built.append(make(manual, tmp_path))
    return plan(manual_dir)

  built = []
  late = dataclasses.replace(TOY, plan=plan_slowly)
  again = build(late, str(manual), str(tmp_path), workers=1)
  assert again.existed and again.counts == built[0].counts == {"train": 6}


def test_what_a_killed_run_left_is_removed(manual, tmp_path):
  (make(manual, tmp_path).directory / "building").mkdir()
  assert not (make(manual, tmp_path).directory / "building").exists()


def test_a_full_disk(manual, tmp_path, monkeypatch):
  class FullDisk(shards.ArrayRecordWriter):
    def write(self, _):
      raise RuntimeError("No space left on device")

  monkeypatch.setattr(shards, "ArrayRecordWriter", FullDisk)
  with pytest.raises(UserError, match="toy: No space left .* command again"):
    make(manual, tmp_path)


def test_a_name_that_is_not_utf8(manual, tmp_path):
  (manual / "pictures.zip").unlink()
  write_folder(manual / "pictures", {os.fsdecode(b"\xe9001.jpg"): jpg(0)})
  with pytest.raises(UserError, match="is not UTF-8; rename"):
    make(manual, tmp_path)
