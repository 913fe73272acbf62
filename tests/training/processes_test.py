"""Two processes of four devices, one of eight, and one device train alike."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from orbax.checkpoint import v1 as ocp

from sginpaint import workdirs
from sginpaint.cli import launch
from tests.training.small import prepare_scenes

STEPS = 20
# A Basic-Net has no batch norm; with momentum the state after one step of SGD
# is that step's gradient.
FIELDS = {
  "data.builder_config": "32",
  "data.image_size": 32,
  "model.generator.width": 4,
  "model.generator.dilations": "2,2",
  "model.discriminator.widths": "4,4,4,4",
  "model.discriminator.scales": 1,
  "batch_size": 8,
  "optimizer.generator.name": "sgd",
  "optimizer.generator.b1": 0.5,
  "optimizer.generator.learning_rate": 1e-3,
  "optimizer.discriminator.name": "sgd",
  "optimizer.discriminator.b1": 0.5,
  "optimizer.discriminator.learning_rate": 1e-3,
  "optimizer.warmup": 0,
  "optimizer.schedule": "constant",
  "log.every": 1,
  "log.images_every": 0,
  "eval.in_loop_count": 4,
  "eval.batch_size": 4,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
  return prepare_scenes(tmp_path_factory.mktemp("scenes"))


def words(data, workdir, **fields):
  options = FIELDS | {"data.path": data} | fields
  return [
    f"--workdir={workdir}",
    "--config=configs/basic_net.py:quick",
    *(f"--config.{name}={value}" for name, value in options.items()),
  ]


def start(folder, index, count, devices, port, flags):
  env = launch.environment(f"127.0.0.1:{port}", index, count, devices=devices)
  if count == 1:
    env = os.environ | {"XLA_FLAGS": env["XLA_FLAGS"]}
  return subprocess.Popen(
    [sys.executable, "-m", "tests.training.member", str(folder), *flags],
    env=env,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def train(data, folder, *, count, devices):
  """Trains in as many processes; the workdir, with what they recorded."""
  flags = words(
    data,
    folder,
    steps=STEPS,
    **{
      "checkpoint.every": STEPS,
      "eval.every": STEPS,
      "checkpoint.best": "hole_psnr",
    },
  )
  port = launch.free_port()
  members = [
    start(folder, i, count, devices, port, flags) for i in range(count)
  ]
  for member in members:
    printed, _ = member.communicate(timeout=600)
    assert member.returncode == 0, printed
  return folder


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
  return {
    (count, devices): train(
      data,
      tmp_path_factory.mktemp(f"run{count}x{devices}"),
      count=count,
      devices=devices,
    )
    for count, devices in ((1, 1), (1, 8), (2, 4))
  }


def state_of(workdir, step):
  path = workdirs.checkpoint_path(str(workdir), step)
  saved = ocp.checkpointables_metadata(path).metadata["state"]
  place = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  abstract = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), saved
  )
  return ocp.load_checkpointables(path, {"state": abstract})["state"]


def leaves(tree, wanted):
  """Arrays of a tree under a name, as one vector."""
  if not isinstance(tree, dict):
    return []
  found = []
  for name in sorted(tree):
    inside = tree[name]
    if name == wanted:
      found += _arrays(inside)
    else:
      found += leaves(inside, wanted)
  return found


def _arrays(tree):
  if isinstance(tree, dict):
    return [x for name in sorted(tree) for x in _arrays(tree[name])]
  return [np.asarray(tree).ravel()]


def distance(found, expected):
  """Relative, L2."""
  a, b = np.concatenate(found), np.concatenate(expected)
  assert np.linalg.norm(b) > 0
  return np.linalg.norm(a - b) / np.linalg.norm(b)


OTHERS = [(1, 8), (2, 4)]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_gradients_of_the_first_step_agree(runs, player, other):
  one, more = (
    leaves(state_of(runs[key], 1)[player], "trace") for key in ((1, 1), other)
  )
  assert distance(more, one) < 1e-5


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_parameters_after_all_steps_agree(runs, player, other):
  one, more = (
    leaves(state_of(runs[key], STEPS)[player], "params")
    for key in ((1, 1), other)
  )
  assert distance(more, one) < 1e-5


@pytest.mark.parametrize("other", OTHERS)
def test_loss_curves_agree(runs, other):
  one, more = curve(runs[1, 1]), curve(runs[other])
  assert one.shape == (STEPS, 2)
  np.testing.assert_allclose(more, one, rtol=1e-4)


def curve(workdir):
  lines = (workdir / "log.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines]
  rows = [row for row in rows if "loss/generator" in row]
  return np.array([[r["step"], r["loss/generator"]] for r in rows])


@pytest.mark.parametrize("other", OTHERS)
def test_all_see_the_same_global_batches_in_the_same_order(runs, other):
  def order(workdir):
    files = sorted(pathlib.Path(workdir).glob("[0-9].json"))
    return sorted(sum((json.loads(f.read_text()) for f in files), []))

  assert len(order(runs[1, 1])) == 8 * STEPS
  assert order(runs[other]) == order(runs[1, 1])


@pytest.mark.parametrize("other", OTHERS)
def test_evaluation_in_the_training_agrees(runs, other):
  def score(workdir):
    line = (workdir / "log.jsonl").read_text().splitlines()[-1]
    return json.loads(line)["validation/hole_psnr"]

  np.testing.assert_allclose(score(runs[other]), score(runs[1, 1]), rtol=1e-4)


def launched(data, workdir, **fields):
  return subprocess.Popen(
    [
      *(sys.executable, "-m", "sginpaint", "launch"),
      *("--processes=2", "--devices=1", "--", "train"),
      *words(data, workdir, **fields),
    ],
    stderr=subprocess.PIPE,
    text=True,
  )


def wait_for_step(process, workdir, step):
  log = pathlib.Path(workdir) / "log.jsonl"
  while not log.exists() or len(log.read_text().splitlines()) < step:
    assert process.poll() is None, process.stderr.read()
    time.sleep(0.05)


def children_of(process):
  path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
  return [int(pid) for pid in path.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_process_ends_all_and_sigterm_saves_the_same_step(
  data, tmp_path
):
  endless = {"steps": 100000, "checkpoint.every": 2}
  process = launched(data, tmp_path, **endless)
  wait_for_step(process, tmp_path, 6)
  os.kill(children_of(process)[1], signal.SIGKILL)
  told = process.communicate(timeout=120)[1]
  assert process.returncode == 1
  assert "process 1 of 2 failed (killed by SIGKILL)" in told
  saved = workdirs.steps(str(tmp_path))[0]
  assert saved >= 2
  resumed = launched(data, tmp_path, **endless)
  wait_for_step(resumed, tmp_path, saved + 6)
  os.kill(children_of(resumed)[1], signal.SIGTERM)
  told = resumed.communicate(timeout=120)[1]
  assert resumed.returncode == 0, told
  assert f"at step {saved}" in told  # resuming
  steps = curve(tmp_path)[:, 0]
  assert workdirs.steps(str(tmp_path))[0] == steps[-1]
