"""Saving and logging: how long the training waits, and which share that is.

  python -m benchmarks.checkpoint --config=configs/spl.py

A save copies the state off the devices and goes on in the background; what the
loop waits for is `blocked`, until all is on disk and checked is `written`. The
shares are of a training that saves every `--interval` steps and logs as
`config.log.every` says, the step being timed here too.
"""

import argparse
import tempfile
import time
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from benchmarks import command, setups, timing
from sginpaint import checkpoints, workdirs
from sginpaint.training.state import to_tree
from sginpaint.training.writer import Writer


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times steps, saves and lines of the log."""
  training = setups.build_training(config)
  steps = timing.repeat(training.step, repeats=options.repeats)
  with tempfile.TemporaryDirectory(dir=options.directory) as workdir:
    blocked, written = _saves(training, config, workdir, options.repeats)
    logged = _logs(training, workdir, options.repeats)
  step = timing.summarise(steps)["median"]
  save, line = (timing.summarise(s)["median"] for s in (blocked, logged))
  leaves = jax.tree.leaves(to_tree(training.state))
  return {
    "state_bytes": sum(leaf.nbytes for leaf in leaves),
    "blocked_seconds": timing.summarise(blocked),
    "written_seconds": timing.summarise(written),
    "log_seconds": timing.summarise(logged),
    "step_seconds": timing.summarise(steps),
    "interval": options.interval,
    "share_of_saving": save / (save + options.interval * step),
    "share_of_logging": line / (line + config.log.every * step),
  }


def _saves(
  training: setups.Training, config: ConfigDict, workdir: str, repeats: int
) -> tuple[list[float], list[float]]:
  """Seconds until `save` returns, and until all is written."""
  blocked, written = [], []
  saver = checkpoints.Writer(workdir, config)
  for step in range(1, repeats + 2):
    begin = time.perf_counter()
    saver.save(step, to_tree(training.state))
    blocked.append(time.perf_counter() - begin)
    while step not in workdirs.steps(workdir):
      time.sleep(0.01)
    written.append(time.perf_counter() - begin)
  saver.close()
  return blocked[1:], written[1:]  # the first one makes directories


def _logs(training: setups.Training, workdir: str, repeats: int) -> list[float]:
  """Seconds to read metrics back, and to write their means."""
  writer = Writer(workdir, start=0, total=repeats)
  metrics = training.step()
  writer.scalars(0, dict.fromkeys(metrics, 0.0))
  seconds = []
  for step in range(1, repeats + 1):
    metrics = training.step()
    begin = time.perf_counter()
    values = jax.device_get([metrics])
    means = {n: float(np.mean([v[n] for v in values])) for n in values[0]}
    writer.scalars(step, means)
    seconds.append(time.perf_counter() - begin)
  writer.close()
  return seconds


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "checkpoint", __doc__, config="configs/spl.py"
  )
  parser.add_argument(
    "--interval", type=int, default=1000, help="steps between saves; 1000"
  )
  parser.add_argument(
    "--directory", default=None, help="disk to write to; default: the system's"
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
