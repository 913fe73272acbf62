"""Runs a frozen teacher over a data set once and stores its features.

python -m sginpaint precompute --config=configs/spl.py:quick \\
  --config.teacher.path=runs/teacher

The config is that of the training to come; --config.<field>=VALUE changes a
field of it.
"""

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser, add_config_flag


def main(argv: list[str]) -> int:
  """Runs `precompute --config=FILE[:ARG] [--split=NAME] [--overwrite]`.

  Run again after an interruption, it goes on.

  Raises:
    UserError: the config, the data or the teacher needs mending.
  """
  rest, overrides = split_overrides(argv)
  parser = Parser("precompute", __doc__)
  add_config_flag(parser)
  parser.add_argument(
    "--split", help="of the data; default: config.data.train_split"
  )
  parser.add_argument(
    "--overwrite", action="store_true", help="throw stale features away"
  )
  options = parser.parse_args(rest)
  config = parse_config(options.config, overrides)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.training import precompute_teacher

  devices.initialise()
  split = options.split or config.data.train_split
  print(
    precompute_teacher.precompute(config, split, overwrite=options.overwrite)
  )
  return 0
