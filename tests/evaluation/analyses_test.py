"""The analyses in whole evaluations of a system whose maps are known."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from sginpaint.data.classes import ClassInfo
from sginpaint.errors import UserError
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.results import SYSTEM, to_csv
from tests.evaluation.mapped import counted, ious, pictures, run
from tests.evaluation.toy import (
  MAP,
  SIZE,
  LabelledExamples,
  PlainSystem,
  UnlabelledExamples,
  columns,
  labelled_split,
)


@pytest.fixture(name="found", scope="module")
def _found():
  return run(batch_size=3)


class TestHoleSegmentation:
  def test_scores_are_those_of_a_loop(self, found):
    matrix = counted(found, MAP)
    scores = found.metrics["metrics"]["all"]
    accuracy = np.trace(matrix) / matrix.sum()
    assert scores["hole_pixel_accuracy"] == pytest.approx(accuracy)
    assert scores["hole_miou"] == pytest.approx(ious(matrix).mean())

  def test_every_bucket_has_its_own(self, found):
    section = found.metrics["analyses"]["hole_segmentation"]
    buckets = section["buckets"]
    assert list(buckets) == list(found.metrics["metrics"])
    apart = set(buckets) - {"all", "20-40", "40-60"}
    pixels = sum(buckets[bucket]["pixels"] for bucket in apart)
    assert pixels == buckets["all"]["pixels"] == counted(found, MAP).sum()

  def test_classes_are_told_apart(self, found):
    classes = found.metrics["analyses"]["hole_segmentation"]["classes"]
    matrix = counted(found, MAP)
    assert list(classes) == ["sky", "ground"]
    assert [c["iou"] for c in classes.values()] == pytest.approx(ious(matrix))
    true = [c["true_pixels"] for c in classes.values()]
    assert true == matrix.sum(axis=1).tolist()


class TestCalibration:
  def test_confidence_of_a_picture_is_the_mean_over_its_hole(self, found):
    for row, hole, _ in pictures(found):
      bright = (20 + 10 * row.index + 8) / 255
      confidence = 0.503 + 0.47 * bright * columns(SIZE)
      assert row.scores[SYSTEM]["hole_confidence"] == pytest.approx(
        confidence[hole].mean(), rel=1e-5
      )

  def test_diagram_holds_every_labelled_hole_pixel(self, found):
    section = found.metrics["analyses"]["calibration"]
    pixels = sum(b["pixels"] for b in section["bins"])
    right = sum(b["pixels"] * (b["accuracy"] or 0) for b in section["bins"])
    matrix = counted(found, MAP)
    assert pixels == section["pixels"] == matrix.sum()
    assert right == pytest.approx(np.trace(matrix))

  def test_confidence_of_every_picture_is_in_the_table(self, found):
    table = list(
      csv.DictReader(io.StringIO(to_csv(found.rows, found.protocol)))
    )
    mean = np.mean([float(line["hole_confidence"]) for line in table])
    section = found.metrics["analyses"]["calibration"]
    assert mean == pytest.approx(section["mean_confidence"], abs=1e-6)


class TestScales:
  def test_means_and_rise_by_hand(self, found):
    coarse, fine = found.metrics["analyses"]["scales"]["scales"]
    means = []
    for row, hole, _ in pictures(found):
      bright = (20 + 10 * row.index + 8) / 255
      cells = hole.reshape(SIZE // 2, 2, SIZE // 2, 2).any((1, 3))
      half = (0.5 + 0.2 * bright * columns(SIZE // 2))[cells].mean()
      full = (0.503 + 0.47 * bright * columns(SIZE))[hole].mean()
      means.append((half, full))
    expected = np.mean(means, axis=0)
    assert coarse["confidence"] == pytest.approx(expected[0], rel=1e-5)
    assert fine["confidence"] == pytest.approx(expected[1], rel=1e-5)
    assert fine["rise"] == pytest.approx(expected[1] - expected[0], rel=1e-4)
    assert fine["rises_in"] == np.mean([full > half for half, full in means])
    assert "rise" not in coarse

  def test_rise_is_shown_of_all_but_the_coarsest(self, found):
    assert {"rise", "confidence_1"} <= set(found.panels[0].details)
    assert "rise_1" not in found.panels[0].details

  def test_pictures_and_maps_of_each_scale_are_scored(self, found):
    coarse, fine = found.metrics["analyses"]["scales"]["scales"]
    assert coarse["hole_mae"] == pytest.approx((8 + 16) / 255)
    assert fine["hole_mae"] == pytest.approx(8 / 255)
    for line, predicted in ((coarse, np.ones_like(MAP)), (fine, MAP)):
      expected = ious(counted(found, predicted)).mean()
      assert line["miou"] == pytest.approx(expected)


class TestEvaluation:
  def test_ragged_batches_equal_one_full_batch(self, found):
    full = run(batch_size=7)
    assert _flat(found.metrics["analyses"]) == pytest.approx(
      _flat(full.metrics["analyses"]), rel=1e-5
    )

  def test_nothing_switched_on_adds_nothing(self):
    evaluation = run(analyses=(), batch_size=7)
    assert "analyses" not in evaluation.metrics
    measured = {m.name for m in PROTOCOLS["standard"].measures}
    assert set(evaluation.metrics["metrics"]["all"]) == {"count"} | measured

  def test_pictures_without_a_hole_are_left_out(self, tmp_path, found):
    for i in range(7):
      level = np.zeros((SIZE, SIZE), np.uint8)
      level[:8, :8] = 255 * (i % 2)
      Image.fromarray(level).save(tmp_path / f"{i}.png")
    metrics = run(masks=str(tmp_path), batch_size=3).metrics
    assert metrics["without_hole"] == 4
    sections = metrics["analyses"]
    assert sections["calibration"]["pictures"] == 3
    values = _flat({name: sections[name] for name in ("calibration", "scales")})
    assert np.isfinite(list(values.values())).all()

  def test_maps_have_the_colours_of_the_training(self):
    other = (ClassInfo("tree", (9, 8, 7)), ClassInfo("sea", (6, 5, 4)))
    split = dataclasses.replace(labelled_split(3), classes=other)
    shown = run(split=split).panels[0].extras["segmentation"]
    assert {tuple(c) for c in shown.reshape(-1, 3).tolist()} == {
      info.colour for info in labelled_split(3).classes
    }

  def test_lists_of_scales_are_no_panels(self):
    panels = run(outputs=("scales", "segmentation")).panels
    assert "scales" not in panels[0].extras

  def test_labels_are_shown_beside_the_map(self, found):
    extras = found.panels[0].extras
    assert list(extras) == ["segmentation", "true_labels", "wrong_labels"]

  @pytest.mark.parametrize(
    ("change", "said"),
    [
      ({"examples": UnlabelledExamples(7)}, "no labels"),
      ({"classes": (ClassInfo("tree", (0, 1, 0)),) * 2}, "other classes"),
    ],
  )
  def test_unlabelled_pictures_evaluate_too(self, found, change, said):
    split = dataclasses.replace(labelled_split(7), **change)
    evaluation = run(split=split, batch_size=3)
    metrics = evaluation.metrics
    assert list(evaluation.panels[0].extras) == ["segmentation"]
    assert "hole_miou" not in metrics["metrics"]["all"]
    sections = metrics["analyses"]
    assert all(said in s["statement"] for s in sections.values())
    with_labels = found.metrics["analyses"]["calibration"]
    assert sections["calibration"]["pearson"] == with_labels["pearson"]
    assert sections["scales"]["scales"][0]["hole_mae"] > 0
    assert "miou" not in sections["scales"]["scales"][0]


class _Unreadable(LabelledExamples):
  def __getitem__(self, index):
    raise AssertionError("a picture was read")


class TestMistakes:
  @pytest.mark.parametrize(
    ("analyses", "message"),
    [
      (("calibration",), "calibration needs the output 'segmentation'"),
      (("scales",), "scales needs the output 'image_1'"),
      (("calibrate",), "analyses=calibrate: not known; choose from hole_segm"),
    ],
  )
  def test_are_told_before_a_picture_is_read(self, analyses, message):
    split = dataclasses.replace(labelled_split(7), examples=_Unreadable(7))
    with pytest.raises(UserError, match=message) as caught:
      run(PlainSystem(), split, analyses=analyses)
    assert str(caught.value).startswith("config.eval.analyses")


def _flat(value, prefix=""):
  """{path: number} of nested sections."""
  if isinstance(value, (dict, list)):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {
      path: number
      for name, inner in items
      for path, number in _flat(inner, f"{prefix}/{name}").items()
    }
  return {} if value is None else {prefix: value}
