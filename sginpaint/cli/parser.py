"""Command-line parsers whose errors are one line, and flags in common."""

import argparse
from typing import NoReturn

from sginpaint.errors import UserError


class Parser(argparse.ArgumentParser):
  """An `ArgumentParser` that raises `UserError` instead of printing usage.

  Abbreviated flags are refused: they would change meaning when a flag is added.
  """

  def __init__(self, command: str, description: str | None):
    super().__init__(
      prog=f"python -m sginpaint {command}",
      description=description,
      formatter_class=argparse.RawDescriptionHelpFormatter,
      allow_abbrev=False,
    )

  def error(self, message: str) -> NoReturn:
    """Raises a `UserError` that says where to read more."""
    raise UserError(f"{message}; see {self.prog} --help")


def add_config_flag(
  parser: argparse.ArgumentParser, *, required: bool = True
) -> None:
  """Adds `--config`."""
  parser.add_argument(
    "--config",
    required=required,
    metavar="FILE[:ARG]",
    help="configs/<name>.py[:quick,data=<recipe>]",
  )


def add_checkpoint_flags(
  parser: argparse.ArgumentParser, workdir: str = "--checkpoint"
) -> None:
  """Adds `--checkpoint`, `--step` and `--weights`: what to load.

  Args:
    parser: of a command.
    workdir: the first one's name.
  """
  parser.add_argument(
    workdir, required=True, metavar="DIR", help="workdir of a training"
  )
  parser.add_argument(
    "--step",
    type=_step,
    metavar="N|best",
    help="of the checkpoint; default: the newest",
  )
  add_weights_flag(parser)


def add_weights_flag(parser: argparse.ArgumentParser) -> None:
  """Adds `--weights`."""
  parser.add_argument(
    "--weights",
    choices=("ema", "raw"),
    default="ema",
    help="running average, where there is one, or as trained; default: ema",
  )


def _step(text: str) -> int | str:
  return text if text == "best" else int(text)


def add_split_flag(parser: argparse.ArgumentParser) -> None:
  """Adds `--split`: what is evaluated."""
  parser.add_argument(
    "--split",
    default="test",
    metavar="NAME",
    help="test, validation or train, as config.data names them, or any other; "
    "default: test",
  )
