"""Processes that are timed in turns, each as its users would run it alone.

A worker reads lines and answers each with a line of JSON; what else it prints
belongs on stderr. Its first line says that it is ready.
"""

import contextlib
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from sginpaint.errors import UserError


class Worker:
  """The asking end of a worker."""

  def __init__(self, process: subprocess.Popen):
    self._process = process

  def ask(self, line: str) -> Any:
    """What it answers.

    Raises:
      UserError: it has ended instead.
    """
    self._process.stdin.write(f"{line}\n")
    return self.answer()

  def answer(self) -> Any:
    """Its next answer, to something asked before; errors as of `ask`."""
    line = self._process.stdout.readline()
    if not line:
      name = self._process.args[-1]
      raise UserError(f"a worker ended in {name}; see above why")
    return json.loads(line)


@contextlib.contextmanager
def started(
  command: Sequence[str],
  *,
  folder: pathlib.Path,
  environment: Mapping[str, str] | None = None,
) -> Iterator[Worker]:
  """A worker that is ready; ended afterwards.

  Args:
    command: its command line; the last word is its name in errors.
    folder: the checkout that it runs in and imports from.
    environment: variables besides those of this process.

  Raises:
    UserError: it ended before it was ready.
  """
  path = os.pathsep.join([str(folder), *_python_path()])
  with subprocess.Popen(
    command,
    cwd=folder,
    env=os.environ | {"PYTHONPATH": path} | dict(environment or {}),
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
    bufsize=1,
  ) as process:
    try:
      worker = Worker(process)
      worker.answer()
      yield worker
    finally:
      process.terminate()


def open_answers() -> TextIO:
  """Of the worker: its standard output; what else is printed goes to stderr."""
  answers = os.fdopen(os.dup(1), "w", buffering=1)
  os.dup2(2, 1)
  return answers


def _python_path() -> list[str]:
  """Of this process, but what is relative to its folder."""
  parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
  return [part for part in parts if os.path.isabs(part)]
