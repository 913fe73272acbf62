"""What several processes run together, and what is read of their workdirs.

Trainings, evaluations and stores of features as small as they get, for
`processes_test`; `member` is what each process is.
"""

import contextlib
import json
import os
import subprocess
import sys
import time

import jax
import numpy as np
from orbax.checkpoint import v1 as ocp

from sginpaint import workdirs
from sginpaint.cli import launch
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


def wait_until(condition, process):
  """Waits as long as the process lives."""
  while not condition():
    assert process.poll() is None, process.communicate()
    time.sleep(0.05)


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


def curve(workdir):
  lines = (workdir / "log.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines if line.endswith("}")]
  rows = [row for row in rows if "loss/generator" in row]
  found = [[r["step"], r["loss/generator"]] for r in rows]
  return np.array(found).reshape(-1, 2)


def last_step(workdir):
  return max(curve(workdir)[:, 0], default=0)


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
