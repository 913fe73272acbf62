"""A whole evaluation of a system whose scores are known by hand."""

import csv
import dataclasses
import json
from typing import ClassVar

import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.results import SYSTEM
from tests.evaluation.toy import (
  PlainClassifier,
  PlainSystem,
  UnlabelledExamples,
  load_toy,
  plain_split,
)


class _Guided(PlainSystem):
  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)


def _run(system=None, count=7, **fields):
  loaded = load_toy(system or PlainSystem(off=8), **fields)
  return evaluator.run(loaded, plain_split(count), progress=False)


class TestScores:
  def test_known_error_gives_the_known_psnr(self):
    metrics = _run(PlainSystem(off=8)).metrics
    expected = 20 * np.log10(255 / 8)
    assert metrics["metrics"]["all"]["hole_psnr"] == pytest.approx(
      expected, abs=1e-4
    )
    assert metrics["metrics"]["all"]["hole_mae"] == pytest.approx(8 / 255)
    assert metrics["count"] == metrics["metrics"]["all"]["count"] == 7
    assert metrics["capped"][SYSTEM] == {"psnr": 0, "hole_psnr": 0}

  def test_exact_fill_is_capped_and_counted(self):
    metrics = _run(PlainSystem()).metrics
    assert metrics["metrics"]["all"]["hole_psnr"] == 100.0
    assert metrics["capped"][SYSTEM] == {"psnr": 7, "hole_psnr": 7}

  def test_ragged_batches_equal_one_full_batch(self):
    ragged, full = _run(batch_size=3), _run(batch_size=7)
    assert len(ragged.rows) == 7
    for a, b in zip(ragged.rows, full.rows, strict=True):
      assert (a.index, a.mask, a.ratio) == (b.index, b.mask, b.ratio)
      assert a.scores[SYSTEM] == pytest.approx(b.scores[SYSTEM], rel=1e-6)
    assert ragged.manifest.hash == full.manifest.hash
    hashes = [e.metrics["provenance"]["mask_set_hash"] for e in (ragged, full)]
    assert hashes[0] == hashes[1]

  def test_baselines_see_the_same_pairs(self):
    evaluation = _run(baselines=("mean_color",), batch_size=7)
    baseline = evaluation.metrics["baselines"]["mean_color"]
    # One colour everywhere: the mean of the known pixels is exact.
    assert baseline["all"]["hole_psnr"] == 100.0
    assert set(baseline) == set(evaluation.metrics["metrics"])
    assert evaluation.metrics["capped"]["mean_color"]["hole_psnr"] == 7

  def test_spl_protocol(self):
    scores = _run(protocol="spl", batch_size=7).metrics["metrics"]["all"]
    assert {"psnr", "ssim", "l1_spl", "hole_psnr"} < set(scores)

  def test_nan_from_the_network_is_an_error(self):
    with pytest.raises(UserError, match="NaN or infinity"):
      _run(PlainSystem(off=float("nan")), batch_size=7)


class TestWhatPredictSees:
  @pytest.mark.parametrize("mode", ["none", "predicted", "truth"])
  def test_labels_come_as_guidance_only(self, mode):
    system = PlainSystem()
    _run(system, guidance=mode, batch_size=7)
    batch = system.seen[-1]
    assert batch.segmentation is None
    assert batch.attributes is None
    assert batch.teacher_features is None
    assert (batch.guidance is None) == (mode == "predicted")
    given = (
      batch.guidance is not None and batch.guidance.segmentation is not None
    )
    assert given == (mode == "truth")

  def test_truth_that_would_mean_something_else_is_refused(self):
    loaded = load_toy(_Guided(), guidance="truth")
    unlabelled = dataclasses.replace(
      plain_split(7), examples=UnlabelledExamples(7)
    )
    with pytest.raises(UserError, match="split test has no labels"):
      evaluator.run(loaded, unlabelled, progress=False)
    loaded.config.data.classes = ({"name": "sky"},)
    with pytest.raises(UserError, match="not those of the training"):
      evaluator.run(loaded, plain_split(7), progress=False)

  def test_unknown_mode_is_refused(self):
    with pytest.raises(UserError, match="guidance=oracle: not known"):
      _run(guidance="oracle")


class TestFiles:
  def test_everything_is_written(self, tmp_path):
    loaded = load_toy(PlainSystem(off=8), baselines=("mean_color",))
    metrics = evaluator.evaluate(
      loaded, plain_split(7), output_dir=tmp_path / "new", progress=False
    )
    files = {path.name for path in (tmp_path / "new").iterdir()}
    assert files == {
      "metrics.json", "per_image.csv", "grid.png", "report.html",
      "manifest.jsonl",
    }  # fmt: skip
    written = json.loads((tmp_path / "new" / "metrics.json").read_text())
    assert written == metrics
    assert {k: written[k] for k in ("protocol", "step", "masks")} == {
      "protocol": "standard", "step": 7, "masks": "irregular",
    }  # fmt: skip
    with (tmp_path / "new" / "per_image.csv").open() as file:
      rows = list(csv.DictReader(file))
    mean = np.mean([float(row["hole_psnr"]) for row in rows])
    assert mean == pytest.approx(written["metrics"]["all"]["hole_psnr"])

  def test_panels_are_the_same_for_every_checkpoint(self):
    first, second = (_run(PlainSystem(off=o), panels=2) for o in (8, 20))
    shown = [
      [p.row.index for p in e.panels if p.role == "sample"]
      for e in (first, second)
    ]
    assert shown[0] == shown[1]
    assert len(shown[0]) == 2
    assert {p.role for p in first.panels} == {"sample", "best", "worst"}
    assert first.panels[0].extras["prior"].shape == (16, 16, 3)


class TestClassifier:
  def test_scores_attributes_instead_of_pictures(self, tmp_path):
    loaded = load_toy(PlainClassifier())
    metrics = evaluator.evaluate(loaded, plain_split(6), output_dir=tmp_path)
    assert metrics["metrics"]["all"] == {
      "count": 6,
      "map": 1.0,
      "accuracy": 1.0,
    }
    assert metrics["baselines"]["prevalence"]["all"]["map"] == 0.5
    assert (tmp_path / "metrics.json").is_file()

  def test_other_attributes_are_refused(self, tmp_path):
    loaded = load_toy(PlainClassifier())
    loaded.config.data.attributes = ("wet", "dry")
    with pytest.raises(UserError, match="the checkpoint knows wet, dry"):
      evaluator.evaluate(loaded, plain_split(6), output_dir=tmp_path)
