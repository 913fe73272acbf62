"""The reference of commands: what each says when it is asked for `--help`."""

import contextlib
import io
import os
from unittest import mock

from sginpaint.cli.__main__ import COMMANDS, main


def command_reference() -> str:
  """Markdown: a section for each command."""
  parts = []
  for name, summary in COMMANDS.items():
    parts += [f"## {name}", "", f"{summary[0].upper()}{summary[1:]}.", ""]
    parts += ["```text", help_of(name).strip(), "```", ""]
  return "\n".join(parts)


def help_of(name: str) -> str:
  """What `python -m sginpaint <name> --help` prints.

  Raises:
    ValueError: it ends otherwise than well.
  """
  text = io.StringIO()
  width = {"COLUMNS": "80"}
  with contextlib.redirect_stdout(text), mock.patch.dict(os.environ, width):
    code = main([name, "--help"])
  if code:
    raise ValueError(f"{name} --help: exit code {code}")
  return text.getvalue()
