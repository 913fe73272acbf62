"""Scores of label maps by hand and by slow loops, and the files they end in."""

import csv
import dataclasses
import json

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.segmentation import (
  class_scores,
  confusion_matrices,
  mean_scores,
  most_common_class,
)
from sginpaint.systems.base import System
from tests.evaluation.toy import (
  CLASSES,
  SIZE,
  PlainExamples,
  load_toy,
  plain_split,
)


class TestConfusionMatrices:
  def test_counts_as_loops_do(self):
    rng = np.random.default_rng(0)
    truth = rng.choice(np.array([0, 1, 2, 255]), (3, 5, 6)).astype(np.int32)
    prediction = rng.integers(0, 3, (3, 5, 6))
    expected = np.zeros((3, 3, 3), int)
    for (b, y, x), t in np.ndenumerate(truth):
      if t != 255:
        expected[b, t, prediction[b, y, x]] += 1
    found = confusion_matrices(truth, prediction, 3)
    np.testing.assert_array_equal(found, expected)

  def test_matrices_of_parts_add_up(self):
    rng = np.random.default_rng(1)
    truth, prediction = rng.integers(0, 4, (2, 6, 7, 7))
    parts = [
      np.asarray(confusion_matrices(truth[i], prediction[i], 4), np.int64).sum(
        0
      )
      for i in (slice(0, 2), slice(2, 6))
    ]
    whole = np.asarray(confusion_matrices(truth, prediction, 4)).sum(0)
    np.testing.assert_array_equal(sum(parts), whole)
    assert mean_scores(sum(parts)) == mean_scores(whole)


class TestScores:
  # Class 2 is never true but predicted; class 3 is nowhere.
  MATRIX = np.array([[6, 2, 0, 0], [1, 3, 4, 0], [0] * 4, [0] * 4])

  @pytest.mark.parametrize("convert", [np.asarray, jnp.asarray])
  def test_by_hand(self, convert):
    matrix = convert(self.MATRIX)
    iou, accuracy = class_scores(matrix)
    np.testing.assert_allclose(iou, [6 / 9, 3 / 10, 0, np.nan], rtol=1e-6)
    np.testing.assert_allclose(
      accuracy, [6 / 8, 3 / 8, np.nan, np.nan], rtol=1e-6
    )
    scores = mean_scores(matrix)
    assert float(scores["miou"]) == pytest.approx((6 / 9 + 3 / 10) / 3)
    assert float(scores["pixel_accuracy"]) == pytest.approx(9 / 16)
    assert float(scores["mean_accuracy"]) == pytest.approx((6 / 8 + 3 / 8) / 2)

  def test_nothing_labelled_has_no_score(self):
    scores = mean_scores(np.zeros((2, 3, 3), int))
    assert all(np.isnan(values).all() for values in scores.values())

  def test_most_common_class_everywhere(self):
    matrix = np.array([[1, 3], [2, 4]])
    np.testing.assert_array_equal(most_common_class(matrix), [[0, 4], [0, 6]])


@dataclasses.dataclass(frozen=True)
class _Half(System):
  """Right in the upper half of every picture, always class 0 below."""

  generator: nn.Module = dataclasses.field(default_factory=nn.Module)
  broken: bool = False

  def predict(self, variables, frozen, batch):
    level = batch.image[..., 0] * 127.5 + 127.5
    labels = (jnp.round((level - 20) / 10) % 2).astype(jnp.int32)
    labels = labels.at[:, SIZE // 2 :].set(0)
    confidence = jnp.full(labels.shape, jnp.nan if self.broken else 1.0)
    return {"segmentation": labels, "confidence": confidence}


@dataclasses.dataclass(frozen=True)
class _Open(PlainExamples):
  """Nothing is known of the last picture."""

  def __getitem__(self, index):
    example = super().__getitem__(index)
    if index == self.count - 1:
      example["segmentation"][:] = 255
    return example


class TestEvaluateSegmenter:
  """7 pictures in batches of 4: of class 0, 1, 0, 1, 0, 1, and an open one."""

  @pytest.fixture
  def done(self, tmp_path):
    split = dataclasses.replace(plain_split(7), examples=_Open(7))
    found = evaluator.evaluate(load_toy(_Half()), split, output_dir=tmp_path)
    assert found == json.loads((tmp_path / "metrics.json").read_text())
    return found, tmp_path

  def test_scores_by_hand(self, done):
    metrics, folder = done
    half, whole = 3 * SIZE**2 // 2, 3 * SIZE**2
    assert (folder / "confusion.csv").read_text() == (
      f"true,sky,ground\nsky,{whole},0\nground,{half},{half}\n"
    )
    assert metrics["metrics"]["all"] == {
      "count": 7,
      "miou": pytest.approx((2 / 3 + 1 / 2) / 2),
      "pixel_accuracy": pytest.approx(3 / 4),
      "mean_accuracy": pytest.approx(3 / 4),
    }
    assert metrics["baselines"]["most_common"]["all"]["miou"] == 0.25
    assert metrics["classes"]["ground"] == {
      "iou": 0.5,
      "accuracy": 0.5,
      "true_pixels": whole,
      "predicted_pixels": half,
    }
    assert metrics["classes_absent"] == 0

  def test_every_picture_has_its_line(self, done):
    _, folder = done
    with (folder / "per_image.csv").open() as file:
      rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"plain_{i}" for i in range(7)]
    accuracies = [row["pixel_accuracy"] for row in rows]
    assert accuracies == ["1.000000", "0.500000"] * 3 + [""]

  def test_report_names_classes_and_shows_pictures(self, done):
    _, folder = done
    page = (folder / "report.html").read_text()
    for info in CLASSES:
      assert f"{info.name.capitalize()}</td>" in page
    assert page.count('<div class="strip">') == 3
    assert "http" not in page
    assert (folder / "grid.png").stat().st_size > 100

  def test_absent_classes_are_counted_and_left_out(self, tmp_path):
    metrics = evaluator.evaluate(
      load_toy(_Half(), count=1), plain_split(7), output_dir=tmp_path
    )
    assert metrics["classes"]["ground"]["iou"] is None
    assert metrics["classes_absent"] == 1
    assert metrics["metrics"]["all"]["miou"] == 1.0

  @pytest.mark.parametrize(
    ("system", "classes", "examples", "words"),
    [
      (_Half(), CLASSES[::-1], PlainExamples(2), "the checkpoint knows sky"),
      (_Half(), (), PlainExamples(2), r"the classes \(none\)"),
      (_Half(), CLASSES, _Open(1), "no labelled pixel"),
      (_Half(broken=True), CLASSES, PlainExamples(2), "NaN or infinity"),
    ],
  )
  def test_what_cannot_be_scored(
    self, tmp_path, system, classes, examples, words
  ):
    split = dataclasses.replace(
      plain_split(2), classes=classes, examples=examples
    )
    with pytest.raises(UserError, match=words):
      evaluator.evaluate(load_toy(system), split, output_dir=tmp_path)
    assert not list(tmp_path.iterdir())
