"""Processes that are timed in turns: they answer, and hold only their own."""

import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks import workers
from sginpaint.errors import UserError

ROOT = pathlib.Path(workers.__file__).parent.parent
DOUBLES = """
import sys
from benchmarks.workers import open_answers
answers = open_answers()
print("noise")
print("null", file=answers)
for line in sys.stdin:
  print(2 * int(line), file=answers)
"""


def test_answers_are_told_from_noise():
  with workers.started([sys.executable, "-c", DOUBLES], folder=ROOT) as worker:
    assert [worker.ask("3"), worker.ask("-1")] == [6, -2]


def test_a_worker_that_ends_is_told():
  command = [sys.executable, "-c", DOUBLES]
  with (
    workers.started(command, folder=ROOT) as worker,
    pytest.raises(UserError, match="a worker ended"),
  ):
    worker.ask("three")


def test_a_worker_sees_what_it_is_given_and_runs_where_it_is_told(tmp_path):
  script = (
    "import json, os; print('null'); "
    "print(json.dumps([os.environ['WHO'], os.getcwd()]))"
  )
  with workers.started(
    [sys.executable, "-c", script],
    folder=tmp_path,
    environment={"WHO": "me"},
  ) as worker:
    assert worker.answer() == ["me", str(tmp_path.resolve())]


def test_no_side_of_the_comparison_holds_the_libraries_of_the_other():
  script = (
    "import sys; from benchmarks.torch_spl import side; "
    "sys.exit(bool({'jax', 'torch'} & set(sys.modules)))"
  )
  assert (
    subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
  )


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux tells it")
def test_our_side_fills_and_tells_its_memory():
  config = {"size": 32, "width": 8, "batch_size": 1, "dtype": "float32"}
  module = "benchmarks.torch_spl.side"
  command = [sys.executable, "-m", module, json.dumps(config), "ours"]
  with workers.started(command, folder=ROOT) as worker:
    assert worker.ask("inference") is None
    assert worker.ask("run") is None
    peak = worker.ask("peak")
  # Python, JAX and a small network; without what PyTorch would take.
  assert peak["source"] == "resident"
  assert 1e8 < peak["before"] <= peak["bytes"] < 1e9
