"""The analyses in whole evaluations of a system whose maps are known."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from sginpaint.data.classes import ClassInfo
from sginpaint.errors import UserError
from sginpaint.evaluation import completed_segmentation, evaluator
from sginpaint.evaluation.results import SYSTEM, to_csv
from tests.evaluation.toy import (
  MAP,
  SIZE,
  LabelledExamples,
  MapSystem,
  PlainSegmenter,
  PlainSystem,
  UnlabelledExamples,
  columns,
  labelled_split,
  load_toy,
)

ALL_THREE = ("hole_segmentation", "calibration", "scales")


def _run(system=None, split=None, **fields):
  fields = {"analyses": ALL_THREE, "outputs": ("segmentation",), **fields}
  loaded = load_toy(system or MapSystem(off=8), **fields)
  return evaluator.run(loaded, split or labelled_split(7), progress=False)


@pytest.fixture(name="found", scope="module")
def _found():
  return _run(batch_size=3)


def _pictures(evaluation):
  """(row, hole [S, S], labels [S, S]) of each picture."""
  examples = LabelledExamples(7)
  for row in evaluation.rows:
    (mask,) = evaluation.manifest.draw([row.index])
    yield row, mask[..., 0] > 0.5, examples[row.index]["segmentation"]


def _counted(evaluation, predicted):
  """Confusion of `predicted` [S, S] over labelled hole pixels, by a loop."""
  matrix = np.zeros((2, 2), int)
  for _, hole, labels in _pictures(evaluation):
    for place in zip(*np.nonzero(hole), strict=True):
      if labels[place] != 255:
        matrix[labels[place], predicted[place]] += 1
  return matrix


def _ious(matrix):
  union = matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
  return matrix.diagonal() / union


class TestHoleSegmentation:
  def test_scores_are_those_of_a_loop(self, found):
    matrix = _counted(found, MAP)
    scores = found.metrics["metrics"]["all"]
    accuracy = np.trace(matrix) / matrix.sum()
    assert scores["hole_pixel_accuracy"] == pytest.approx(accuracy)
    assert scores["hole_miou"] == pytest.approx(_ious(matrix).mean())

  def test_every_bucket_has_its_own(self, found):
    section = found.metrics["analyses"]["hole_segmentation"]
    buckets = section["buckets"]
    assert list(buckets) == list(found.metrics["metrics"])
    apart = set(buckets) - {"all", "20-40", "40-60"}
    pixels = sum(buckets[bucket]["pixels"] for bucket in apart)
    assert pixels == buckets["all"]["pixels"] == _counted(found, MAP).sum()

  def test_classes_are_told_apart(self, found):
    classes = found.metrics["analyses"]["hole_segmentation"]["classes"]
    matrix = _counted(found, MAP)
    assert list(classes) == ["sky", "ground"]
    assert [c["iou"] for c in classes.values()] == pytest.approx(_ious(matrix))
    true = [c["true_pixels"] for c in classes.values()]
    assert true == matrix.sum(axis=1).tolist()


class TestCalibration:
  def test_confidence_of_a_picture_is_the_mean_over_its_hole(self, found):
    for row, hole, _ in _pictures(found):
      bright = (20 + 10 * row.index + 8) / 255
      confidence = 0.503 + 0.47 * bright * columns(SIZE)
      assert row.scores[SYSTEM]["hole_confidence"] == pytest.approx(
        confidence[hole].mean(), rel=1e-5
      )

  def test_diagram_holds_every_labelled_hole_pixel(self, found):
    section = found.metrics["analyses"]["calibration"]
    pixels = sum(b["pixels"] for b in section["bins"])
    right = sum(b["pixels"] * (b["accuracy"] or 0) for b in section["bins"])
    matrix = _counted(found, MAP)
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
    for row, hole, _ in _pictures(found):
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
      ious = _ious(_counted(found, predicted))
      assert line["miou"] == pytest.approx(ious.mean())


class TestEvaluation:
  def test_ragged_batches_equal_one_full_batch(self, found):
    full = _run(batch_size=7)
    assert _flat(found.metrics["analyses"]) == pytest.approx(
      _flat(full.metrics["analyses"]), rel=1e-5
    )

  def test_nothing_switched_on_adds_nothing(self):
    evaluation = _run(analyses=(), batch_size=7)
    assert "analyses" not in evaluation.metrics
    assert set(evaluation.metrics["metrics"]["all"]) == {
      "count", "psnr", "ssim", "mae", "hole_psnr", "hole_mae",
    }  # fmt: skip

  def test_pictures_without_a_hole_are_left_out(self, tmp_path, found):
    for i in range(7):
      level = np.zeros((SIZE, SIZE), np.uint8)
      level[:8, :8] = 255 * (i % 2)
      Image.fromarray(level).save(tmp_path / f"{i}.png")
    metrics = _run(masks=str(tmp_path), batch_size=3).metrics
    assert metrics["without_hole"] == 4
    sections = metrics["analyses"]
    assert sections["calibration"]["pictures"] == 3
    values = _flat({name: sections[name] for name in ("calibration", "scales")})
    assert np.isfinite(list(values.values())).all()

  def test_maps_have_the_colours_of_the_training(self):
    other = (ClassInfo("tree", (9, 8, 7)), ClassInfo("sea", (6, 5, 4)))
    split = dataclasses.replace(labelled_split(3), classes=other)
    shown = _run(split=split).panels[0].extras["segmentation"]
    assert {tuple(c) for c in shown.reshape(-1, 3).tolist()} == {
      info.colour for info in labelled_split(3).classes
    }

  def test_lists_of_scales_are_no_panels(self):
    panels = _run(outputs=("scales", "segmentation")).panels
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
    evaluation = _run(split=split, batch_size=3)
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
      (("calibrate",), "'calibrate' is not known; choose from hole_segm"),
    ],
  )
  def test_are_told_before_a_picture_is_read(self, analyses, message):
    split = dataclasses.replace(labelled_split(7), examples=_Unreadable(7))
    with pytest.raises(UserError, match=message) as caught:
      _run(PlainSystem(), split, analyses=analyses)
    assert str(caught.value).startswith("config.eval.analyses: ")


class TestSegmenter:
  @pytest.fixture(name="judge", autouse=True)
  def _judge(self, monkeypatch):
    """A workdir "seg" whose segmenter parts the pictures at level 55."""
    judge = dataclasses.replace(
      load_toy(PlainSegmenter(level=55)), hash="5" * 64
    )
    module = completed_segmentation
    monkeypatch.setattr(module, "steps", lambda path: [7] * (path != "none"))
    monkeypatch.setattr(module.checkpoints, "load", lambda path: judge)
    return judge

  def _expected(self, evaluation, off):
    matrix = np.zeros((2, 2), int)
    for row, hole, labels in _pictures(evaluation):
      predicted = int(20 + 10 * row.index + off > 55)
      for k in (0, 1):
        matrix[k, predicted] += (hole & (labels == k)).sum()
    return _ious(matrix).mean()

  def test_sees_the_fill_of_every_method_and_the_truth(self):
    found = _run(
      segmenter="seg", analyses=(), baselines=("mean_color",), batch_size=3
    )
    section = found.metrics["analyses"]["completed_segmentation"]
    scores = section["buckets"]["all"]
    assert list(scores) == ["truth", "own_map", "system", "mean_color"]
    for method, off in (("truth", 0), ("system", 8), ("mean_color", 0)):
      expected = self._expected(found, off)
      assert scores[method]["miou"] == pytest.approx(expected)
    own = _ious(_counted(found, MAP)).mean()
    assert scores["own_map"]["miou"] == pytest.approx(own)
    assert section["segmenter"]["hash"] == "5" * 64
    assert "segmenter_on_mean_color" in found.panels[0].details

  def test_sees_the_scale_of_its_training(self, judge):
    judge.config.data.image_size = 4 * SIZE
    sizes = []

    def predict(variables, frozen, batch):
      sizes.append(batch.image.shape[1:3])
      return PlainSegmenter(level=55).predict(variables, frozen, batch)

    object.__setattr__(judge.system, "predict", predict)
    found = _run(segmenter="seg", analyses=(), batch_size=3)
    section = found.metrics["analyses"]["completed_segmentation"]
    assert set(sizes) == {(4 * SIZE, 4 * SIZE)}
    assert section["segmenter"]["image_size"] == str(4 * SIZE)
    # Pictures of one colour look the same at any scale.
    assert section["buckets"]["all"]["truth"]["miou"] == pytest.approx(
      self._expected(found, 0)
    )

  def test_other_classes_are_refused(self, judge):
    judge.config.data.classes = ({"name": "sky"}, {"name": "sea"})
    with pytest.raises(
      UserError, match="segmenter=seg: knows the classes sky, "
    ):
      _run(segmenter="seg")

  def test_what_is_no_segmenter_is_refused(self, judge, monkeypatch):
    painter = dataclasses.replace(judge, system=MapSystem())
    monkeypatch.setattr(
      completed_segmentation.checkpoints, "load", lambda path: painter
    )
    with pytest.raises(UserError, match="holds a plain; give a segmenter"):
      _run(segmenter="seg")

  def test_who_guided_the_training_may_not_judge(self, tmp_path):
    (tmp_path / "frozen" / "reader").mkdir(parents=True)
    fields = {"segmenter": "seg", "analyses": ALL_THREE}
    loaded = load_toy(MapSystem(), **fields)
    loaded = dataclasses.replace(loaded, workdir=str(tmp_path))
    with pytest.raises(UserError, match="'reader' that guided the training"):
      evaluator.run(loaded, labelled_split(7), progress=False)


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
