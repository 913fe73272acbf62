"""What a training needs is missed before its first step, with a way out."""

import contextlib
import dataclasses

import jax.numpy as jnp
import pytest

from configs import common, espa_stage2, segmenter, sge_net, spl
from sginpaint import checkpoints, workdirs
from sginpaint.errors import UserError
from sginpaint.training import setup
from tests.evaluation.toy import UnlabelledExamples, labelled_split


@pytest.mark.parametrize("mode", ["precomputed", "online"])
@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_missing_teacher_tells_what_to_fetch_or_train(tmp_path, mode, path):
  config = spl.get_config("quick")
  config.teacher.path, config.teacher.mode = path, mode
  with pytest.raises(UserError) as error:
    setup.open_teacher(config, None, str(tmp_path))
  message = str(error.value)
  assert message.startswith("config.teacher.path")
  for part in (
    "configs/classifier.py",
    "MS_COCO_TRresNet_L_448_86.6.pth from github.com/Alibaba-MIIL/ASL",
    "python -m sginpaint convert --model=tresnet_l",
  ):
    assert part in message


def test_teacher_that_the_workdir_holds_is_not_missed(tmp_path):
  config = spl.get_config("quick")
  config.teacher.path, config.teacher.mode = "/moved/away", "online"
  (tmp_path / "frozen" / "teacher").mkdir(parents=True)
  with pytest.raises(UserError, match="config.teacher.path"):
    setup.open_teacher(config, None, str(tmp_path))  # left over, perhaps
  (tmp_path / "checkpoints" / "1").mkdir(parents=True)
  assert setup.open_teacher(config, None, str(tmp_path)) is None


@pytest.mark.parametrize("module", [espa_stage2, segmenter, sge_net, spl])
def test_maps_to_learn_from_are_missed(module):
  config = module.get_config("quick")
  split = labelled_split(2)
  config.data.classes = tuple({"name": c.name} for c in split.classes)
  config.data.attributes = ("a",)
  setup.check_system(config, split)
  bare = dataclasses.replace(split, examples=UnlabelledExamples(2))
  asked = "name a folder .* config.data.labels"
  refused = pytest.raises(UserError, match=asked)
  with contextlib.nullcontext() if module is spl else refused:
    setup.check_system(config, bare)


def vgg_in(folder, value):
  config = common.get_config()
  config.system = "backbone"
  config.model.generator = {"name": "vgg", "layers": (1,), "widths": (2,)}
  params = {"conv1_1": {"kernel": jnp.full((3, 3, 3, 2), value)}}
  params["conv1_1"]["bias"] = jnp.zeros(2)
  checkpoints.save_generator(str(folder), config, 0, {"params": params})
  return str(folder)


def test_a_moved_ladder_is_resumed(tmp_path):
  config = espa_stage2.get_config("quick")
  config.objective.perceptual = vgg_in(tmp_path / "old", 1.0)
  workdirs.save_config(str(tmp_path), config)
  (tmp_path / "checkpoints" / "1").mkdir(parents=True)
  vgg_in(tmp_path / "frozen" / "perceptual", 1.0)
  for path in ("/gone", vgg_in(tmp_path / "new", 1.0)):
    config.objective.perceptual = path
    config.init_from["generator/autoencoder"] = "/moved/espa_stage1"
    setup.check_resumable(str(tmp_path), config)
  for path in ("none", "random:0", vgg_in(tmp_path / "other", 2.0)):
    config.objective.perceptual = path
    with pytest.raises(UserError, match="config.objective.perceptual="):
      setup.check_resumable(str(tmp_path), config)
