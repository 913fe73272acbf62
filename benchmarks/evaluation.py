"""Evaluating against inference alone, per picture.

  python -m benchmarks.evaluation --config=configs/spl.py

The whole evaluation (reading, masks, filling, scores of the protocol, rows,
panels) of random pictures of the network's size, with a network of random
values. What every evaluation pays once, compiling above all, cancels: the cost
of a picture is the difference of a long and a short evaluation. Baselines are
left out unless `--baselines` names some; they are filled on the host.
"""

import argparse
import dataclasses
import pathlib
import tempfile
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, setups, timing
from benchmarks.input_pipeline import write_pictures
from sginpaint import scheduling
from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation import evaluator
from sginpaint.training import setup


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times evaluation and inference, both as seconds per picture."""
  size = config.eval.batch_size
  with config.unlocked():
    config.eval.baselines = tuple(options.baselines.split(",")) * bool(
      options.baselines
    )
    config.eval.analyses = ()
  count, side = size * options.batches, config.data.image_size
  with (
    tempfile.TemporaryDirectory() as folder,
    # Compiled programs come from here from the second evaluation on.
    command.compile_cache(f"{folder}/cache"),
  ):
    write_pictures(pathlib.Path(folder), count, side)
    with config.unlocked():
      config.data.name, config.data.path = "folder", folder
    split = setup.load_data(config).split("train")
    loaded = setups.build_loaded(config)
    evaluating = timing.slope(
      lambda batches: _evaluate(loaded, split, size * batches),
      small=1,
      large=options.batches,
      repeats=options.repeats,
    )
  inference = _infer(loaded, size, options.repeats)
  per_picture = [s / size for s in inference]
  return {
    "image_size": side,
    "batch_size": size,
    "pictures": count,
    "protocol": config.eval.protocol,
    "baselines": list(config.eval.baselines),
    "evaluation_seconds": timing.summarise([s / size for s in evaluating]),
    "inference_seconds": timing.summarise(per_picture),
    "evaluation_over_inference": timing.ratios(evaluating, inference),
  }


def _evaluate(loaded: Loaded, split: Split, count: int) -> None:
  config = loaded.config.copy_and_resolve_references()
  with config.unlocked():
    config.eval.count = count
  evaluator.run(
    dataclasses.replace(loaded, config=config), split, progress=False
  )


def _infer(loaded: Loaded, size: int, repeats: int) -> list[float]:
  weights = jax.device_put((loaded.variables, loaded.frozen))
  batch = setups.predict_batch(loaded.config, size)
  program = jax.jit(
    loaded.system.predict, compiler_options=scheduling.for_memory()
  )
  return timing.repeat(
    lambda: jax.block_until_ready(program(*weights, batch)), repeats=repeats
  )


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "evaluation", __doc__, config="configs/spl.py"
  )
  add = parser.add_argument
  add("--batches", type=int, default=4, help="of the long one; default: 4")
  add("--baselines", default="", help="to fill too, as in telea,mean_color")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
