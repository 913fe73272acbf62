import numpy as np
import pytest

from configs import common
from sginpaint.data.folder import load_folder
from sginpaint.data.relabelled import relabel
from sginpaint.errors import UserError
from sginpaint.training import setup
from tests.data.example_folders import label, make_folder, save

# Not the order of the folder's own file: sky 0, left_eye 1, right_eye 2.
CLASSES = "value,name\n7,right_eye\n3,sky\n200,void\n"
INDEX = {7: 2, 3: 0, 200: 255, 255: 255}


@pytest.fixture
def folder(tmp_path):
  return make_folder(tmp_path / "set")


@pytest.fixture
def labels(tmp_path):
  """Predicted labels of the eight training pictures."""
  root = tmp_path / "auto"
  for i in range(8):
    rng = np.random.default_rng(i)
    values = rng.choice(np.array([7, 3, 200, 255], np.uint8), (12, 16))
    save(root / f"p{i:02d}.png", values)
  (root / "classes.csv").write_text(CLASSES)
  return root


def test_labels_of_the_split_are_the_given_ones_by_name(folder, labels):
  own = load_folder(str(folder))
  new = relabel(own, "train", str(labels))
  assert new.classes == own.classes
  for i, name in enumerate(new.split("train").ids):
    rng = np.random.default_rng(int(name[1:]))
    values = rng.choice([7, 3, 200, 255], (12, 16))
    example = new.split("train")[i]
    expected = np.vectorize(INDEX.get)(values)
    np.testing.assert_array_equal(example["segmentation"], expected)
    np.testing.assert_array_equal(
      example["image"], own.split("train")[i]["image"]
    )


def test_other_splits_and_what_is_bound_to_pictures_stay(folder, labels):
  own = load_folder(str(folder))
  new = relabel(own, "train", str(labels))
  assert new.split("train").fingerprint == own.split("train").fingerprint
  np.testing.assert_array_equal(
    new.split("val")[0]["segmentation"], own.split("val")[0]["segmentation"]
  )


def test_a_set_without_labels_takes_the_given_classes(tmp_path, labels):
  plain = load_folder(str(make_folder(tmp_path / "plain", labels=False)))
  new = relabel(plain, "train", str(labels))
  assert [info.name for info in new.classes] == ["right_eye", "sky"]
  assert set(np.unique(new.split("train")[0]["segmentation"])) == {0, 1, 255}
  assert "segmentation" not in new.split("val")[0]


def _of_another_size(labels):
  save(labels / "p00.png", label(0)[:-1])


def _with_a_strange_number(labels):
  save(labels / "p00.png", np.full((12, 16), 9, np.uint8))


def _in_colours(labels):
  save(labels / "p00.png", np.zeros((12, 16, 3), np.uint8))


def _without_classes(labels):
  (labels / "classes.csv").unlink()


def _with_an_unknown_class(labels):
  (labels / "classes.csv").write_text("value,name\n0,lamp\n")


@pytest.mark.parametrize(
  ("spoil", "message"),
  [
    (_of_another_size, r"p00\.png: 16x11, but the picture is 16x12"),
    (_with_a_strange_number, r"p00\.png: holds a number that .*classes\.csv"),
    (_in_colours, r"p00\.png: a label map of mode RGB"),
    (_without_classes, r"config\.data\.labels=.*no classes\.csv"),
    (_with_an_unknown_class, r"labels=.*'lamp' is not one of the data set"),
  ],
)
def test_what_does_not_fit_is_named(folder, labels, spoil, message):
  spoil(labels)
  with pytest.raises(UserError, match=message):
    relabel(load_folder(str(folder)), "train", str(labels)).split("train")[0]


def test_pictures_without_a_given_map_keep_their_own(folder, labels, caplog):
  (labels / "p03.png").unlink()
  own = load_folder(str(folder)).split("train")
  new = relabel(load_folder(str(folder)), "train", str(labels)).split("train")
  place = own.ids.index("p03")
  np.testing.assert_array_equal(
    new[place]["segmentation"], own[place]["segmentation"]
  )
  assert "for 7 of 8 pictures; the others keep their labels" in caplog.text


def test_pictures_without_any_label_are_told(tmp_path, folder, labels):
  plain = load_folder(str(make_folder(tmp_path / "plain", labels=False)))
  (labels / "p00.png").unlink()
  with pytest.raises(UserError, match="1 of 8 pictures have no label.*p00"):
    relabel(plain, "train", str(labels))
  for file in labels.glob("*.png"):
    file.unlink()
  with pytest.raises(UserError, match="8 of 8 pictures have no label"):
    relabel(load_folder(str(folder)), "train", str(labels))


def test_training_takes_the_given_labels(tmp_path, labels):
  config = common.get_config()
  config.data.name = "folder"
  config.data.path = str(make_folder(tmp_path / "plain", labels=False))
  config.data.labels = str(labels)
  train = setup.load_data(config).split("train")
  assert train.labelled
  assert [info["name"] for info in config.data.classes] == ["right_eye", "sky"]
