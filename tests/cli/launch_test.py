"""Several processes on one machine, without JAX: who speaks, who ends whom."""

import sys

import pytest

from sginpaint.cli import launch
from sginpaint.errors import UserError


@pytest.fixture(name="python")
def _python(tmp_path, monkeypatch):
  """Has each process run a script of the shell instead of a command."""

  def replace(script):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

  return replace


@pytest.mark.parametrize(
  "words, message",
  [
    (["--processes=0", "--", "list"], "--processes=0"),
    (["--processes=2", "--devices=0", "--", "list"], "--devices=0"),
    (["--processes=2"], "COMMAND is missing"),
  ],
)
def test_bad_flags_are_one_clear_error(words, message):
  with pytest.raises(UserError, match=message):
    launch.main(words)


def test_all_well_is_zero(capfd):
  assert launch.main(["--processes=2", "--", "--version"]) == 0
  assert len(capfd.readouterr().out.splitlines()) == 1  # one of them speaks


def test_bad_input_is_told_once(capfd):
  assert launch.main(["--processes=2", "--", "trian"]) == 2
  assert "did you mean train?" in capfd.readouterr().err


@pytest.mark.parametrize("late", [0, 1])
def test_bad_input_that_both_met_is_told_once(late, python, capfd):
  python(
    f'[ "$SGINPAINT_PROCESS_ID" = {late} ] && sleep 0.5\n'
    "echo mend it >&2; exit 2\n"
  )
  assert launch.main(["--processes=2", "--", "train"]) == 2
  assert capfd.readouterr().err == "mend it\n"


def test_environment_names_the_process(monkeypatch):
  monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
  env = launch.environment("host:1", 1, 4, devices=3)
  assert env["JAX_COORDINATOR_ADDRESS"] == "host:1"
  assert env["SGINPAINT_PROCESS_COUNT"] == "4"
  assert env["SGINPAINT_PROCESS_ID"] == "1"
  flags = "--xla_a=1 --xla_force_host_platform_device_count=3"
  assert env["XLA_FLAGS"] == flags


@pytest.mark.parametrize(
  "death, told",
  [
    ("KILL", "process 1 of 2 failed (killed by SIGKILL)"),
    ("ABRT", "process 0 of 2 failed (exit code 1)"),
  ],
)
def test_one_that_is_killed_is_named_before_those_it_takes_along(
  death, told, python, capfd
):
  """The other may be seen to end first; one may also abort for the other."""
  python(
    f'[ "$SGINPAINT_PROCESS_ID" = 0 ] && exit 1\nsleep 0.5; kill -{death} $$\n'
  )
  assert launch.main(["--processes=2", "--", "train"]) == 1
  assert told in capfd.readouterr().err
