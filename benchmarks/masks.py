"""Drawing the training masks: seconds, and which share of a step they are.

  python -m benchmarks.masks --config=configs/spl.py

The masks of `config.masks` for one batch, compiled by themselves, beside the
whole step in which they are drawn.
"""

import argparse
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, setups, timing
from sginpaint.data import masks
from sginpaint.training import setup


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times masks and step in turns."""
  side = config.data.image_size
  shape = (config.batch_size, side, side)
  mixture = setup.mask_options(config)
  draw = jax.jit(lambda key: masks.sample(key, shape, **mixture))
  keys = iter(jax.random.split(jax.random.key(0), options.repeats + 8))
  training = setups.build_training(config)
  seconds = timing.alternate(
    {
      "masks": lambda: draw(next(keys)).block_until_ready(),
      "step": training.step,
    },
    repeats=options.repeats,
  )
  return {
    "batch_size": config.batch_size,
    "image_size": side,
    "masks": config.masks.to_dict(),
    "mask_seconds": timing.summarise(seconds["masks"]),
    "step_seconds": timing.summarise(seconds["step"]),
    "share_of_step": timing.ratios(seconds["masks"], seconds["step"]),
  }


def _parser() -> command.BenchmarkParser:
  return command.BenchmarkParser("masks", __doc__, config="configs/spl.py")


if __name__ == "__main__":
  command.main(_parser(), measure)
