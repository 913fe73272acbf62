"""Networks of losses: missed in time, copied once, not needed to serve."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import boosted_gan_attributes, common, espa_stage2, sge_net
from sginpaint import checkpoints
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError
from sginpaint.training.frozen import (
  adopt_frozen,
  adopt_names,
  check_frozen,
)


def config_with(path):
  config = sge_net.get_config("quick")
  config.objective.perceptual = str(path)
  return config


def save_network(folder, seed=0):
  config = common.get_config()
  config.system = "backbone"
  fields = {"layers": (1, 2, 3, 3), "widths": (2, 3, 2, 2)}
  config.model.generator = {"name": "vgg", **fields}
  variables = VGG(**fields).init(
    jax.random.key(seed), jnp.zeros((1, 16, 16, 3))
  )
  checkpoints.save_generator(str(folder), config, 0, variables)
  return variables


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_missing_network_tells_what_to_fetch_or_train(tmp_path, path):
  with pytest.raises(UserError) as error:
    check_frozen(config_with(path), str(tmp_path))
  message = str(error.value)
  assert message.startswith("config.objective.perceptual")
  for part in (
    "configs/classifier_vgg.py",
    "vgg16-397923af.pth from github.com/pytorch/vision",
    "write none",
  ):
    assert part in message


def test_network_is_copied_once(tmp_path):
  source, workdir = tmp_path / "vgg", tmp_path / "run"
  variables = save_network(source)
  config = config_with(source)
  check_frozen(config, str(workdir))
  for _ in range(2):
    modules, values = adopt_frozen(str(workdir), config)
    assert isinstance(modules["perceptual"], VGG)
    np.testing.assert_array_equal(
      values["perceptual"]["params"]["conv1_1"]["kernel"],
      variables["params"]["conv1_1"]["kernel"],
    )
    begin(workdir)
    shutil.rmtree(source, ignore_errors=True)
  check_frozen(config, str(workdir))


def begin(workdir):
  """As if there was a checkpoint."""
  (workdir / "checkpoints" / "1").mkdir(parents=True, exist_ok=True)


def test_network_left_over_from_before_the_first_checkpoint_is_replaced(
  tmp_path,
):
  workdir = tmp_path / "run"
  for seed in (0, 1):
    wanted = save_network(tmp_path / f"vgg{seed}", seed)
    _, values = adopt_frozen(str(workdir), config_with(tmp_path / f"vgg{seed}"))
    np.testing.assert_array_equal(
      values["perceptual"]["params"]["conv1_1"]["kernel"],
      wanted["params"]["conv1_1"]["kernel"],
    )
  adopt_frozen(str(workdir), config_with("none"))
  assert not (workdir / "frozen").exists()


def test_none_is_nothing_and_other_words_are_refused(tmp_path):
  assert adopt_frozen(str(tmp_path), config_with("none")) == ({}, {})
  check_frozen(config_with("random:0"), str(tmp_path))
  for refuse in (
    lambda config: adopt_frozen(str(tmp_path), config),
    lambda config: check_frozen(config, str(tmp_path)),
  ):
    with pytest.raises(UserError, match="perceptual=random:x"):
      refuse(config_with("random:x"))
  config = espa_stage2.get_config("quick")
  config.objective.segmenter = "random:0"
  with pytest.raises(UserError, match="segmenter=random:0: write none or"):
    check_frozen(config, str(tmp_path))


def segmenter_in(folder, *names):
  config = common.get_config()
  config.system = "segmenter"
  config.data.classes = tuple({"name": name} for name in names)
  config.model.generator = {"name": "bisenet", "width": 2}
  checkpoints.save_generator(str(folder), config, 0, {"params": {}})
  return str(folder)


def test_segmenter_must_know_the_classes_of_the_data(tmp_path, caplog):
  config = espa_stage2.get_config("quick")
  config.data.classes = ({"name": "sky"}, {"name": "sea"})
  config.objective.segmenter = segmenter_in(tmp_path / "a", "sky", "sea")
  check_frozen(config, str(tmp_path))
  assert "trained on pictures of 256 pixels" in caplog.text
  config.objective.segmenter = segmenter_in(tmp_path / "b", "sea", "sky")
  with pytest.raises(UserError, match="sea, sky; the data has sky, sea"):
    check_frozen(config, str(tmp_path))
  config.objective.segmenter = "runs/segmenter"
  with pytest.raises(
    UserError, match=r"configs/segmenter\.py on the same data"
  ):
    check_frozen(config, str(tmp_path))


def test_a_network_must_say_what_it_is_asked(tmp_path):
  config = espa_stage2.get_config("quick")
  config.data.classes = ({"name": "sky"}, {"name": "sea"})
  segmenter = segmenter_in(tmp_path / "segmenter", "sky", "sea")
  config.objective.segmenter = config.objective.perceptual = segmenter
  with pytest.raises(UserError, match=r"perceptual=.* not give relu1_1, relu"):
    check_frozen(config, str(tmp_path))
  config.objective.perceptual = "none"
  own = config.copy_and_resolve_references()
  checkpoints.save_generator(str(tmp_path / "espa"), own, 0, {"params": {}})
  config.objective.segmenter = str(tmp_path / "espa")
  with pytest.raises(UserError, match=r"\(espa\) does not give seg"):
    check_frozen(config, str(tmp_path))


def test_what_to_fetch_is_what_the_loss_asks(tmp_path):
  config = espa_stage2.get_config("quick")
  config.objective.segmenter = "none"
  config.objective.perceptual = "runs/perceptual"
  with pytest.raises(UserError, match="vgg19-"):
    check_frozen(config, str(tmp_path))


def classifier_in(folder, *names):
  config = common.get_config()
  config.system = "classifier"
  config.data.attributes = names
  config.model.generator = {"name": "resnet", "width": 2, "layers": (1,) * 4}
  if not folder.exists():
    checkpoints.save_generator(str(folder), config, 0, {"params": {}})
  return str(folder)


def boosted(tmp_path, *attributes):
  config = boosted_gan_attributes.get_config("quick")
  config.data.attributes = attributes
  config.objective.classifier = classifier_in(tmp_path / "a", "day", "rain")
  return config


def test_classifier_must_know_the_attributes_of_the_data(tmp_path):
  check_frozen(boosted(tmp_path, "day", "rain"), str(tmp_path))
  config = boosted(tmp_path, "rain", "day")
  with pytest.raises(UserError, match="day, rain; the data has rain, day; ch"):
    check_frozen(config, str(tmp_path))
  config.objective.classifier = "runs/gone"
  with pytest.raises(UserError) as error:
    check_frozen(config, str(tmp_path))
  assert "configs/embedding_attributes.py" in str(error.value)
  assert "github" not in str(error.value)


def test_data_without_names_takes_those_of_its_networks(tmp_path):
  config = boosted(tmp_path)
  adopt_names(config)
  assert config.data.attributes == ("day", "rain")
  assert config.data.classes == ()
  known = boosted(tmp_path, "snow")
  adopt_names(known)
  assert known.data.attributes == ("snow",)
  held = tmp_path / "run" / "frozen" / "classifier"
  shutil.copytree(tmp_path / "a", held)
  begin(tmp_path / "run")
  moved = boosted(tmp_path)
  moved.objective.classifier = "runs/gone"
  adopt_names(moved, str(tmp_path / "run"))
  assert moved.data.attributes == ("day", "rain")
