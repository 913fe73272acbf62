"""Every builder on a tiny archive, shaped as the published one."""

import numpy as np
import pytest

from sginpaint.batch import IGNORE
from sginpaint.data.builders.building import build
from sginpaint.data.builders.catalogue import SETS
from sginpaint.data.builders.celeba import BOOSTED_GAN_18
from sginpaint.data.builders.scenes import ATTRIBUTES, OBJECTS, SCENES
from sginpaint.data.datasets import load_dataset
from sginpaint.data.images import decode_rgb
from sginpaint.errors import UserError
from tests.data.builders import published
from tests.data.builders.published import jpg, pixels, png


@pytest.fixture
def made(tmp_path):
  """Builds a set of its tiny archives: made(name) -> Dataset."""

  def build_and_load(name, *, archives=None, **options):
    (tmp_path / "manual").mkdir(exist_ok=True)
    getattr(published, archives or name)(tmp_path / "manual")
    built = build(
      SETS[name],
      str(tmp_path / "manual"),
      str(tmp_path / "data"),
      workers=1,
      **options,
    )
    assert not built.left_out and not (built.directory / "building").exists()
    return load_dataset(name=name, path=str(built.directory))

  return build_and_load


def ids(dataset):
  return {name: list(split.ids) for name, split in dataset.splits.items()}


def test_celeba(made):
  dataset = made("celeba")
  assert ids(dataset) == {
    "test": ["182638"],
    "train": ["000001", "000002"],
    "validation": ["162771"],
  }
  assert dataset.attributes == published.CELEBA_NAMES and not dataset.classes
  example = dataset.split("train")[0]
  np.testing.assert_array_equal(
    example["image"], decode_rgb(jpg(1, height=22, width=18))
  )
  np.testing.assert_array_equal(example["attributes"], [1, 0, 1])


def test_celeba_hq(made):
  dataset = made("celeba_hq", size=8)
  assert ids(dataset) == {
    "test": ["00002"],
    "train": ["00000"],
    "validation": ["00001"],
  }
  assert len(dataset.classes) == 19
  names = [c.name for c in dataset.classes]
  mirrors = {c.name: c.mirror for c in dataset.classes if c.mirror}
  assert mirrors["l_eye"] == "r_eye" and mirrors["r_ear"] == "l_ear"
  assert "l_lip" not in mirrors  # the lower one
  example = dataset.split("train")[0]
  assert example["image"].shape == (8, 8, 3)  # 16 brought down to 8
  want = np.zeros((8, 8), int)
  want[2:] = names.index("skin")
  want[3, 3] = names.index("l_eye")
  want[:4, :2] = names.index("hair")  # merged last of the three
  np.testing.assert_array_equal(example["segmentation"], want)
  np.testing.assert_array_equal(example["attributes"], [0, 1, 1])


def test_ffhq(made):
  dataset = made("ffhq")
  assert ids(dataset) == {
    "test": ["60000", "69999"],
    "train": ["00000", "59999"],
  }
  np.testing.assert_array_equal(
    dataset.split("test")[1]["image"], pixels(4, 16, 16)
  )
  assert not dataset.classes and not dataset.attributes


def test_cityscapes(made):
  dataset = made("cityscapes")
  assert ids(dataset) == {
    "test": ["aachen_000001_000019"],
    "train": ["aachen_000000_000019", "aachen_000002_000019"],
  }
  assert [c.name for c in dataset.classes][-2:] == ["bicycle", "rest"]
  train = dataset.split("train")
  assert train.examples.labelled.tolist() == [True, False]
  # ids 0 (unlabelled), 7 road, 33 bicycle, 26 car, 4 static, -1 plate
  want = np.resize([19, 0, 18, 13, 19, 255], (12, 16))
  want[want == 255] = 19
  np.testing.assert_array_equal(train[0]["segmentation"], want)
  assert (train[1]["segmentation"] == IGNORE).all()


def test_outdoor_scenes(made):
  dataset = made("outdoor_scenes")
  assert ids(dataset) == {
    "test": ["OST300_001", "OST300_000"],  # the labelled one first
    "train": ["OutdoorSeg_001", "OutdoorSeg_000"],
  }
  assert len(dataset.classes) == 8
  test = dataset.split("test")
  assert test.examples.labelled.tolist() == [True, False]
  want = np.resize([0, 7, IGNORE, IGNORE], (12, 16))
  np.testing.assert_array_equal(test[0]["segmentation"], want)


def test_outdoor_scenes_by_category_and_without_labels(tmp_path, caplog):
  manual = tmp_path / "manual"
  published.write_folder(
    manual / "OutdoorSceneTrain_v2",
    {"sky/1.png": png(1), "water/1.png": png(2)},
  )
  published.write_zip(manual / "OST300_img.zip", {"OST_001.png": png(3)})
  built = build(SETS["outdoor_scenes"], str(manual), str(tmp_path), workers=1)
  assert "2 pictures in train, published are 10324" in caplog.text
  dataset = load_dataset(name="tfds", path=str(built.directory))
  assert ids(dataset) == {"test": ["OST_001"], "train": ["sky/1", "water/1"]}
  assert not dataset.classes


def test_paris_streetview(made):
  dataset = made("paris_streetview")
  assert ids(dataset) == {
    "test": ["001_im"],
    "train": ["48.8_0_90", "48.8_1_90"],
  }


def test_helen(made):
  dataset = made("helen")
  assert ids(dataset) == {
    "test": ["300_1"],
    "train": ["100_1"],
    "validation": ["200_2"],
  }
  mirrors = [c.mirror for c in dataset.classes]
  assert mirrors[2:6] == [
    "right_eyebrow", "left_eyebrow", "right_eye", "left_eye",
  ]  # fmt: skip
  rows = dataset.split("val")[0]["segmentation"]
  want = np.repeat([*range(11), 10], 16).reshape(12, 16)
  np.testing.assert_array_equal(rows, want)


def test_ade20k(made):
  dataset = made("ade20k")
  assert ids(dataset) == {
    "test": ["ADE_val_00000001"],
    "train": ["ADE_train_00000001"],
  }
  assert len(dataset.classes) == 150
  assert dataset.classes[16].name == "thing 17"
  train = dataset.split("train")[0]
  want = np.zeros((12, 16), int)
  want[0, 0], want[1, :4] = 16, IGNORE
  np.testing.assert_array_equal(train["segmentation"], want)
  known = dict(zip(dataset.attributes, train["attributes"], strict=True))
  held = {name for name, value in known.items() if value == 1}
  # One pixel of 192 is 0.52 %, just enough for a mountain.
  assert held == {"scene:church/outdoor", "object:wall", "object:mountain"}
  assert not np.isnan(train["attributes"]).any()
  other = dataset.split("test")[0]["attributes"]
  assert other[: len(SCENES)].sum() == 0


def test_sun_attributes(made):
  dataset = made("sun_attributes")
  found = ids(dataset)
  assert sorted(sum(found.values(), [])) == [
    "a/abbey/sun_f0",
    "c/church/outdoor/sun_a",
  ]
  assert dataset.attributes[len(SCENES) :] == ("sailing", "dirty")
  (split,) = [
    s for s, names in found.items() if "c/church/outdoor/sun_a" in names
  ]
  position = found[split].index("c/church/outdoor/sun_a")
  values = dataset.split(split)[position]["attributes"]
  np.testing.assert_allclose(values[-2:], [0, 1 / 3], rtol=1e-6)
  assert values[SCENES.index("church/outdoor")] == values[:20].sum() == 1


@pytest.mark.parametrize("archives", ["places2", "places2_easy"])
def test_places2(made, archives):
  dataset = made("places2", archives=archives)
  church = "church-outdoor" if "easy" in archives else "church/outdoor"
  found = ids(dataset)
  assert found["train"] == ["abbey/00000001", f"{church}/00000001"]
  assert found["test"][0] == "Places365_val_00000001"
  assert dataset.attributes == ATTRIBUTES
  for split, index in (("train", 1), ("test", 0)):
    values = dataset.split(split)[index]["attributes"]
    assert values[SCENES.index("church/outdoor")] == values[:20].sum() == 1
    assert np.isnan(values[20:]).all() and len(values) == 20 + len(OBJECTS)


def test_places2_of_the_twenty_scenes(made, tmp_path):
  assert ids(made("places2_20", archives="places2")) == {
    "test": ["Places365_val_00000001"],
    "train": ["church/outdoor/00000001"],
  }
  manual = tmp_path / "manual"
  (manual / "filelist_places365-standard.tar").unlink()
  with pytest.raises(UserError, match=r"put filelist_places365-standard\.tar"):
    build(SETS["places2_20"], str(manual), str(tmp_path / "other"), workers=1)


def test_lists_of_the_boosted_gan_have_the_published_sizes():
  assert len(set(BOOSTED_GAN_18)) == 18
  assert (len(set(SCENES)), len(set(OBJECTS)), len(set(ATTRIBUTES))) == (
    20, 40, 60,
  )  # fmt: skip
