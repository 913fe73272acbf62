"""`evaluate --watch` beside a training: every step once, whatever happens."""

import json
import os
import pathlib
import threading
import time

import pytest

from sginpaint import checkpoints, workdirs
from sginpaint.cli import evaluate, train, watch
from sginpaint.errors import UserError
from tests.training.small import flags, prepare_scenes

STEPS = 8
EVALUATION = ("--config.eval.count=2", "--config.eval.baselines=()")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Steps 2, 4, 6, 8 of a training of seconds."""
  root = tmp_path_factory.mktemp("watched")
  options = flags(
    prepare_scenes(root / "data"),
    **{
      "steps": STEPS,
      "checkpoint.every": 2,
      "checkpoint.keep": 9,
      "checkpoint.best": "hole_psnr",
      "eval.every": 4,
      "eval.in_loop_count": 2,
    },
  )
  assert train.main([f"--workdir={root / 'run'}", *options]) == 0
  return root / "run"


def test_running_training_half_written_save_and_end(
  trained, tmp_path, monkeypatch, capsys
):
  """The training is played by a thread that puts its checkpoints in place."""
  monkeypatch.setattr(watch, "POLL", 0.05)
  run = tmp_path / "run"
  (run / "checkpoints").mkdir(parents=True)
  (run / "config.json").write_bytes((trained / "config.json").read_bytes())
  copy(trained, run, 2)
  (run / "checkpoints" / "3.corrupt").mkdir()
  (run / "checkpoints" / "4.orbax-checkpoint-tmp").mkdir()
  (run / "checkpoints" / "6").mkdir()  # as a save on some file systems begins

  def go_on():
    wait_for(run / "eval" / "2" / "metrics.json")
    for step in (4, 6, 8):
      copy(trained, run, step)
      time.sleep(0.2)

  thread = threading.Thread(target=go_on)
  thread.start()
  words = [f"--workdir={run}", "--watch", "--idle=60", *EVALUATION]
  assert evaluate.main(words) == 0
  thread.join()
  told = [x for x in capsys.readouterr().out.splitlines() if "step " in x]
  assert [line.split(":")[0] for line in told[:-1]] == [
    "step 2",
    *(f"step {step}" for step in order_of(run)[1:]),
  ]
  points = json.loads((run / "eval" / "curve.json").read_text())["points"]
  assert [point["step"] for point in points] == [2, 4, 6, 8]
  # Once more: all is done, nothing is evaluated again.
  monkeypatch.setattr(watch, "evaluate", None)
  assert evaluate.main(words) == 0


def order_of(run):
  """Steps by the time at which they were evaluated."""
  files = {
    step: run / "eval" / str(step) / "metrics.json" for step in (2, 4, 6, 8)
  }
  return sorted(files, key=lambda step: files[step].stat().st_mtime_ns)


def copy(source: pathlib.Path, run: pathlib.Path, step: int) -> None:
  """As Orbax does: written beside, then renamed."""
  target = run / "checkpoints" / str(step)
  draft = run / "checkpoints" / f"{step}.orbax-checkpoint-tmp"
  os.system(f"rm -rf {target} {draft}")
  os.system(f"cp -r {source}/checkpoints/{step} {draft}")
  draft.rename(target)


def wait_for(path: pathlib.Path) -> None:
  for _ in range(6000):
    if path.exists():
      return
    time.sleep(0.05)


def test_idleness_ends_it(trained, tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(watch, "POLL", 0.05)
  (tmp_path / "checkpoints").mkdir()
  config = trained / "config.json"
  (tmp_path / "config.json").write_bytes(config.read_bytes())
  words = [f"--workdir={tmp_path}", "--watch", "--idle=0.1"]
  assert evaluate.main(words) == 0
  assert "no new checkpoint" in capsys.readouterr().out


def test_step_does_not_go_with_watch(trained):
  with pytest.raises(UserError, match="--step"):
    evaluate.main([f"--workdir={trained}", "--watch", "--step=2"])


def test_best_step_is_the_one_that_scored_best(trained):
  """In the training: steps 4 and 8 were evaluated."""
  scores = {
    step: checkpoints.read_scores(str(trained), step) for step in (2, 4, 6, 8)
  }
  assert scores[2] == scores[6] == {}
  best = max((4, 8), key=lambda step: scores[step]["hole_psnr"])
  assert checkpoints.load(str(trained), step="best").step == best
  assert workdirs.steps(str(trained)) == [8, 6, 4, 2]
  lines = (trained / "log.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines]
  logged = {r["step"]: r for r in rows if "validation/hole_psnr" in r}
  for step in (4, 8):
    hole_psnr = scores[step]["hole_psnr"]
    assert logged[step]["validation/hole_psnr"] == hole_psnr


@pytest.mark.parametrize(
  "fields, message",
  [
    ({"checkpoint.best": "hole_psnr"}, "config.eval.every"),
    ({"eval.every": 3, "checkpoint.every": 2}, "config.eval.every=3"),
    ({"remat": "all"}, "config.remat"),
    ({"accumulate": 3}, "config.accumulate=3"),
  ],
)
def test_bad_settings_are_one_clear_error(trained, fields, message):
  config = workdirs.load_config(str(trained))
  options = flags(config.data.path, **{"steps": 2} | fields)
  with pytest.raises(UserError, match=message):
    train.main([f"--workdir={trained.parent / 'none'}", *options])
