"""The ladder command on toy systems: what it does, repeats and adds."""

import contextlib
import io
import json
import os
import shutil
import signal

import numpy as np
import pytest

from sginpaint.cli import ladder_runs
from sginpaint.training import loop, setup
from sginpaint.training.step import prepare_batch
from sginpaint.training.writer import Writer
from sginpaint.workdirs import load_config, steps
from tests.cli.ladders import config_file, run

pytestmark = pytest.mark.usefixtures("known_toys")


@contextlib.contextmanager
def spied(root):
  """Yields what is done: [(what, folder, batches that were trained on)]."""
  done = []
  train, evaluate = loop.train, ladder_runs.evaluate
  put = loop.sharding.put_batch

  def note(what, folder):
    done.append((what, os.path.relpath(folder, root), []))

  def spy_train(config, workdir):
    note("train", workdir)
    return train(config, workdir)

  def spy_put(batch, mesh):
    done[-1][-1].append(batch)
    return put(batch, mesh)

  def spy_evaluate(loaded, split, *, output_dir, **options):
    note("evaluate", output_dir)
    return evaluate(loaded, split, output_dir=output_dir, **options)

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(loop, "train", spy_train)
    patch.setattr(loop.sharding, "put_batch", spy_put)
    patch.setattr(ladder_runs, "evaluate", spy_evaluate)
    yield done


@pytest.fixture
def calls(tmp_path):
  with spied(tmp_path) as done:
    yield done


@pytest.fixture(scope="module")
def climbed(configs, tmp_path_factory):
  """(workdir, what was done, what was printed) of 2 configs x 2 seeds."""
  root = tmp_path_factory.mktemp("ladder")
  printed = io.StringIO()
  with spied(root) as done, contextlib.redirect_stdout(printed):
    assert run(configs, root, "--truth") == 0
  return root, done, printed.getvalue()


@pytest.fixture
def copy(climbed, tmp_path):
  """A copy of that workdir, to go on from."""
  return shutil.copytree(climbed[0], tmp_path, dirs_exist_ok=True)


def without_batches(calls):
  return [call[:2] for call in calls]


def tables(root):
  return json.loads((root / "ladder.json").read_text())


class TestWhole:
  def test_seeds_are_the_outer_loop(self, climbed):
    assert without_batches(climbed[1]) == [
      step
      for seed in ("seed0", "seed1")
      for step in (
        ("train", f"plain/{seed}"),
        ("evaluate", f"plain/{seed}/eval/center"),
        ("train", f"guided/{seed}"),
        ("evaluate", f"guided/{seed}/eval/center"),
        ("evaluate", f"guided/{seed}/eval_true_map/center"),
      )
    ]

  def test_table_is_of_what_the_evaluations_found(self, climbed):
    root, _, printed = climbed
    (table,) = tables(root)
    rows = {row["name"]: row for row in table["rows"]}
    assert list(rows) == ["plain", "guided", "guided (true map)", "mean_color"]
    # 3x3 filters of 4 channels to 4, then of 4 to 3, with their offsets.
    assert rows["plain"]["parameters"] == 9 * 4 * 4 + 4 + 9 * 4 * 3 + 3
    assert (rows["guided"]["steps"], rows["guided"]["seeds"]) == (2, [0, 1])
    plain, guided = (
      [self.found(root / name / f"seed{k}/eval/center") for k in (0, 1)]
      for name in ("plain", "guided")
    )
    change = np.subtract(guided, plain)
    spread = rows["guided"]["difference"]
    assert spread["mean"] == pytest.approx(np.mean(change))
    assert spread["deviation"] == pytest.approx(np.std(change, ddof=1))
    assert (root / "ladder.md").read_text() in printed

  def found(self, folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    return metrics["metrics"]["all"]["hole_psnr"]

  def test_true_map_is_told(self, climbed):
    rows = {row["name"]: row for row in tables(climbed[0])[0]["rows"]}
    told = rows["guided (true map)"]["scores"]["hole_psnr"]
    # Told, it paints the same whatever its weights are.
    assert told["deviation"] == 0
    assert rows["guided"]["scores"]["hole_psnr"]["deviation"] > 0

  def test_one_seed_is_the_same_pictures_and_holes_in_every_row(self, climbed):
    root, calls, _ = climbed
    seen = {
      folder: [example(root / folder, i, b) for i, b in enumerate(batches)]
      for what, folder, batches in calls
      if what == "train"
    }
    for seed in (0, 1):
      rows = seen[f"plain/seed{seed}"], seen[f"guided/seed{seed}"]
      np.testing.assert_equal(*rows)
      assert len(rows[0]) == 2
    for i in (0, 1):
      assert np.any(seen["plain/seed0"][0][i] != seen["plain/seed1"][0][i])


def example(workdir, step, batch):
  """Pictures and masks of a step."""
  config = load_config(str(workdir))
  drawn = prepare_batch(batch, config.seed, step, setup.mask_options(config))
  return np.asarray(batch.image), np.asarray(drawn.mask)


class TestAgain:
  def test_nothing_is_repeated(self, configs, copy, calls):
    before = (copy / "ladder.md").read_text()
    assert run(configs, copy, "--truth") == 0
    assert calls == []
    assert (copy / "ladder.md").read_text() == before

  def test_other_settings_are_evaluated_but_not_trained(
    self, configs, copy, calls
  ):
    assert run(configs, copy, "--config.eval.count=3", seeds=1) == 0
    assert without_batches(calls) == [
      ("evaluate", f"{name}/seed0/eval/center") for name in ("plain", "guided")
    ]
    assert tables(copy)[0]["count"] == 3

  def test_other_weights_are_evaluated(self, configs, copy, calls):
    shutil.rmtree(copy / "plain/seed0/checkpoints")
    shutil.copytree(
      copy / "plain/seed1/checkpoints", copy / "plain/seed0/checkpoints"
    )
    assert run(configs, copy) == 0
    assert without_batches(calls) == [("evaluate", "plain/seed0/eval/center")]

  def test_more_is_added(self, configs, data, copy, calls, tmp_path):
    third = config_file(tmp_path / "third.py", data)
    masks = ("center", "rectangle")
    assert run([third, configs[0]], copy, seeds=1, masks=masks) == 0
    assert without_batches(calls) == [
      ("train", "third/seed0"),
      ("evaluate", "third/seed0/eval/center"),
      ("evaluate", "third/seed0/eval/rectangle"),
      ("evaluate", "plain/seed0/eval/rectangle"),
    ]
    for table, name in zip(tables(copy), masks, strict=True):
      assert table["masks"] == name
      rows = [row["name"] for row in table["rows"]]
      assert rows == ["third", "plain", "mean_color"]


def test_systems_without_pictures_are_evaluated_once(data, calls, tmp_path):
  path = config_file(tmp_path / "labels.py", data, system="labels")
  for _ in range(2):
    masks = ("center", "rectangle")
    assert run([path], tmp_path, seeds=1, masks=masks) == 0
  assert without_batches(calls) == [
    ("train", "labels/seed0"),
    ("evaluate", "labels/seed0/eval/none"),
  ]
  (table,) = tables(tmp_path)
  assert (table["masks"], table["compared"]) == ("none", "miou")
  labels, most_common = table["rows"]
  assert labels["scores"].keys() == most_common["scores"].keys()


class TestInterrupts:
  @pytest.mark.parametrize(
    "number, code", [(signal.SIGTERM, 0), (signal.SIGINT, 130)]
  )
  def test_half_a_training_is_not_evaluated(
    self, configs, calls, tmp_path, monkeypatch, number, code
  ):
    scalars = Writer.scalars

    def interrupt(self, step, values):
      scalars(self, step, values)
      if step == 1:
        os.kill(os.getpid(), number)

    many = "--config.steps=40"
    with monkeypatch.context() as patch:
      patch.setattr(Writer, "scalars", interrupt)
      assert run(configs[:1], tmp_path, many) == code
    assert without_batches(calls) == [("train", "plain/seed0")]
    assert steps(str(tmp_path / "plain/seed0"))[0] < 40
    assert not (tmp_path / "ladder.md").exists()
    assert run(configs[:1], tmp_path, many, seeds=1) == 0
    assert without_batches(calls)[1:] == [
      ("train", "plain/seed0"),
      ("evaluate", "plain/seed0/eval/center"),
    ]

  def test_half_an_evaluation_is_done_again(
    self, configs, copy, calls, monkeypatch
  ):
    def interrupted(*_, **__):
      raise KeyboardInterrupt

    with monkeypatch.context() as patch:
      patch.setattr(ladder_runs, "evaluate", interrupted)
      with pytest.raises(KeyboardInterrupt):
        run(configs, copy, "--config.eval.seed=1")
    # What it left over is not what was there before it.
    assert run(configs, copy) == 0
    assert without_batches(calls) == [("evaluate", "plain/seed0/eval/center")]
