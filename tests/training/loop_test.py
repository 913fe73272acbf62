"""The loop on a real, tiny SPL: resume, signals, divergence, refusals."""

import os
import signal

import numpy as np
import pytest

from sginpaint import checkpoints, workdirs
from sginpaint.cli import train
from sginpaint.errors import UserError
from sginpaint.training.writer import Writer
from tests.training.small import final_sums, flags, losses, prepare_scenes


@pytest.fixture(scope="module")
def data(tmp_path_factory):
  return prepare_scenes(tmp_path_factory.mktemp("scenes"))


def run(data, workdir, **fields):
  options = {"optimizer.schedule": "constant", "checkpoint.every": 2} | fields
  return train.main([f"--workdir={workdir}", *flags(data, **options)])


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
  workdir = tmp_path_factory.mktemp("whole")
  assert run(data, workdir, steps=6) == 0
  return workdir


def test_resumed_equals_uninterrupted(data, whole, tmp_path):
  run(data, tmp_path, steps=4)
  run(data, tmp_path, steps=6)
  assert final_sums(tmp_path) == final_sums(whole)
  np.testing.assert_array_equal(losses(tmp_path), losses(whole))


def test_two_trainings_never_share_a_workdir(data, tmp_path):
  with (
    workdirs.claim(str(tmp_path)),
    pytest.raises(UserError, match="another process trains there"),
  ):
    run(data, tmp_path, steps=2)
  assert not list(tmp_path.iterdir())


def test_damaged_newest_checkpoint_is_noticed(data, whole, tmp_path):
  run(data, tmp_path, steps=4)
  broken = tmp_path / "checkpoints" / "4" / "state" / "manifest.ocdbt"
  broken.write_bytes(broken.read_bytes()[:-1])
  run(data, tmp_path, steps=6)
  assert (tmp_path / "checkpoints" / "4.corrupt").is_dir()
  assert final_sums(tmp_path) == final_sums(whole)


@pytest.mark.parametrize(
  "number, code", [(signal.SIGTERM, 0), (signal.SIGINT, 130)]
)
def test_signal_saves_and_ends(data, tmp_path, monkeypatch, number, code):
  scalars = Writer.scalars

  def interrupt(self, step, values):
    scalars(self, step, values)
    if step == 2:
      os.kill(os.getpid(), number)

  monkeypatch.setattr(Writer, "scalars", interrupt)
  assert run(data, tmp_path, steps=50, **{"checkpoint.every": 100}) == code
  (step,) = workdirs.steps(str(tmp_path))
  assert 2 <= step < 50


def test_divergence_stops_and_keeps_the_last_good_checkpoint(data, tmp_path):
  run(data, tmp_path, steps=2)
  resumed = tmp_path / "config.json"
  text = resumed.read_text()
  resumed.write_text(
    text.replace('"learning_rate": 0.001', '"learning_rate": 1e+30')
  )
  rates = {
    f"optimizer.{player}.learning_rate": 1e30
    for player in ("generator", "discriminator")
  }
  with pytest.raises(FloatingPointError, match=r"between steps \d+ and \d+"):
    run(data, tmp_path, steps=12, **rates)
  step = workdirs.steps(str(tmp_path))[0]
  loaded = checkpoints.load(str(tmp_path), step=step)
  assert all(np.isfinite(x).all() for x in leaves(loaded.variables))


def leaves(tree):
  import jax

  return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def test_other_config_in_the_same_workdir_is_refused(data, whole):
  with pytest.raises(UserError, match="config.model.generator.width=8"):
    run(data, whole, steps=8, **{"model.generator.width": 8})


@pytest.mark.parametrize(
  "fields, message",
  [
    ({"data.test_split": "x", "data.train_split": "tarin"}, "tarin"),
    ({"optimizer.schedule": "slow"}, "config.optimizer.schedule"),
    ({"masks.path": "/nowhere"}, "/nowhere"),
    ({"init_from": "x"}, "init_from"),
    ({"data.image_size": 30}, "config.data.image_size=30"),
    ({"steps": -4}, "config.steps=-4"),
    ({"batch_size": 0}, "config.batch_size=0"),
    ({"system": "splat"}, "config.system=splat: not known"),
  ],
)
def test_bad_settings_are_one_clear_error(data, tmp_path, fields, message):
  with pytest.raises(UserError, match=message):
    run(data, tmp_path / "run", **{"steps": 2} | fields)
  assert not (tmp_path / "run").exists()
