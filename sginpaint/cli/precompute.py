"""`precompute`: runs a teacher over a data set once and stores its features."""

import argparse
import logging

from sginpaint.cli.config_files import parse_config


def main(argv: list[str]) -> int:
  """Runs `precompute --config=FILE[:ARG] [--split=NAME] [--config.<field>=...]`.

  The config is that of the training that will use the features; run it again
  after an interruption and it goes on.

  Raises:
    UserError: the config, the data or the teacher needs mending.
  """
  parser = argparse.ArgumentParser(
    "precompute", add_help=False, allow_abbrev=False
  )
  parser.add_argument("--split", default="")
  options, rest = parser.parse_known_args(argv)
  config = parse_config(rest)
  logging.basicConfig(level=logging.INFO, format="%(message)s")
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.training import precompute_teacher

  devices.initialise()
  split = options.split or config.data.train_split
  print(precompute_teacher.precompute(config, split))
  return 0
