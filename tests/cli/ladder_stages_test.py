"""Rows that begin with other rows of the ladder."""

import os
import pathlib
import shutil

import numpy as np
import pytest
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.cli.ladder_stages import begin_from, check_stages, source_rows
from sginpaint.errors import UserError
from sginpaint.training import loop
from sginpaint.workdirs import load_config
from tests.cli.ladders import config_file, run

pytestmark = pytest.mark.usefixtures("known_toys")


def config(**sources):
  return ConfigDict(
    {"init_from": {f"generator/{t}": s for t, s in sources.items()}}
  )


class TestSources:
  @pytest.mark.parametrize(
    ("source", "row"),
    [
      ("runs/one", "one"),
      ("runs/one/", "one"),
      ("./runs/one", "one"),
      ("runs/two", None),
      ("one", None),
      ("other/runs/one", None),
      ("/runs/one", None),
      ("runs/one/more", None),
    ],
  )
  def test_is_the_usual_workdir_of_a_row(self, source, row):
    expected = {"generator/a": row} if row else {}
    assert source_rows(config(a=source), ["one"]) == expected

  def test_run_of_this_ladder_takes_its_place(self):
    changed = config(a="runs/one", b="runs/else")
    begin_from(changed, {"one": pathlib.Path("ladder/one/seed3")})
    assert changed.init_from.to_dict() == {
      "generator/a": "ladder/one/seed3",
      "generator/b": "runs/else",
    }

  def test_order_of_training_is_kept(self):
    one, two = config(b="runs/outside"), config(a="runs/one")
    check_stages({"one": one, "between": config(), "two": two})
    with pytest.raises(
      UserError, match="two: .*'generator/a'.* row one, which"
    ):
      check_stages({"two": two, "one": one})

  @pytest.mark.parametrize(
    "sources", [{"one": "one"}, {"one": "two", "two": "one"}]
  )
  def test_circles_are_refused(self, sources):
    configs = {name: config(a=f"runs/{s}") for name, s in sources.items()}
    with pytest.raises(UserError, match="not above it"):
      check_stages(configs)


@pytest.fixture(scope="module")
def stages(data, tmp_path_factory):
  """Files of two stages; the second holds what it takes over."""
  folder = tmp_path_factory.mktemp("stages")
  more = (
    "c.init_from['generator/first'] = 'runs/stage1'; "
    "c.optimizer.frozen = ('generator/first',)"
  )
  return [
    config_file(folder / "stage1.py", data, judged=False),
    config_file(folder / "stage2.py", data, judged=False, more=more),
  ]


class TestStages:
  def test_each_begins_with_the_same_seed(self, stages, tmp_path):
    assert run(stages, tmp_path) == 0
    kernels = {
      (name, seed): np.asarray(
        checkpoints.load(str(tmp_path / name / f"seed{seed}")).variables[
          "params"
        ]["first"]["kernel"]
      )
      for name in ("stage1", "stage2")
      for seed in (0, 1)
    }
    for seed in (0, 1):
      np.testing.assert_array_equal(
        kernels["stage1", seed], kernels["stage2", seed]
      )
    assert (kernels["stage1", 0] != kernels["stage1", 1]).any()

  def test_is_resumed(self, stages, tmp_path, monkeypatch):
    assert run(stages, tmp_path, seeds=1) == 0
    kept = load_config(str(tmp_path / "stage2/seed0")).init_from.to_dict()
    assert kept == {"generator/first": str(tmp_path / "stage1/seed0")}
    monkeypatch.setattr(loop, "train", lambda *_: pytest.fail("trained again"))
    assert run(stages, tmp_path, seeds=1) == 0

  def test_what_began_with_weights_that_are_gone_is_refused(
    self, stages, tmp_path
  ):
    assert run(stages, tmp_path, seeds=2) == 0
    first = tmp_path / "stage1" / "seed0"
    for change in (
      lambda: shutil.rmtree(first / "checkpoints"),
      lambda: shutil.copytree(
        tmp_path / "stage1" / "seed1" / "checkpoints", first / "checkpoints"
      ),
    ):
      change()
      with pytest.raises(UserError, match="stage2: .* was trained again since"):
        run(stages, tmp_path, seeds=1)

  def test_moved_one_goes_on(self, stages, tmp_path, monkeypatch):
    assert run(stages, tmp_path / "here", seeds=1) == 0
    os.replace(tmp_path / "here", tmp_path / "there")
    monkeypatch.setattr(loop, "train", lambda *_: pytest.fail("trained again"))
    assert run(stages, tmp_path / "there", seeds=1) == 0

  def test_source_of_another_size_is_told_before_training(
    self, stages, data, tmp_path, monkeypatch
  ):
    monkeypatch.setattr(loop, "train", lambda *_: pytest.fail("trained"))
    wrong = config_file(
      tmp_path / "wrong.py",
      data,
      judged=False,
      more="c.init_from['generator/frist'] = 'runs/stage1'",
    )
    with pytest.raises(UserError, match="wrong: .* is not in both networks"):
      run([stages[0], wrong], tmp_path / "ladder")

  def test_wrong_order_is_told_before_anything_is_written(
    self, stages, tmp_path
  ):
    with pytest.raises(UserError, match="stage2: config.init_from"):
      run(stages[::-1], tmp_path / "ladder")
    assert not (tmp_path / "ladder").exists()

  def test_source_that_is_no_row_must_be_there(
    self, stages, tmp_path, monkeypatch
  ):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="stage2: .*runs/stage1: no checkpoint"):
      run(stages[1:], tmp_path / "ladder")
    assert not (tmp_path / "ladder").exists()
