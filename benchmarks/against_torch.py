"""SPL's training step and inference against PyTorch, in one run.

  python -m benchmarks.against_torch --size=256 --batch=1

Both sides start from the same weights, carried across by `sginpaint.convert`.
First a small network proves that forward pass, losses and gradients are equal;
where they are not, nothing is timed. Then both are timed in turns. On a GPU
PyTorch also runs compiled, channels last, under AMP, against our bfloat16. Peak
memory is that of one process per side.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, machine, timing
from benchmarks.torch_spl import inputs, memory
from sginpaint.errors import UserError

_OURS = {"eager": "float32", "channels_last": "float32", "compiled": "bfloat16"}


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Proves equality, then times; or measures the memory of one side."""
  del config
  modes = options.modes.split(",")
  unknown = sorted(set(modes) - set(_OURS))
  if unknown:
    raise UserError(f"--modes={options.modes}: choose from {', '.join(_OURS)}")
  if options.side:
    return {"peak": memory.measure_side(options.side, _config(options, modes))}
  if importlib.util.find_spec("torch") is None:
    raise UserError(
      "PyTorch is not installed, and this compares with it; "
      "run: pip install 'torch>=2.6,<3'"
    )
  # Only now: they import PyTorch.
  from benchmarks.torch_spl import equality, training

  training.set_threads(machine.usable_cores())
  differences = equality.compare()
  jax.clear_caches()
  return {
    "size": options.size,
    "width": options.width,
    "batch_size": options.batch,
    "threads": machine.usable_cores(),
    "torch_device": training.device_name(),
    "largest_difference": differences,
    "tolerance": equality.TOLERANCE,
    "modes": {mode: _compare(options, mode) for mode in modes},
    "memory": {
      # The second of ours finds its programs compiled: of a compiler that ran
      # in the same process hundreds of MB stay resident.
      mode: {
        "ours_compiling": _child(options, "ours", mode),
        "ours": _child(options, "ours", mode),
        "torch": _child(options, mode, mode),
      }
      for mode in modes
    },
  }


def _config(options: argparse.Namespace, modes: list[str]) -> ConfigDict:
  return inputs.spl_config(
    size=options.size,
    width=options.width,
    batch_size=options.batch,
    dtype=_OURS[modes[0]],
  )


def _compare(options: argparse.Namespace, mode: str) -> dict[str, Any]:
  """Times both sides in turns, inference first and then the step."""
  from benchmarks.torch_spl import pair, training

  config = _config(options, [mode])
  batch = inputs.numpy_batch(config)
  trainer = pair.build_trainer(config, training.MODES[mode])
  ours = pair.build_ours(config, trainer.weights(), batch)
  our_runs = {"inference": pair.predictor(ours), "step": ours.step}
  their_runs = pair.torch_runs(trainer, batch)
  result: dict[str, Any] = {"our_dtype": config.dtype}
  for work, run in our_runs.items():
    seconds = timing.alternate(
      {"ours": run, "torch": their_runs[work]}, repeats=options.repeats
    )
    result[work] = {
      "ours_seconds": timing.summarise(seconds["ours"]),
      "torch_seconds": timing.summarise(seconds["torch"]),
      # Above 1: we are quicker.
      "torch_over_ours": timing.ratios(seconds["torch"], seconds["ours"]),
    }
  return result


def _child(options: argparse.Namespace, side: str, mode: str) -> dict[str, Any]:
  """Peak memory of one side in a process of its own."""
  run = subprocess.run(
    [
      *(sys.executable, "-m", "benchmarks.against_torch"),
      *(f"--size={options.size}", f"--width={options.width}"),
      *(f"--batch={options.batch}", f"--side={side}", f"--modes={mode}"),
    ],
    check=True,
    stdout=subprocess.PIPE,
  )
  return json.loads(run.stdout)["peak"]


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("against_torch", __doc__, config="")
  add = parser.add_argument
  add("--size", type=int, default=256, help="of the pictures; default: 256")
  add("--width", type=int, default=64, help="of the networks; default: 64")
  add("--batch", type=int, default=1, help="pictures in a batch; default: 1")
  add("--modes", default="eager", help="eager,channels_last,compiled")
  add("--side", default="", help="ours or a mode: only its peak memory")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
