"""Trains what a config describes; run again with the same workdir, it resumes.

python -m sginpaint train --config=configs/spl.py:quick --workdir=runs/spl

--config.<field>=VALUE changes a field of the config. --config.dry_run=True only
compiles the step and prints its memory and FLOPs; it needs no data, no workdir.
"""

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser, add_config_flag
from sginpaint.cli.paths import check_workdir


def main(argv: list[str]) -> int:
  """Runs `train --config=FILE[:ARG] --workdir=DIR [--config.<field>=VALUE]`.

  Returns:
    0, or 130 after Ctrl-C.

  Raises:
    UserError: the flags, the config, the data or the workdir need mending.
  """
  rest, overrides = split_overrides(argv)
  parser = Parser("train", __doc__)
  add_config_flag(parser)
  parser.add_argument(
    "--workdir",
    default="",
    metavar="DIR",
    help="folder to keep the training in",
  )
  options = parser.parse_args(rest)
  config = parse_config(options.config, overrides)
  if not config.dry_run:
    check_workdir(options.workdir)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.training import dry_run, loop

  devices.initialise(preemptible=True)
  if config.dry_run:
    return dry_run.dry_run(config)
  return loop.train(config, options.workdir)
