"""One training step of any system: speed, FLOPs, memory, time to the first.

  python -m benchmarks.train_step --config=configs/spl.py

The whole step as train.py runs it, masks drawn in it, on one batch of random
pictures that lies on the devices already. `share_of_peak` relates FLOPs to what
the same devices did, in the same run and dtype, on a large matrix product.
"""

import argparse
import tempfile
import time
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, machine, process, setups, timing
from sginpaint.training.dry_run import (
  compile_plan,
  count_parameters,
  is_plain,
)


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Builds, compiles and repeats the step of `config`."""
  with tempfile.TemporaryDirectory() as cache, command.compile_cache(cache):
    training = setups.build_training(config)
    begin = time.perf_counter()
    training.step()
    first = time.perf_counter() - begin
    inner = options.steps or (1 if jax.default_backend() == "cpu" else 10)

    def several() -> None:
      for _ in range(inner):
        training.step()

    with process.PeakMemory() as peak:
      seconds = timing.repeat(several, repeats=options.repeats)
    again = _compile_again(training)
  matrix = machine.matrix_peak(config.dtype)
  step = timing.summarise([s / inner for s in seconds])
  return {
    "batch_size": config.batch_size,
    "image_size": config.data.image_size,
    "dtype": config.dtype,
    "parameters": count_parameters(training.plan),
    "step_seconds": step,
    "images_per_second": config.batch_size / step["median"],
    **_work(training, step["median"], matrix["flops_per_second"]),
    "matrix_peak": matrix,
    "memory": {"compiled": training.compiled.memory, "peak": peak.describe()},
    "start_seconds": _start(training, first, again),
  }


def _work(
  training: setups.Training, seconds: float, peak: float
) -> dict[str, Any]:
  compiled = training.compiled
  written = compiled.flops_written / jax.device_count()
  flops, counted = written, "written"
  # As compiled, what nobody reads is gone (deep layers of a perceptual loss);
  # but on GPUs convolutions are library calls, into which XLA does not see.
  if is_plain(training.plan.config) and compiled.flops > written / 2:
    flops, counted = compiled.flops, "compiled"
  return {
    "flops_per_device": flops,
    "flops_counted": counted,
    "flops_compiled": compiled.flops,
    "flops_written": compiled.flops_written,
    "flops_per_second_per_device": flops / seconds,
    "share_of_peak": flops / seconds / peak,
  }


def _compile_again(training: setups.Training) -> float:
  """Seconds to compile what the compilation cache holds by now."""
  jax.clear_caches()
  compiled = compile_plan(training.plan)
  return compiled.trace_seconds + compiled.compile_seconds


def _start(
  training: setups.Training, first: float, again: float
) -> dict[str, float]:
  """What a training waits for, once, before its second step."""
  compiled = training.compiled
  parts = {
    **training.seconds,
    "trace": compiled.trace_seconds,
    "compile": compiled.compile_seconds,
    "first_step": first,
  }
  return parts | {
    "to_first_step": sum(parts.values()),
    "trace_and_compile_from_cache": again,
  }


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "train_step", __doc__, config="configs/spl.py"
  )
  parser.add_argument(
    "--steps",
    type=int,
    default=0,
    help="steps that make one measurement; default: 1 on a CPU, else 10",
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
