"""Directories prepared by tfds builders, real ones of a few records."""

import json
import pathlib
import pickle
import shutil
import sys

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds

from sginpaint.data.datasets import load_dataset
from sginpaint.data.pipeline import training_batches
from sginpaint.errors import UserError
from tests.data.example_folders import CLASSES_CSV, label, picture


def png(array: np.ndarray) -> bytes:
  if array.ndim == 3:
    array = cv2.cvtColor(
      array, cv2.COLOR_RGBA2BGRA if array.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    )
  return cv2.imencode(".png", array)[1].tobytes()


def rgba(seed: int) -> np.ndarray:
  return np.dstack([picture(seed), picture(seed)[..., 0]])


def prepare(data_dir, features, examples, *, metadata=None) -> str:
  """Prepares a builder of `features` with {"train": [record, ...], ...}."""

  class Pictures(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version("1.0.0")
    code_path = None

    def _info(self):
      return tfds.core.DatasetInfo(
        builder=self,
        disable_shuffling=True,
        features=tfds.features.FeaturesDict(features),
        metadata=tfds.core.MetadataDict(metadata or {}),
      )

    def _split_generators(self, dl_manager):
      return {s: enumerate(records) for s, records in examples.items()}

    def _generate_examples(self):
      raise NotImplementedError

  builder = Pictures(data_dir=str(data_dir))
  builder.download_and_prepare(file_format="array_record")
  return str(builder.data_dir)


IMAGE = tfds.features.Image(shape=(None, None, 3), encoding_format="png")
LABELS = tfds.features.Image(shape=(None, None, 1), encoding_format="png")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  """RGBA pictures, labels described by a classes.csv, attributes, ids."""
  path = prepare(
    tmp_path_factory.mktemp("tfds"),
    {
      "image": IMAGE,
      "label_map": LABELS,
      "attributes": tfds.features.FeaturesDict({"z": np.bool_, "a": np.bool_}),
      "id": tfds.features.Text(),
    },
    {
      split: [
        {
          "image": png(rgba(i)),
          "label_map": png(label(i)),
          "attributes": {"z": True, "a": i % 2 == 1},
          "id": f"n{i}",
        }
        for i in range(count)
      ]
      for split, count in (("train", 6), ("validation", 2))
    },
  )
  with open(f"{path}/classes.csv", "w") as file:
    file.write(CLASSES_CSV)
  return path


def load(path):
  return load_dataset(name="tfds", path=str(path))


def test_examples(directory):
  dataset = load(directory)
  split = dataset.split("train")
  assert list(split.ids) == [f"n{i}" for i in range(6)]
  assert dataset.attributes == ("a", "z")
  example = split[3]
  np.testing.assert_array_equal(example["image"], picture(3))
  values = label(3)
  expected = np.select([values == v for v in (0, 1, 2)], [0, 1, 2], 255)
  np.testing.assert_array_equal(example["segmentation"], expected)
  np.testing.assert_array_equal(example["attributes"], np.float32([1, 1]))
  assert len(dataset.split("val")) == 2


def test_pickles_and_feeds(directory):
  split = pickle.loads(pickle.dumps(load(directory).split("train")))
  with training_batches(split, batch_size=6, seed=0, image_size=8) as batches:
    batch = next(batches)
  assert batch.image.shape == (6, 8, 8, 3)
  assert sorted(batch.index) == list(range(6))
  assert "tensorflow" not in sys.modules


def test_fingerprint_is_of_the_records(tmp_path):
  def prepared(name, **records):
    examples = {
      split: [{"image": i} for i in seq] for split, seq in records.items()
    }
    return load(prepare(tmp_path / name, {"image": IMAGE}, examples))

  a, b, c = (png(picture(i)) for i in range(3))
  first = prepared("first", train=[a, b], validation=[a, b])
  train, val = (first.split(s).fingerprint for s in ("train", "validation"))
  assert train != val
  # Files of ArrayRecord differ from one writing to the next.
  assert prepared("again", train=[a, b], validation=[a, b]).fingerprint == (
    first.fingerprint
  )
  changed = prepared("changed", train=[a, c], validation=[a, b])
  assert changed.split("train").fingerprint != train
  assert changed.split("validation").fingerprint == val
  assert prepared("turned", train=[b, a]).split("train").fingerprint != train


def test_names_out_of_the_metadata(tmp_path):
  path = prepare(
    tmp_path,
    {
      "image": IMAGE,
      "segmentation": LABELS,
      "attributes": tfds.features.Tensor(shape=(2,), dtype=np.uint8),
    },
    {
      "train": [
        {
          "image": png(picture(0)),
          "segmentation": png(np.eye(4, dtype=np.uint8)),
          "attributes": np.array([0, 1], np.uint8),
        }
      ]
    },
    metadata={
      "classes": ["sky", "tree"],
      "colors": [[1, 2, 3], [4, 5, 6]],
      "attributes": ["day", "rain"],
    },
  )
  dataset = load(path)
  assert [(c.name, c.colour) for c in dataset.classes] == [
    ("sky", (1, 2, 3)),
    ("tree", (4, 5, 6)),
  ]
  assert dataset.attributes == ("day", "rain")
  split = dataset.split("train")
  assert split.ids == ("train/0000000",)
  np.testing.assert_array_equal(split[0]["segmentation"], np.eye(4))


def test_undescribed_labels_are_refused(directory, tmp_path):
  path = shutil.copytree(directory, tmp_path / "copy")
  (path / "classes.csv").unlink()
  with pytest.raises(UserError, match=r"classes.csv: not there"):
    load(path)
  (path / "classes.csv").write_text("value,name\n0,sky\n1,left_eye\n")
  split = load(path).split("train")
  with pytest.raises(UserError, match=r"the value \d of record 0 of train"):
    split[0]


def test_no_prepared_directory(tmp_path):
  with pytest.raises(UserError, match="no dataset_info.json"):
    load(tmp_path)


def stock(data_dir, name, features, record, **split) -> str:
  """As tfds's own builder `name` writes it; `split` counts the copies."""
  examples = {
    s: [record] * count for s, count in (split or {"train": 1}).items()
  }
  path = prepare(data_dir, features, examples)
  file = pathlib.Path(path) / "dataset_info.json"
  info = json.loads(file.read_text()) | {"name": name}
  file.write_text(json.dumps(info))
  for shard in file.parent.glob("pictures-*"):
    shard.rename(shard.with_name(shard.name.replace("pictures", name, 1)))
  return path


def test_stock_places365_small(tmp_path):
  features = {
    "image": tfds.features.Image(shape=(12, 16, 3)),
    "label": tfds.features.ClassLabel(num_classes=365),
    "filename": tfds.features.Text(),
  }
  record = {"image": png(picture(1)), "label": 3, "filename": "val_256/a.jpg"}
  dataset = load(stock(tmp_path, "places365_small", features, record))
  split = dataset.split("train")
  assert split.ids == ("val_256/a.jpg",) and not dataset.classes
  np.testing.assert_array_equal(split[0]["image"], picture(1))


def test_stock_celeb_a(tmp_path):
  features = {
    "image": tfds.features.Image(shape=(12, 16, 3), encoding_format="jpeg"),
    "landmarks": {"lefteye_x": np.int64, "nose_y": np.int64},
    "attributes": {"Young": np.bool_, "Bald": np.bool_, "Male": np.bool_},
    "identity": {"Identity_No": np.int64},
  }
  record = {
    "image": png(picture(1)),
    "landmarks": {"lefteye_x": 1, "nose_y": 2},
    "attributes": {"Young": True, "Bald": False, "Male": True},
    "identity": {"Identity_No": 7},
  }
  path = stock(tmp_path, "celeb_a", features, record, train=2, test=1)
  dataset = load(path)
  assert dataset.attributes == ("Bald", "Male", "Young")
  np.testing.assert_array_equal(
    dataset.split("test")[0]["attributes"], [0, 1, 1]
  )
  kept = load_dataset(name="celeba", path=path, attributes=("Young", "Bald"))
  assert kept.attributes == ("Young", "Bald")
  np.testing.assert_array_equal(kept.split("train")[1]["attributes"], [1, 0])


def test_stock_celeb_a_hq(tmp_path):
  features = {
    "image": tfds.features.Image(shape=(12, 16, 3), encoding_format="png"),
    "image/filename": tfds.features.Text(),
  }
  record = {"image": png(picture(4)), "image/filename": "imgHQ00004.npy"}
  split = load(stock(tmp_path, "celeb_a_hq", features, record)).split("train")
  assert split.ids == ("imgHQ00004.npy",)
  np.testing.assert_array_equal(split[0]["image"], picture(4))


def test_stock_cityscapes(tmp_path):
  features = {
    "image_id": tfds.features.Text(),
    "image_left": tfds.features.Image(shape=(12, 16, 3), encoding_format="png"),
    "segmentation_label": tfds.features.Image(
      shape=(12, 16, 1), encoding_format="png", use_colormap=True
    ),
  }
  ids = np.resize(np.array([0, 7, 33, 26, 4], np.uint8), (12, 16))
  record = {
    "image_id": "aachen_000000_000019",
    "image_left": png(picture(2)),
    "segmentation_label": png(ids),
  }
  dataset = load(stock(tmp_path, "cityscapes", features, record))
  assert [c.name for c in dataset.classes][::19] == ["road", "rest"]
  example = dataset.split("train")[0]
  np.testing.assert_array_equal(example["image"], picture(2))
  want = np.resize([19, 0, 18, 13, 19], (12, 16))
  np.testing.assert_array_equal(example["segmentation"], want)
