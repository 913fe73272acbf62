"""A classifier that names the attributes of the filled pictures."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator, judges
from sginpaint.evaluation.attribute_agreement import agreement
from sginpaint.evaluation.ladder import Entry, Score, build_table
from sginpaint.evaluation.ladder_markdown import to_markdown
from tests.evaluation.toy import (
  PlainClassifier,
  PlainSystem,
  load_toy,
  plain_split,
)

COUNT = 9
OFF = 60  # grey levels that the fill is too bright


class _Reader(PlainClassifier):
  """Bright where the mean is above 65.3, dark below; graded by the mean."""

  def predict(self, variables, frozen, batch):
    level = batch.image.mean((1, 2, 3)) * 127.5 + 127.5
    bright = (level - 65.3) / 10
    return {"attribute_logits": jnp.stack([-bright, bright, bright + 9], -1)}


@pytest.fixture(name="judge", autouse=True)
def _judge(monkeypatch):
  """A workdir "judge" whose classifier knows one attribute of its own."""
  judge = dataclasses.replace(load_toy(_Reader()), hash="5" * 64)
  judge.config.data.attributes = ("dark", "bright", "coloured")
  monkeypatch.setattr(judges, "steps", lambda path: [7] * (path == "judge"))
  monkeypatch.setattr(judges.checkpoints, "load", lambda *_, **__: judge)
  return judge


def _run(split=None, off=OFF, **fields):
  fields = {"classifier": "judge", "baselines": ("mean_color",), **fields}
  loaded = load_toy(PlainSystem(off=off), **fields)
  return evaluator.run(loaded, split or plain_split(COUNT), progress=False)


def _levels(evaluation, off):
  """float [N]: mean level of the fills, known from the hole ratios."""
  return np.array([20 + 10 * r.index + off * r.ratio for r in evaluation.rows])


def _precision(truth, scores):
  """Mean over the present ones of the precision down to their rank."""
  ranked = np.asarray(truth)[np.argsort(-scores)]
  ranks = np.flatnonzero(ranked) + 1
  return np.mean([(n + 1) / rank for n, rank in enumerate(ranks)])


def _logits(levels):
  bright = (levels - 65.3) / 10
  return np.stack([-bright, bright, bright + 9], -1)


class TestByHand:
  def test_unknown_attributes_do_not_count(self):
    logits = np.array([[2.0, -1.0, 3.0], [0.5, 1.0, -1.0], [1.0, 1.0, 1.0]])
    nan = np.nan
    truth = np.array([[1.0, 1.0, nan], [1.0, 1.0, 0.0], [nan, nan, nan]])
    np.testing.assert_array_equal(agreement(logits, truth), [0.5, 1.0, nan])


class TestWhole:
  def test_scores_are_those_of_the_readings(self):
    found = _run(batch_size=4)
    clean = _logits(_levels(found, 0))
    # The data says (bright, dark) = (odd, even).
    odd = np.array([row.index % 2 for row in found.rows])
    truth = np.stack([1 - odd, odd], -1)
    for method, off in (("system", OFF), ("mean_color", 0)):
      logits = _logits(_levels(found, off))
      right = ((logits[:, :2] > 0) == truth).mean(1)
      same = ((logits > 0) == (clean > 0)).mean(1)
      scores = [row.scores[method] for row in found.rows]
      assert [s["attribute_agreement"] for s in scores] == right.tolist()
      np.testing.assert_allclose(
        [s["attribute_consistency"] for s in scores], same
      )
      section = found.metrics["analyses"]["attribute_agreement"]["methods"]
      assert section[method]["attribute_agreement"] == right.mean()
      precisions = [_precision(truth[:, a], logits[:, a]) for a in (0, 1)]
      assert section[method]["attribute_map"] == pytest.approx(
        np.mean(precisions)
      )
    assert section["truth"]["attribute_consistency"] == 1.0
    assert section["mean_color"]["attribute_consistency"] == 1.0

  def test_every_bucket_has_its_own(self):
    found = _run(batch_size=COUNT)
    metrics = found.metrics
    rows = [row for row in found.rows if 0.3 <= row.ratio < 0.4]
    odd = np.array([row.index % 2 for row in rows])
    levels = np.array([20 + 10 * r.index + OFF * r.ratio for r in rows])
    logits = _logits(levels)
    expected = [
      _precision(t, logits[:, a])
      for a, t in enumerate((1 - odd, odd))
      if t.any()
    ]
    bucket = metrics["metrics"]["30-40"]
    assert bucket["attribute_map"] == pytest.approx(np.mean(expected))
    assert set(bucket) == set(metrics["metrics"]["all"])

  def test_attributes_are_told_apart_by_name(self):
    section = _run(batch_size=COUNT).metrics["analyses"]["attribute_agreement"]
    assert list(section["attributes"]) == ["dark", "bright"]
    dark = section["attributes"]["dark"]
    assert (dark["known"], dark["share"]) == (COUNT, pytest.approx(5 / 9))

  def test_without_labels_the_true_picture_is_compared_to(self):
    split = dataclasses.replace(plain_split(COUNT), attributes=())
    metrics = _run(split, batch_size=COUNT).metrics
    assert "attribute_agreement" not in metrics["metrics"]["all"]
    assert metrics["metrics"]["all"]["attribute_consistency"] < 1.0
    section = metrics["analyses"]["attribute_agreement"]
    assert "no attribute that the classifier knows" in section["statement"]

  def test_files_and_ladder_have_the_columns(self, tmp_path):
    loaded = load_toy(
      PlainSystem(off=OFF), classifier="judge", baselines=("mean_color",)
    )
    split = plain_split(COUNT)
    evaluator.evaluate(loaded, split, output_dir=tmp_path, progress=False)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    header = (tmp_path / "per_image.csv").read_text().splitlines()[0]
    assert "attribute_agreement" in header.split(",")
    assert "mean_color_attribute_consistency" in header.split(",")
    report = (tmp_path / "report.html").read_text()
    assert "Judge: plain of toy, step 7 (555555555555)" in report
    assert "Guided the training: no network" in report
    table = build_table([Entry("gan", None, {0: Score(metrics, 1, {})})])
    assert {"attribute_agreement", "attribute_map", "attribute_consistency"} < {
      *table.measures
    }
    assert "attribute_agreement" in to_markdown([table])


class TestWhoMayJudge:
  def _guided(self, tmp_path, **fields):
    (tmp_path / "frozen" / "attributes").mkdir(parents=True)
    loaded = load_toy(PlainSystem(), classifier="judge", **fields)
    loaded = dataclasses.replace(loaded, workdir=str(tmp_path))
    return evaluator.run(loaded, plain_split(3), progress=False)

  def test_who_guided_is_refused(self, tmp_path):
    with pytest.raises(UserError, match="'attributes' that guided the train"):
      self._guided(tmp_path)

  def test_unless_it_is_told_and_then_named(self, tmp_path):
    found = self._guided(tmp_path, guide_judges=True)
    record = found.metrics["analyses"]["attribute_agreement"]["classifier"]
    assert record["guides"] == {"attributes": record["hash"]}

  def test_newest_step_of_what_guided_as_the_best_is_refused(
    self, tmp_path, judge, monkeypatch
  ):
    newest = dataclasses.replace(judge, hash="6" * 64)

    def load(path, *, step=None):
      return newest if path == "judge" and step is None else judge

    def best(path):
      return "best" if path == "judge" else None

    monkeypatch.setattr(judges.checkpoints, "load", load)
    monkeypatch.setattr(judges.checkpoints, "guiding_step", best)
    with pytest.raises(UserError, match="'attributes' that guided the train"):
      self._guided(tmp_path)

  def test_what_is_no_classifier_is_refused(self, judge, monkeypatch):
    painter = dataclasses.replace(judge, system=PlainSystem())
    monkeypatch.setattr(judges.checkpoints, "load", lambda *_, **__: painter)
    with pytest.raises(UserError, match="holds a plain; give a classifier"):
      _run()

  def test_missing_workdir_names_the_mend(self):
    with pytest.raises(UserError, match="classifier=gone: no checkpoint"):
      _run(classifier="gone")
