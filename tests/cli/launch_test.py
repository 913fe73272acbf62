"""Several processes on one machine, without JAX: who speaks, who ends whom."""

import pytest

from sginpaint.cli import launch
from sginpaint.errors import UserError


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


def test_environment_names_the_process(monkeypatch):
  monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
  env = launch.environment("host:1", 1, 4, devices=3)
  assert env["JAX_COORDINATOR_ADDRESS"] == "host:1"
  assert env["SGINPAINT_PROCESS_COUNT"] == "4"
  assert env["SGINPAINT_PROCESS_ID"] == "1"
  flags = "--xla_a=1 --xla_force_host_platform_device_count=3"
  assert env["XLA_FLAGS"] == flags
