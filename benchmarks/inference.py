"""Filling pictures: latency of one, throughput at the best batch.

  python -m benchmarks.inference --config=configs/spl.py --batches=1,2,4,8

`predict` as it is served, batch norms folded, random pictures with a centred
hole on the device already; every result is waited for.
"""

import argparse
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, machine, process, setups, timing
from sginpaint import scheduling
from sginpaint.errors import UserError
from sginpaint.training.dry_run import flops_of, memory_of


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times `predict` at every batch size."""
  sizes = _sizes(options.batches)
  loaded = setups.build_loaded(config)
  weights = jax.device_put((loaded.variables, loaded.frozen))
  matrix = machine.matrix_peak(config.dtype)
  rows = {
    size: _row(loaded, weights, size, options.repeats, matrix) for size in sizes
  }
  best = max(rows, key=lambda size: rows[size]["images_per_second"])
  result = {
    "image_size": config.data.image_size,
    "dtype": config.dtype,
    "best_batch": best,
    "best_images_per_second": rows[best]["images_per_second"],
    "matrix_peak": matrix,
    "batches": rows,
  }
  if 1 in rows:
    result["latency_seconds"] = rows[1]["seconds"]["median"]
  return result


def _row(loaded, weights, size: int, repeats: int, matrix) -> dict[str, Any]:
  batch = setups.predict_batch(loaded.config, size)
  lowered = jax.jit(loaded.system.predict).lower(*weights, batch)
  program = lowered.compile(scheduling.for_memory())
  with process.PeakMemory() as peak:
    seconds = timing.summarise(
      timing.repeat(
        lambda: jax.block_until_ready(program(*weights, batch)),
        repeats=repeats,
      )
    )
  flops = max(flops_of(program), flops_of(lowered))
  rate = flops / seconds["median"]
  return {
    "seconds": seconds,
    "images_per_second": size / seconds["median"],
    "flops": flops,
    "share_of_peak": rate / matrix["flops_per_second"],
    "memory": {"compiled": memory_of(program), "peak": peak.describe()},
  }


def _sizes(text: str) -> list[int]:
  sizes = [int(n) if n.isdigit() else 0 for n in text.split(",")]
  if min(sizes) < 1:
    raise UserError(f"--batches={text}: write numbers, as in 1,2,4,8")
  return sizes


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "inference", __doc__, config="configs/spl.py"
  )
  parser.add_argument(
    "--batches", default="1,2,4,8", help="batch sizes; default: 1,2,4,8"
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
