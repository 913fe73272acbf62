"""Networks of losses: missed in time, copied once, not needed to serve."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import common, espa_stage2, sge_net
from sginpaint import checkpoints
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError
from sginpaint.training.frozen import adopt_frozen, check_frozen


def config_with(path):
  config = sge_net.get_config("quick")
  config.objective.perceptual = str(path)
  return config


def save_network(folder):
  config = common.get_config()
  config.system = "backbone"
  fields = {"layers": (1, 1), "widths": (2, 3)}
  config.model.generator = {"name": "vgg", **fields}
  variables = VGG(**fields).init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
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
    shutil.rmtree(source, ignore_errors=True)
  check_frozen(config, str(workdir))


def test_none_is_nothing_and_other_words_are_refused(tmp_path):
  assert adopt_frozen(str(tmp_path), config_with("none")) == ({}, {})
  check_frozen(config_with("random:0"), str(tmp_path))
  with pytest.raises(UserError, match="perceptual=random:x"):
    adopt_frozen(str(tmp_path), config_with("random:x"))


def segmenter_in(folder, *names):
  config = common.get_config()
  config.system = "segmenter"
  config.data.classes = tuple({"name": name} for name in names)
  config.model.generator = {"name": "bisenet", "width": 2}
  checkpoints.save_generator(str(folder), config, 0, {"params": {}})
  return str(folder)


def test_segmenter_must_know_the_classes_of_the_data(tmp_path):
  config = espa_stage2.get_config("quick")
  config.data.classes = ({"name": "sky"}, {"name": "sea"})
  config.objective.segmenter = segmenter_in(tmp_path / "a", "sky", "sea")
  check_frozen(config, str(tmp_path))
  config.objective.segmenter = segmenter_in(tmp_path / "b", "sea", "sky")
  with pytest.raises(UserError, match="sea, sky; the data has sky, sea"):
    check_frozen(config, str(tmp_path))
  config.objective.segmenter = "runs/segmenter"
  with pytest.raises(
    UserError, match=r"configs/segmenter\.py on the same data"
  ):
    check_frozen(config, str(tmp_path))
