"""Runs a frozen teacher over a data set once and stores its features.

python -m sginpaint precompute --config=configs/spl.py:quick \\
  --config.teacher.path=runs/teacher
"""

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser


def main(argv: list[str]) -> int:
  """Runs `precompute --config=FILE[:ARG] [--split=NAME] [--overwrite]`.

  The config is that of the training that will use the features; run it again
  after an interruption and it goes on.

  Raises:
    UserError: the config, the data or the teacher needs mending.
  """
  rest, overrides = split_overrides(argv)
  parser = Parser("precompute", __doc__)
  parser.add_argument(
    "--config", required=True, help="config of the training to come"
  )
  parser.add_argument("--split", help="default: the config's train_split")
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
