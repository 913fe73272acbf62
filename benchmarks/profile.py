"""Where the time of a training step goes, operation by operation.

  python -m benchmarks.profile --config=configs/spl.py

Steps as in `train_step`, traced by JAX's profiler; every traced operation is
looked up in the compiled program. Operations that run at the same time all
count, so that their sum can exceed the step.
"""

import argparse
import collections
import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, hlo, setups, timing


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Traces some steps of `config` and sums their operations up."""
  training = setups.build_training(config)
  for _ in range(2):
    training.step()
  with tempfile.TemporaryDirectory() as folder:
    with jax.profiler.trace(folder):
      seconds = timing.repeat(training.step, repeats=options.repeats, warmup=0)
    traced = traced_seconds(pathlib.Path(folder))
  program = training.compiled.call.as_text()
  operations = hlo.read_operations(program)
  spent = {
    name: total / options.repeats / jax.local_device_count()
    for name, total in traced.items()
    if name in operations
  }
  if not spent:
    backend = jax.default_backend()
    raise RuntimeError(f"JAX's profiler names no operations on {backend}")
  return {
    "batch_size": config.batch_size,
    "image_size": config.data.image_size,
    "dtype": config.dtype,
    "step_seconds": timing.summarise(seconds),
    "operation_seconds": sum(spent.values()),
    "kinds": _shares(spent, operations, lambda o: o.kind),
    "parts": _shares(spent, operations, lambda o: o.part),
    "layers": _shares(spent, operations, _layer),
    "longest": _longest(spent, operations, options.longest),
  }


def traced_seconds(folder: pathlib.Path) -> dict[str, float]:
  """Seconds of every operation in a trace, all its calls together.

  Args:
    folder: that `jax.profiler.trace` wrote to.
  """
  seconds: dict[str, float] = collections.defaultdict(float)
  for path in folder.rglob("*.xplane.pb"):
    for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
      for line in plane.lines:
        for event in line.events:
          name = dict(event.stats).get("hlo_op")
          if name is not None:
            seconds[str(name)] += event.duration_ns * 1e-9
  return dict(seconds)


def _layer(operation: hlo.Operation) -> str:
  """Network and the part of it, as "Generator/decoder"."""
  words = operation.source.split("/")
  # What stands in no module begins with a primitive or a function.
  inside = words[0][:1].isupper()
  return "/".join(words[:2]) if inside else "outside networks"


def _shares(
  spent: Mapping[str, float],
  operations: Mapping[str, hlo.Operation],
  group: Callable[[hlo.Operation], str],
) -> dict[str, Any]:
  """Groups of operations, the longest first."""
  seconds: dict[str, float] = collections.defaultdict(float)
  flops: dict[str, float] = collections.defaultdict(float)
  for name, value in spent.items():
    key = group(operations[name])
    seconds[key] += value
    flops[key] += operations[name].flops
  total = sum(spent.values())
  ordered = sorted(seconds, key=lambda key: -seconds[key])
  return {
    key: {
      "seconds": seconds[key],
      "share": seconds[key] / total,
      "flops_per_second": flops[key] / seconds[key],
    }
    for key in ordered
  }


def _longest(
  spent: Mapping[str, float],
  operations: Mapping[str, hlo.Operation],
  count: int,
) -> list[dict[str, Any]]:
  total = sum(spent.values())
  return [
    {
      "name": name,
      **dataclasses.asdict(operations[name]),
      "seconds": spent[name],
      "share": spent[name] / total,
      "flops_per_second": operations[name].flops / spent[name],
    }
    for name in sorted(spent, key=lambda n: -spent[n])[:count]
  ]


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("profile", __doc__, config="configs/spl.py")
  parser.add_argument(
    "--longest",
    type=int,
    default=20,
    help="operations that are listed one by one; default: 20",
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
