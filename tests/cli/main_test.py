"""The command table, and how exceptions become lines and exit codes."""

import importlib.util
import subprocess
import sys

import pytest

from sginpaint.cli.__main__ import COMMANDS, main, run
from sginpaint.errors import UserError


def _raising(error):
  def command(argv):
    raise error

  return command


def test_bad_input_is_one_line(capsys):
  assert run(_raising(UserError("a.png: no\n  such file")), []) == 2
  line = "sginpaint: error: a.png: no such file\n"
  assert capsys.readouterr() == ("", line)


def test_ctrl_c_is_130(capsys):
  assert run(_raising(KeyboardInterrupt()), []) == 130
  assert "Traceback" not in capsys.readouterr().err


def test_bugs_keep_their_traceback():
  with pytest.raises(ZeroDivisionError):
    run(_raising(ZeroDivisionError()), [])


def test_exit_code_and_arguments_of_a_command():
  assert run(lambda argv: len(argv), ["a", "b", "c"]) == 3


def test_help_lists_every_command_with_a_line(capsys):
  assert main(["--help"]) == 0
  lines = capsys.readouterr().out.splitlines()
  for name in COMMANDS:
    (line,) = [text for text in lines if text.split()[:1] == [name]]
    assert len(line.split()) > 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module(name):
  assert importlib.util.find_spec(f"sginpaint.cli.{name.replace('-', '_')}")


def test_unknown_command_proposes_the_nearest(capsys):
  assert main(["inpant", "--image", "x"]) == 2
  assert "did you mean inpaint?" in capsys.readouterr().err
  assert main(["zzz"]) == 2
  assert "--help" in capsys.readouterr().err


def test_no_command_shows_the_table(capsys):
  assert main([]) == 2
  assert "inpaint" in capsys.readouterr().out


def test_flag_errors_of_a_command_are_one_line(capsys):
  for argv in (["list", "--wrong"], ["inpaint"], ["inpaint", "--im", "a.png"]):
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("sginpaint: error: ")
    assert captured.err.count("\n") == 1
  assert main(["inpaint", "--help"]) == 0
  assert "--checkpoint" in capsys.readouterr().out


def test_list_shows_what_there_is(capsys):
  assert main(["list"]) == 0
  out = capsys.readouterr().out
  for name in ("spl", "spl_no_teacher", "synthetic_scenes", "folder"):
    assert any(line.split()[:1] == [name] for line in out.splitlines()), name
  assert "common" not in out.split()


def test_mistakes_are_told_before_jax_is_imported():
  code = (
    "import sys\n"
    "from sginpaint.cli.__main__ import main\n"
    "argv = '--checkpoint a --image b --mask c --output d.png'.split()\n"
    "assert main(['inpaint', *argv]) == 2\n"
    "assert 'jax' not in sys.modules"
  )
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=True
  )
  assert "no such file or folder" in done.stderr


def test_output_that_nobody_reads_is_no_traceback():
  code = (
    "import os, sys\n"
    "from sginpaint.cli.__main__ import run\n"
    "os.read(0, 1)\n"  # until the other end is closed
    "sys.exit(run(lambda argv: print('x', flush=True), []))"
  )
  process = subprocess.Popen(
    [sys.executable, "-c", code],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
  )
  process.stdout.close()
  process.stdin.close()
  assert process.stderr.read() == b""
  process.stderr.close()
  assert process.wait() == 141


def test_python_m():
  done = subprocess.run(
    [sys.executable, "-m", "sginpaint", "--version"],
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stdout.startswith("sginpaint 0.")
