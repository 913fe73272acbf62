"""Wrong input is one line with the mend, exit code 2, and nothing written."""

import os
import socket
import subprocess
import sys

import pytest

from sginpaint.cli.__main__ import main
from tests.cli.wrong_inputs.checkpoints import CHECKPOINTS
from tests.cli.wrong_inputs.data import DATA
from tests.cli.wrong_inputs.fields import FIELDS
from tests.cli.wrong_inputs.files import REPOSITORY, snapshot, words_of
from tests.cli.wrong_inputs.flags import COMMANDS, PROGRAMS
from tests.cli.wrong_inputs.paths import PATHS

ROWS = [*FIELDS, *COMMANDS, *PATHS, *DATA, *CHECKPOINTS]


@pytest.fixture(scope="module")
def port():
  with socket.create_server(("127.0.0.1", 0)) as listening:
    yield listening.getsockname()[1]


def _check(code, error, words):
  assert code == 2, error
  assert error.count("\n") == 1, error
  assert "sginpaint: error: " in error
  assert "Traceback" not in error
  for word in words:
    assert word in error


@pytest.mark.parametrize(
  ("line", "words"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_in_process(line, words, folder, port, capsys):
  before = snapshot(folder)
  code = main(words_of(line, port))
  _check(code, capsys.readouterr().err, words)
  assert snapshot(folder) == before


@pytest.mark.parametrize(
  ("line", "words"),
  [r[1:] for r in PROGRAMS],
  ids=[r[0] for r in PROGRAMS],
)
def test_as_programs(line, words, folder):
  before = snapshot(folder)
  program, *argv = words_of(line)
  if program.endswith(".py"):
    program = str(REPOSITORY / program)
  done = subprocess.run(
    [sys.executable, program, *argv],
    env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    capture_output=True,
    text=True,
    check=False,
  )
  _check(done.returncode, done.stderr, words)
  assert snapshot(folder) == before


def test_no_row_is_there_twice():
  lines = [line for _, line, _ in ROWS]
  assert len(set(lines)) == len(lines) >= 60
