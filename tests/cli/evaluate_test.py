"""The evaluate command: what it refuses, and that it says so at once."""

import json
import subprocess
import sys

import pytest

from configs.common import get_config
from sginpaint.cli import evaluate
from sginpaint.errors import UserError
from sginpaint.workdirs import load_config


@pytest.fixture
def workdir(tmp_path):
  config = get_config()
  config.system = "spl"
  (tmp_path / "config.json").write_text(config.to_json())
  return tmp_path


class TestRefusals:
  @pytest.mark.parametrize(
    ("flag", "message"),
    [
      ("--masks=nowhere", "--masks=nowhere: no such folder"),
      ("--config.eval.sed=1", "did you mean --config.eval.seed?"),
      ("--config.model.x=1", "was fixed by the training"),
      ("--weights=best", "--weights"),
      ("--protocol=slp", "--protocol"),
      ("--step=newest", "--step"),
      ("--stp=3", "--stp=3"),
    ],
  )
  def test_names_the_flag(self, workdir, flag, message):
    with pytest.raises(UserError) as error:
      evaluate.main([f"--workdir={workdir}", flag])
    assert message in str(error.value)
    assert not (workdir / "eval").exists()

  def test_workdir_without_config(self, tmp_path):
    with pytest.raises(UserError, match="no config.json there"):
      evaluate.main([f"--workdir={tmp_path / 'none'}"])

  def test_workdir_without_checkpoint(self, workdir):
    with pytest.raises(UserError, match="no checkpoint"):
      evaluate.main([f"--workdir={workdir}"])

  def test_damaged_config(self, workdir):
    (workdir / "config.json").write_text("{")
    with pytest.raises(UserError, match="not a config"):
      evaluate.main([f"--workdir={workdir}"])

  def test_mistakes_do_not_wait_for_jax(self, workdir):
    program = (
      "import sys; from sginpaint.cli import evaluate\n"
      "try: evaluate.main(sys.argv[1:])\n"
      "except Exception as e: print(type(e).__name__, 'jax' in sys.modules)"
    )
    argv = [f"--workdir={workdir}", "--config.eval.sed=1"]
    done = subprocess.run(
      [sys.executable, "-c", program, *argv], capture_output=True, text=True
    )
    assert done.stdout.split() == ["UserError", "False"], done.stderr


class TestFlags:
  def test_flags_change_the_config(self, workdir, tmp_path):
    (tmp_path / "holes").mkdir()
    options = evaluate._parser().parse_args(
      [
        f"--workdir={workdir}",
        f"--masks={tmp_path / 'holes'}",
        "--protocol=spl",
      ]
    )
    config = load_config(str(workdir))
    evaluate._apply_flags(config, options)
    assert config.eval.masks == str(tmp_path / "holes")
    assert config.eval.protocol == "spl"
    expected = json.loads((workdir / "config.json").read_text())
    assert config.eval.seed == expected["eval"]["seed"]
