"""The step compiled from shapes alone: what is printed, what is not read."""

import jax
import numpy as np
import pytest

from configs import sge_net, spl
from sginpaint.cli import train
from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.errors import UserError
from sginpaint.systems import network_shapes
from sginpaint.training import dry_run
from sginpaint.training.plan import plan_training
from tests.training.small import flags


def _narrow(config):
  config.data.image_size = 32
  config.model.generator.update(width=4, blocks=1, residual_blocks=1)
  config.model.discriminator.widths = (4, 4, 4)
  return config.lock()


def _count(tree):
  return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_command_prints_and_writes_nothing(tmp_path, monkeypatch, capsys):
  argv = flags(str(tmp_path / "no_data"), dry_run=True)
  assert train.main(argv) == 0
  lines = capsys.readouterr().out.splitlines()
  assert lines[0].startswith("spl, 32x32, batch 4, float32, ")
  starts = ["parameters", "FLOPs", "memory", "compiled in"]
  assert [line[:12].strip() for line in lines[1:]] == starts
  assert not list(tmp_path.iterdir())


def test_training_without_workdir_is_refused():
  with pytest.raises(UserError, match="--workdir=DIR is missing"):
    train.main(flags("no_data"))


def test_plan_has_the_batch_of_the_pipeline():
  plan = plan_training(_narrow(spl.get_config("quick")))
  batch = plan.batch
  assert (batch.image.shape, batch.image.dtype) == ((4, 32, 32, 3), np.uint8)
  assert batch.segmentation.shape == (4, 32, 32)
  assert batch.teacher_features.shape == (4, 8, 8, 32)
  assert batch.mask is None  # the step draws it


def test_plan_counts_every_player():
  plan = plan_training(_narrow(spl.get_config("quick")))
  shapes = network_shapes(plan.config)
  assert dry_run.count_parameters(plan) == {
    player: _count(variables["params"]) for player, variables in shapes.items()
  }


def test_perceptual_network_that_is_not_there_is_the_published_one():
  config = sge_net.get_config()
  config.objective.perceptual = "no/such/workdir"
  plan = plan_training(config.lock())
  # Of torchvision's vgg16 without its head.
  assert dry_run.count_parameters(plan)["frozen perceptual"] == 14_714_688


def test_unknown_teacher_is_named():
  config = spl.get_config("quick")
  config.teacher.path, config.teacher.mode = "no/such/teacher", "online"
  with pytest.raises(UserError, match="no/such/teacher"):
    plan_training(config.lock())


def test_classes_are_told_where_the_data_is_not_there():
  config = sge_net.get_config("quick,data=celeba_hq").lock()
  with pytest.raises(UserError, match="--config.data.classes=sky"):
    plan_training(config)
  config.data.classes = ("skin", "nose", "hair")
  outputs = plan_training(config).batch
  assert outputs.segmentation.shape == (4, 64, 64)


def test_accumulation_changes_no_count_of_what_is_asked():
  plain, cut = (
    dry_run.compile_plan(plan_training(_config(accumulate)))
    for accumulate in (1, 2)
  )
  assert cut.flops_written == plain.flops_written
  assert cut.flops < plain.flops  # a loop's body counts once
  assert cut.memory["arguments"] == plain.memory["arguments"]
  # Parameters, two moments and their average, float32.
  size = 4 * sum(dry_run.count_parameters(plan_training(_config(1))).values())
  assert plain.memory["arguments"] > 3 * size


def _config(accumulate):
  [file, *overrides] = flags("no_data", accumulate=accumulate)
  fields = split_overrides(overrides)[1]
  return parse_config(file.removeprefix("--config="), fields)
