"""What all benchmark commands share: flags, and one JSON object at the end."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache
from ml_collections import ConfigDict

from benchmarks import machine
from sginpaint.cli import devices
from sginpaint.cli.__main__ import run as run_command
from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser
from sginpaint.errors import UserError

Measure = Callable[[argparse.Namespace, ConfigDict], dict[str, Any]]


class BenchmarkParser(Parser):
  """A parser of `python -m benchmarks.<name>`, with the flags of them all."""

  def __init__(
    self, name: str, description: str | None, *, config: str, repeats: int = 7
  ):
    """Makes a parser.

    Args:
      name: of the benchmark's module.
      description: its docstring.
      config: default of `--config`; "" = it has no such flag.
      repeats: default of `--repeats`.
    """
    super().__init__(name, description)
    self.prog = f"python -m benchmarks.{name}"
    self.name = name
    if config:
      self.add_argument(
        "--config",
        default=config,
        metavar="FILE[:ARG]",
        help="configs/<name>.py[:quick]; --config.<field>=VALUE changes a "
        f"field; default: {config}",
      )
    self.add_argument(
      "--repeats",
      type=int,
      default=repeats,
      help="measurements that are counted, at least 5 for a number that is "
      f"to be quoted; default: {repeats}",
    )


def run(parser: BenchmarkParser, measure: Measure, argv: Sequence[str]) -> int:
  """Parses the flags, measures, prints one JSON object.

  Whatever else is printed meanwhile goes to stderr.

  Raises:
    UserError: a flag or a field is not right.
  """
  rest, overrides = split_overrides(argv)
  options = parser.parse_args(rest)
  if options.repeats < 1:
    raise UserError(f"--repeats={options.repeats}: give at least 1")
  named = getattr(options, "config", "")
  if overrides and not named:
    raise UserError(f"--config.{next(iter(overrides))}: {parser.prog} has none")
  config = parse_config(named, overrides) if named else ConfigDict()
  devices.initialise()
  with contextlib.redirect_stdout(sys.stderr):
    result = measure(options, config)
  header = {"benchmark": parser.name, "machine": machine.describe()}
  if named:
    header |= {"config": named, "overrides": overrides}
  print(json.dumps(header | result, indent=1))
  return 0


def main(parser: BenchmarkParser, measure: Measure) -> None:
  """`run` as a script: errors that people can mend are one line."""
  sys.exit(run_command(lambda argv: run(parser, measure, argv), sys.argv[1:]))


@contextlib.contextmanager
def compile_cache(directory: str) -> Iterator[None]:
  """Keeps compiled programs in `directory`, an empty one, and nowhere else."""
  settings = {
    "jax_compilation_cache_dir": directory,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
  }
  before = {name: getattr(jax.config, name) for name in settings}
  _configure(settings)
  try:
    yield
  finally:
    _configure(before)


def _configure(settings: dict[str, Any]) -> None:
  for name, value in settings.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()  # it keeps the directory it began with
