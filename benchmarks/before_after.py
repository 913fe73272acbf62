"""Every system's training step in another checkout and in this one, in turns.

  git worktree add ../before COMMIT
  python -m benchmarks.before_after --before=../before

Each side is a process that runs in its checkout, started twice: the first time
compiles, the second finds its programs compiled and is measured.
"""

import argparse
import contextlib
import pathlib
import sys
from typing import Any

import tqdm
from ml_collections import ConfigDict

from benchmarks import command, timing, workers
from sginpaint.errors import UserError

_CONFIGS = (
  *("spl", "spl_paper", "sge_net", "sg_net", "basic_net", "boosted_gan"),
  *("espa_stage1", "espa_stage2", "espa_stage3", "classifier", "segmenter"),
  *("embedding_attributes", "embedding_segmentation"),
)
_TURN_SECONDS = 0.7  # of as many steps as fit
# Answers each number on its input with the seconds that so many steps took.
_WORKER = """
import os, sys, time
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever else is printed
from benchmarks import setups
from sginpaint.cli import devices
from sginpaint.cli.config_files import parse_config

devices.initialise()
training = setups.build_training(parse_config(sys.argv[1], {}))
for _ in range(3):
  training.step()
print(0, file=answers)
for line in sys.stdin:
  begin = time.perf_counter()
  for _ in range(int(line)):
    training.step()
  print(time.perf_counter() - begin, file=answers)
"""


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times both checkouts, config by config."""
  del config
  before = pathlib.Path(options.before)
  if not (before / "benchmarks" / "setups.py").is_file():
    raise UserError(
      f"--before={options.before}: give a checkout of this repository "
      "that has benchmarks/setups.py"
    )
  here = pathlib.Path(__file__).parent.parent
  folders = {"before": before.resolve(), "after": here}
  names = options.configs.split(",")
  return {
    "configs": {
      name: _compare(folders, name, options.repeats)
      for name in tqdm.tqdm(names, unit="config")
    }
  }


def _compare(
  folders: dict[str, pathlib.Path], name: str, repeats: int
) -> dict[str, Any]:
  config = f"configs/{name}.py:quick"
  for folder in folders.values():
    with _started(folder, config):
      pass
  with contextlib.ExitStack() as stack:
    sides = {
      side: stack.enter_context(_started(folder, config))
      for side, folder in folders.items()
    }
    once = min(worker.ask("1") for worker in sides.values())
    steps = max(1, round(_TURN_SECONDS / once))
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(repeats):
      for side, worker in sides.items():
        seconds[side].append(worker.ask(str(steps)) / steps)
  return {
    "before_seconds": timing.summarise(seconds["before"]),
    "after_seconds": timing.summarise(seconds["after"]),
    # Above 1: this checkout is quicker.
    "before_over_after": timing.ratios(seconds["before"], seconds["after"]),
  }


def _started(
  folder: pathlib.Path, config: str
) -> contextlib.AbstractContextManager[workers.Worker]:
  """A worker that has made its first steps."""
  return workers.started([sys.executable, "-c", _WORKER, config], folder=folder)


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("before_after", __doc__, config="")
  add = parser.add_argument
  add("--before", default="", metavar="DIR", help="the other checkout")
  add(
    "--configs",
    default=",".join(_CONFIGS),
    help="names of configs, of which `quick` is timed; default: of all systems",
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
