"""SPL's training step and inference against PyTorch, in one run.

  python -m benchmarks.against_torch --size=256 --batch=1

First a small network, with weights carried across by `sginpaint.convert`,
proves that forward pass, losses and gradients are equal; where they are not,
nothing is timed. Then each side runs in a process of its own, as its users run
it, and is timed in turns with the others. On a GPU PyTorch also runs compiled,
channels last, under AMP, against our bfloat16.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from benchmarks import command, process, timing, workers
from sginpaint.errors import UserError

_OURS = {"eager": "float32", "channels_last": "float32", "compiled": "bfloat16"}
_WORKS = ("inference", "step")
# What our commands set for themselves (sginpaint.cli.devices), for PyTorch.
_MALLOC = {
  "MALLOC_MMAP_MAX_": "0",
  "MALLOC_TRIM_THRESHOLD_": str(2**62),
  "MALLOC_ARENA_MAX": str(2 * process.usable_cores()),
}


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Proves equality, then times and measures memory."""
  del config
  modes = options.modes.split(",")
  unknown = sorted(set(modes) - set(_OURS))
  if unknown:
    raise UserError(f"--modes={options.modes}: choose from {', '.join(_OURS)}")
  if importlib.util.find_spec("torch") is None:
    raise UserError(
      "PyTorch is not installed, and this compares with it; "
      "run: pip install 'torch>=2.6,<3'"
    )
  # Several processes share a GPU.
  os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
  # Only now: they import PyTorch.
  from benchmarks.torch_spl import equality, training

  training.set_threads(process.usable_cores())
  device = training.device_name()
  return {
    "size": options.size,
    "width": options.width,
    "batch_size": options.batch,
    "threads": process.usable_cores(),
    "torch_device": device,
    "largest_difference": equality.compare(),
    "tolerance": equality.TOLERANCE,
    "modes": {
      mode: _compare(options, mode, malloc=device == "cpu") for mode in modes
    },
  }


def _compare(
  options: argparse.Namespace, mode: str, *, malloc: bool
) -> dict[str, Any]:
  """Both sides; with `malloc` also PyTorch with our settings of malloc."""
  config = {
    "size": options.size,
    "width": options.width,
    "batch_size": options.batch,
    "dtype": _OURS[mode],
  }
  with tempfile.TemporaryDirectory() as cache, contextlib.ExitStack() as stack:
    compiled = {"JAX_COMPILATION_CACHE_DIR": cache}
    with _started(config, "ours", compiled) as first:
      # The compiler leaves memory resident in the process that it ran in.
      compiling = {work: _prepared_peak(first, work) for work in _WORKS}
    sides = {"ours": ("ours", compiled), "torch": (mode, {})}
    if malloc:
      sides["torch_malloc"] = (mode, _MALLOC)
    running = {
      name: stack.enter_context(_started(config, *side))
      for name, side in sides.items()
    }
    works = {
      work: _compare_work(running, work, options.repeats) for work in _WORKS
    }
  for work, peak in compiling.items():
    works[work]["peak_memory"]["ours_compiling"] = peak
  return {"our_dtype": _OURS[mode]} | works


def _started(
  config: Mapping[str, Any], side: str, environment: Mapping[str, str]
) -> contextlib.AbstractContextManager[workers.Worker]:
  module = "benchmarks.torch_spl.side"
  return workers.started(
    [sys.executable, "-m", module, json.dumps(config), side],
    folder=pathlib.Path(__file__).parent.parent,
    environment=environment,
  )


def _prepared_peak(worker: workers.Worker, work: str) -> dict[str, Any]:
  worker.ask(work)
  return worker.ask("peak")


def _compare_work(
  running: Mapping[str, workers.Worker], work: str, repeats: int
) -> dict[str, Any]:
  for worker in running.values():
    worker.ask(work)
  seconds = timing.alternate(
    {name: lambda w=worker: w.ask("run") for name, worker in running.items()},
    repeats=repeats,
    warmup=0,
  )
  return {
    "seconds": {name: timing.summarise(s) for name, s in seconds.items()},
    # Above 1: we are quicker.
    "over_ours": {
      name: timing.ratios(s, seconds["ours"])
      for name, s in seconds.items()
      if name != "ours"
    },
    "peak_memory": {name: w.ask("peak") for name, w in running.items()},
  }


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("against_torch", __doc__, config="")
  add = parser.add_argument
  add("--size", type=int, default=256, help="of the pictures; default: 256")
  add("--width", type=int, default=64, help="of the networks; default: 64")
  add("--batch", type=int, default=1, help="pictures in a batch; default: 1")
  add("--modes", default="eager", help="eager,channels_last,compiled")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
