"""The fields of config.data, and the embedded dataset through them."""

import numpy as np
import pytest

from sginpaint.data.builders.synthetic_scenes.builder import prepare
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from tests.data.example_folders import make_folder


def test_unknown_name():
  with pytest.raises(UserError, match="config.data.name=imagenet: not known"):
    load_dataset(name="imagenet")


@pytest.mark.parametrize("name", ["folder", "tfds"])
def test_path_is_needed(name):
  with pytest.raises(UserError, match=r"config.data.path: empty"):
    load_dataset(name=name)


def test_unknown_split_names_those_that_exist(tmp_path):
  dataset = load_dataset(name="folder", path=str(make_folder(tmp_path)))
  with pytest.raises(UserError, match="no split 'test'; there is train, val"):
    dataset.split("test")
  assert list(dataset.split("validation").ids) == ["p08", "p09"]


def test_empty_split(tmp_path):
  make_folder(tmp_path)
  (tmp_path / "test.txt").write_text("")
  dataset = load_dataset(name="folder", path=str(tmp_path))
  with pytest.raises(UserError, match="split 'test' is empty; there is train"):
    dataset.split("test")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
  path = str(tmp_path_factory.mktemp("scenes"))
  prepare(path, 32, examples={"train": 3, "test": 1}, progress=False)
  return path


class TestSyntheticScenes:
  @pytest.mark.parametrize(
    "options",
    [
      {"image_size": 16},
      {"image_size": 256, "builder_config": "32"},
    ],
  )
  def test_size(self, path, options):
    dataset = load_dataset(name="synthetic_scenes", path=path, **options)
    example = dataset.split("train")[2]
    assert example["image"].shape == (32, 32, 3)
    assert example["segmentation"].shape == (32, 32)
    assert example["segmentation"].max() < len(dataset.classes)
    assert example["attributes"].shape == (len(dataset.attributes),)
    assert set(np.unique(example["attributes"])) <= {0.0, 1.0}

  def test_unknown_size(self, path):
    with pytest.raises(UserError, match="builder_config=48: not known"):
      load_dataset(name="synthetic_scenes", path=path, builder_config="48")
