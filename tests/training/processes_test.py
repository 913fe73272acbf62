"""Two processes of four devices, one of eight, and one device do the same.

The processes are started once: each pair trains, evaluates, makes features and
goes on with another training, in this order.
"""

import contextlib
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
from sginpaint.data.builders.synthetic_scenes.builder import prepare
from tests.evaluation import processes
from tests.training import member
from tests.training.small import flags

STEPS = 8
DATA = {"data.builder_config": "32", "data.image_size": 32, "batch_size": 8}
# A Basic-Net has no batch norm; with momentum the state after one step of SGD
# is that step's gradient.
FIELDS = DATA | {
  "model.generator.width": 4,
  "model.generator.dilations": "2,2",
  "model.discriminator.widths": "4,4,4,4",
  "model.discriminator.scales": 1,
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


EVALUATION = (
  "--config.eval.count=10",
  "--config.eval.batch_size=4",
  "--config.eval.baselines=()",
  "--config.eval.panels=1",
  "--masks=irregular",
)
# To be killed any network will do, and this one compiles at once.
ENDLESS = """
from ml_collections import ConfigDict

from configs import embedding_attributes
from tests.systems import guides


def get_config(arg=""):
  config = embedding_attributes.get_config("quick")
  config.model.generator = ConfigDict(guides.NETWORKS["embedding_attributes"])
  config.steps, config.checkpoint.every, config.log.every = 100000, 2, 1
  config.checkpoint.best, config.eval.every = "", 0
  return config
"""
# As many threads of XLA as the most devices: they decide how sums are parted.
THREADS = {"NPROC": "8"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
  """data/, and a teacher/ that was never trained."""
  folder = tmp_path_factory.mktemp("processes")
  counts = {"train": 18, "validation": 4, "test": 10}
  prepare(str(folder / "data"), 32, examples=counts, progress=False)
  narrow = {"model.generator.width": "4"}
  processes.save_untrained(
    folder / "teacher", "names", folder / "data", **narrow
  )
  (folder / "endless.py").write_text(ENDLESS)
  return folder


def train_words(root, workdir, config, **fields):
  options = {"data.path": root / "data"} | fields
  return [
    *("train", f"--workdir={workdir}", f"--config={config}"),
    *(f"--config.{name}={value}" for name, value in options.items()),
  ]


def endless(root):
  return train_words(root, root / "killed", root / "endless.py", **DATA)


def commands(root, name):
  """A training, an evaluation of that of two processes, and features of it."""
  once = {"checkpoint.every": STEPS, "eval.every": STEPS}
  training = train_words(
    *(root, root / name, "configs/basic_net.py:quick"),
    **FIELDS | {"steps": STEPS, "checkpoint.best": "hole_psnr"} | once,
  )
  evaluation = [
    *("evaluate", f"--workdir={root}/two", f"--output={root}/scores_{name}"),
    *EVALUATION,
  ]
  words = flags(
    str(root / "data"),
    **{
      "model.generator.prior_channels": 8,
      "teacher.path": root / "teacher",
      "teacher.features": root / f"features_{name}",
    },
  )
  features = ["precompute", "--config=configs/spl.py:quick", *words[1:]]
  return [training, evaluation, features]


def start(root, index, count, devices, port, told):
  env = launch.environment(f"127.0.0.1:{port}", index, count, devices=devices)
  if count == 1:
    env = os.environ | {"XLA_FLAGS": env["XLA_FLAGS"]}
  (root / f"{count}").mkdir(exist_ok=True)
  words = ["tests.training.member", str(root / f"{count}"), json.dumps(told)]
  return subprocess.Popen(
    [sys.executable, "-m", *words],
    env=env | THREADS,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def finish(members):
  for process in members:
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed


@pytest.fixture(scope="module")
def killed(root):
  """What `launch` says when one of two processes is killed in a training."""
  process = subprocess.Popen(
    [
      *(sys.executable, "-m", "sginpaint", "launch"),
      *("--processes=2", "--devices=4", "--"),
      *endless(root),
    ],
    stderr=subprocess.PIPE,
    text=True,
    env=os.environ | THREADS,
  )
  with ended([process]):
    wait_until(lambda: workdirs.steps(str(root / "killed")), process)
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    os.kill(int(path.read_text().split()[1]), signal.SIGKILL)
    told = process.communicate(timeout=120)[1]
  return process.returncode, told, workdirs.steps(str(root / "killed"))[0]


@pytest.fixture(scope="module")
def runs(root, killed):
  """{name: workdir}; at last the killed training goes on until a SIGTERM."""
  port, saved = launch.free_port(), killed[2]
  told = [*commands(root, "two"), endless(root)]
  pair = [start(root, i, 2, 4, port, told) for i in range(2)]
  with ended(pair):
    wait_until(lambda: last_step(root / "killed") >= saved + 6, pair[0])
    pair[1].send_signal(signal.SIGTERM)
    finish(pair)
  finish([start(root, 0, 1, 8, port, commands(root, "eight"))])
  (root / "0").mkdir()
  assert member.recorded(root / "0", commands(root, "one")[0]) == 0
  return {name: root / name for name in ("one", "eight", "two")}


def wait_until(condition, process):
  """Waits as long as the process lives."""
  while not condition():
    assert process.poll() is None, process.communicate()
    time.sleep(0.05)


def last_step(workdir):
  return max(curve(workdir)[:, 0], default=0)


@contextlib.contextmanager
def ended(processes):
  """None of them outlives the test, also where it fails."""
  try:
    yield
  finally:
    for process in processes:
      process.terminate()  # `launch` hands it on
    for process in processes:
      try:
        process.wait(60)
      except subprocess.TimeoutExpired:
        process.kill()


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


OTHERS = ["eight", "two"]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_gradients_of_the_first_step_agree(runs, player, other):
  one, more = (
    leaves(state_of(runs[key], 1)[player], "trace") for key in ("one", other)
  )
  assert distance(more, one) < 1e-5


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_parameters_after_all_steps_agree(runs, player, other):
  one, more = (
    leaves(state_of(runs[key], STEPS)[player], "params")
    for key in ("one", other)
  )
  assert distance(more, one) < 1e-5


@pytest.mark.parametrize("other", OTHERS)
def test_loss_curves_agree(runs, other):
  one, more = curve(runs["one"]), curve(runs[other])
  assert one.shape == (STEPS, 2)
  np.testing.assert_allclose(more, one, rtol=1e-4)


def curve(workdir):
  lines = (workdir / "log.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines if line.endswith("}")]
  rows = [row for row in rows if "loss/generator" in row]
  found = [[r["step"], r["loss/generator"]] for r in rows]
  return np.array(found).reshape(-1, 2)


def test_all_see_the_same_global_batches_in_the_same_order(runs, root):
  orders = []
  for folder in ("0", "1", "2"):  # one device; one process; two
    files = sorted((root / folder).glob("record_*.json"))
    orders.append(sorted(sum((json.loads(f.read_text()) for f in files), [])))
  assert len(orders[0]) == 8 * STEPS
  assert orders[0] == orders[1] == orders[2]


@pytest.mark.parametrize("other", OTHERS)
def test_evaluation_in_the_training_agrees(runs, other):
  def score(workdir):
    line = (workdir / "log.jsonl").read_text().splitlines()[-1]
    return json.loads(line)["validation/hole_psnr"]

  np.testing.assert_allclose(score(runs[other]), score(runs["one"]), rtol=1e-4)


def test_shared_evaluation_gives_the_same_files(runs, root):
  """Of ten pictures in units of four: three units, on eight devices."""
  for name in ("metrics.json", "per_image.csv", "manifest.jsonl"):
    two, one = (
      (root / f"scores_{way}" / name).read_bytes() for way in ("two", "eight")
    )
    assert two == one
  metrics = json.loads((root / "scores_two" / "metrics.json").read_text())
  assert metrics["count"] == 10
  rows = (root / "scores_two" / "per_image.csv").read_text().splitlines()
  assert [row.split(",")[0] for row in rows[1:]] == list(map(str, range(10)))
  assert not (root / "scores_two" / "partial").exists()


def test_shared_features_are_the_same_bytes(runs, root):
  two, one = (
    {
      str(f.relative_to(root / f"features_{way}")): f.read_bytes()
      for f in (root / f"features_{way}").rglob("*")
      if f.suffix in (".json", ".array_record")
    }
    for way in ("two", "eight")
  )
  assert len([name for name in two if name.endswith("array_record")]) == 5
  assert two == one


def test_killed_process_ends_all_with_one_clear_line(killed):
  code, told, saved = killed
  assert code == 1 and saved >= 2
  assert "process 1 of 2 failed (killed by SIGKILL)" in told


def test_sigterm_saves_the_same_step_everywhere(runs, root, killed):
  steps = curve(root / "killed")[:, 0]
  assert workdirs.steps(str(root / "killed"))[0] == steps[-1]
  # It went on where the killed one had saved.
  assert (np.diff(steps) <= 1).all() and (steps == killed[2] + 1).sum() >= 1
