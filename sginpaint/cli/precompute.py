"""Runs a frozen teacher over a data set once and stores its features.

python -m sginpaint precompute --config=configs/spl.py:quick \\
  --config.teacher.path=runs/teacher

The config is that of the training to come; --config.<field>=VALUE changes a
field of it. Several processes may fill one store at the same time, of a cluster
or started by hand; any number of them goes on where a killed run stopped.
--verify reads all of a store, --repair makes its damaged shards again.
"""

import argparse

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser, add_config_flag
from sginpaint.errors import UserError


def main(argv: list[str]) -> int:
  """Runs `precompute --config=FILE[:ARG] [--split=NAME] [--overwrite]`.

  Run again after an interruption, it goes on; `--verify` and `--repair` check
  what is there.

  Raises:
    UserError: the config, the data, the teacher or the store needs mending.
  """
  rest, overrides = split_overrides(argv)
  options = _parse(rest)
  config = parse_config(options.config, overrides)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.data.feature_format import shard_name
  from sginpaint.training import precompute_teacher

  devices.initialise()
  split = options.split or config.data.train_split
  bad: list[int] = []
  if options.verify or options.repair:
    bad = precompute_teacher.verify(config, split)
  if bad and not options.repair:
    names = ", ".join(map(shard_name, bad))
    raise UserError(f"missing or damaged: {names}; mend it with --repair")
  if not options.verify or options.repair:
    print(
      precompute_teacher.precompute(
        config, split, overwrite=options.overwrite, discard=bad
      )
    )
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("precompute", __doc__)
  add_config_flag(parser)
  parser.add_argument(
    "--split",
    metavar="NAME",
    help="of the data set; default: config.data.train_split",
  )
  parser.add_argument(
    "--overwrite", action="store_true", help="throw stale features away"
  )
  parser.add_argument(
    "--verify", action="store_true", help="read and check what is stored"
  )
  parser.add_argument(
    "--repair",
    action="store_true",
    help="as --verify, and make damaged shards again",
  )
  options = parser.parse_args(argv)
  if options.overwrite and (options.verify or options.repair):
    raise UserError("--overwrite makes all anew: leave out --verify, --repair")
  return options
