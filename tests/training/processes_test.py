"""Two processes of four devices, one of eight, and one device do the same.

The processes are started once: each pair trains, evaluates, makes features and
goes on with another training, in this order. `processes` says how.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from sginpaint import workdirs
from sginpaint.cli import launch
from sginpaint.data.builders.synthetic_scenes.builder import prepare
from tests.evaluation.processes import save_untrained
from tests.training import member
from tests.training.processes import (
  ENDLESS,
  STEPS,
  THREADS,
  commands,
  curve,
  distance,
  ended,
  endless,
  finish,
  last_step,
  leaves,
  start,
  state_of,
  wait_until,
)

OTHERS = ["eight", "two"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
  """data/, and a teacher/ that was never trained."""
  folder = tmp_path_factory.mktemp("processes")
  counts = {"train": 18, "validation": 4, "test": 10}
  prepare(str(folder / "data"), 32, examples=counts, progress=False)
  narrow = {"model.generator.width": "4"}
  save_untrained(folder / "teacher", "names", folder / "data", **narrow)
  (folder / "endless.py").write_text(ENDLESS)
  return folder


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
