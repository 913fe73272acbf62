"""Command-line parsers whose errors are one line."""

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
