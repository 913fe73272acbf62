"""`train`: trains what a config describes, or resumes it."""

import argparse
import logging
import os
import pathlib

from ml_collections import ConfigDict

from sginpaint.cli.config_files import parse_config
from sginpaint.errors import UserError


def main(argv: list[str]) -> int:
  """Runs `train --config=FILE[:ARG] --workdir=DIR [--config.<field>=VALUE]`.

  Returns:
    0, or 130 after Ctrl-C.

  Raises:
    UserError: the flags, the config, the data or the workdir need mending.
  """
  config, workdir = parse(argv)
  check_workdir(workdir)
  logging.basicConfig(level=logging.INFO, format="%(message)s")
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.training import loop

  devices.initialise()
  return loop.train(config, workdir)


def parse(argv: list[str]) -> tuple[ConfigDict, str]:
  """The resolved config and the workdir.

  Raises:
    UserError: as `parse_config`, or no --workdir.
  """
  parser = argparse.ArgumentParser("train", add_help=False, allow_abbrev=False)
  parser.add_argument("--workdir", default="")
  options, rest = parser.parse_known_args(argv)
  config = parse_config(rest)
  if not options.workdir:
    raise UserError("--workdir=DIR is missing: where is this training kept?")
  return config, options.workdir


def check_workdir(workdir: str) -> None:
  """Raises UserError unless `workdir` can be made and written."""
  path = pathlib.Path(workdir).absolute()
  if path.exists() and not path.is_dir():
    raise UserError(f"--workdir={workdir}: is a file; choose a directory")
  parent = next(p for p in (path, *path.parents) if p.exists())
  if not os.access(parent, os.W_OK):
    raise UserError(f"--workdir={workdir}: {parent} cannot be written")
