"""What a ladder refuses, before it trains or writes anything."""

import pathlib
import subprocess
import sys

import pytest

from sginpaint.cli import ladder
from sginpaint.errors import UserError
from tests.cli.ladders import config_file, run
from tests.data.example_folders import make_folder

pytestmark = pytest.mark.usefixtures("known_toys")


@pytest.fixture(scope="module")
def begun(configs, tmp_path_factory):
  """The workdir of a ladder of one run."""
  workdir = tmp_path_factory.mktemp("begun")
  assert run(configs[:1], workdir, seeds=1) == 0
  return workdir


class TestRefusals:
  def refused(self, configs, root, *flags, **options):
    with pytest.raises(UserError) as error:
      run(configs, root, *flags, **options)
    assert not root.exists()
    return str(error.value)

  @pytest.mark.parametrize(
    "statement, field",
    [
      ("c.data.crop = 'random'", "config.data.crop"),
      ("c.masks.center = 3.0", "config.masks.center"),
      ("c.batch_size = 2", "config.batch_size"),
      ("c.steps = 3", "config.steps"),
      ("c.eval.seed = 1", "config.eval.seed"),
      ("c.eval.count = 2", "config.eval.count"),
      ("c.eval.protocol = 'spl'", "config.eval.protocol"),
      ("c.eval.white_is_hole = False", "config.eval.white_is_hole"),
      ("c.eval.irregular_ratio = (0.1, 0.2)", "config.eval.irregular_ratio"),
      ("c.eval.baselines = ()", "config.eval.baselines"),
    ],
  )
  def test_rows_that_differ_in_more_than_the_network(
    self, configs, data, tmp_path, statement, field
  ):
    other = config_file(tmp_path / "other.py", data, more=statement)
    text = self.refused([*configs, other], tmp_path / "ladder")
    assert text.startswith(f"{field}: ")
    assert "in other, " in text

  def test_what_may_differ(self, configs, data, tmp_path):
    more = "c.data.threads = 1; c.eval.batch_size = 2; c.eval.masks = 'center'"
    other = config_file(tmp_path / "other.py", data, more=more)
    ladder.check_comparable(ladder.read_configs([*configs, other], {}))

  @pytest.mark.parametrize(
    "flags, message",
    [
      (["--config.seed=3"], "--seeds N sets it"),
      (["--config.stepps=3"], "did you mean --config.steps?"),
      (["--config.optimizer.schedule=slow"], "plain: config.optimizer"),
      (["--config.eval.guidance=tru"], "plain: config.eval.guidance"),
      (["--config.eval.analyses=a"], "plain: config.eval.analyses"),
      (["--config.eval.analyses=controllability"], "plain: config.eval.an"),
      (["--config.eval.lpips_network=no"], "plain: config.eval.lpips"),
      (["--config.data.train_split=tarin"], "tarin"),
      (["--split=tset"], "tset"),
      (["--seeds=0"], "--seeds=0"),
      (["--masks", "nowhere"], "--masks=nowhere"),
      (["--masks", "center", "center"], "center is there twice"),
      (["--configs", "nowhere.py"], "nowhere.py: no such file"),
    ],
  )
  def test_mistakes_are_told_before_anything_is_written(
    self, configs, tmp_path, flags, message
  ):
    assert message in self.refused(configs, tmp_path / "ladder", *flags)

  def test_two_rows_of_one_name(self, configs, tmp_path):
    text = self.refused([*configs, configs[0] + ":quick"], tmp_path / "ladder")
    assert "a second row named plain" in text

  def test_truth_that_nobody_takes(self, configs, tmp_path):
    text = self.refused(configs[:1], tmp_path / "ladder", "--truth")
    assert "--truth" in text

  @pytest.mark.parametrize("flag", ["--truth", "--config.eval.guidance=truth"])
  def test_truth_that_is_not_there(self, tmp_path, flag):
    folder = make_folder(tmp_path / "set", labels=False)
    more = "c.data.name = 'folder'; c.eval.count = 0"
    config = config_file(
      tmp_path / "guided.py", folder, system="guided", more=more
    )
    flags = (flag, "--split=val")
    text = self.refused([config], tmp_path / "ladder", *flags)
    assert "split val has no labels" in text

  @pytest.mark.parametrize(
    "flag, message",
    [
      ("--config.steps=4", "plain: config.steps=4: "),
      ("--config.ema_decay=0.5", "plain: config.ema_decay=0.5: "),
    ],
  )
  def test_workdir_of_another_ladder(self, configs, begun, flag, message):
    with pytest.raises(UserError, match=message):
      run(configs, begun, flag)

  def test_mistakes_do_not_wait_for_jax(self, configs):
    program = (
      "import sys; from sginpaint.cli import ladder\n"
      "try: ladder.main(sys.argv[1:])\n"
      "except Exception as e: print(type(e).__name__, 'jax' in sys.modules)"
    )
    argv = ["--configs", *configs, "--workdir=x", "--config.stepps=1"]
    done = subprocess.run(
      [sys.executable, "-c", program, *argv],
      capture_output=True,
      text=True,
      cwd=pathlib.Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["UserError", "False"], done.stderr
