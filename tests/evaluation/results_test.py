"""Buckets, means and CSV, by hand."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sginpaint.evaluation import results
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.results import SYSTEM, Row

PROTOCOL = PROTOCOLS["standard"]
NAMES = [m.name for m in PROTOCOL.measures]
OF_HOLES = {m.name for m in PROTOCOL.measures if m.hole}


def _row(index, ratio, value):
  scores = {
    name: float("nan") if name in OF_HOLES and not ratio else value
    for name in NAMES
  }
  return Row(index, f"p{index}", "irregular", ratio, {SYSTEM: scores})


class TestBuckets:
  @pytest.mark.parametrize(
    ("ratio", "names"),
    [
      (0.0, {"0-10"}),
      (0.1, {"10-20"}),
      (0.2, {"20-30", "20-40"}),
      (0.39, {"30-40", "20-40"}),
      (0.4, {"40-50", "40-60"}),
      (0.6, {"50-60", "40-60", "60-100"}),
      (1.0, {"60-100"}),
    ],
  )
  def test_membership(self, ratio, names):
    assert set(results.buckets_of([ratio])) - {"all"} == names

  def test_masks_of_members(self):
    members = results.buckets_of([0.05, 0.25, 0.35])
    assert members["20-40"].tolist() == [False, True, True]
    assert "40-50" not in members


class TestSummarize:
  def test_means_leave_out_pictures_without_a_hole(self):
    rows = [_row(0, 0.0, 100.0), _row(1, 0.25, 20.0), _row(2, 0.25, 30.0)]
    summary = results.summarize(rows, PROTOCOL)[SYSTEM]
    assert summary["all"]["count"] == 3
    assert summary["all"]["psnr"] == pytest.approx(50.0)
    assert summary["all"]["hole_psnr"] == pytest.approx(25.0)
    assert summary["20-30"]["hole_mae"] == pytest.approx(25.0)
    whole = {m.name for m in PROTOCOL.measures if not m.hole}
    assert set(summary["0-10"]) == {"count"} | whole

  def test_means_leave_out_pictures_that_lack_a_partial_measure(self):
    partial = Measure("found", None, "found", partial=True)
    protocol = dataclasses.replace(PROTOCOL, measures=(partial,))
    scores = [float("nan"), 0.25, 0.75]
    rows = [
      Row(i, f"p{i}", "irregular", 0.05 + 0.2 * (i > 1), {SYSTEM: {"found": x}})
      for i, x in enumerate(scores)
    ]
    summary = results.summarize(rows, protocol)[SYSTEM]
    assert summary["all"] == {"count": 3, "found": 0.5}
    assert summary["0-10"] == {"count": 2, "found": 0.25}
    alone = results.summarize(rows[:1], protocol)[SYSTEM]
    assert alone["all"] == {"count": 1}

  def test_intervals_are_students(self):
    values = np.array([20.0, 30.0, 34.0])
    rows = [_row(i, 0.25, value) for i, value in enumerate(values)]
    found = results.intervals([*rows, _row(3, 0.0, 9.0)], PROTOCOL)[SYSTEM]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found["all"]["hole_psnr"] == pytest.approx(list(expected))
    assert found["20-30"]["mae"] == pytest.approx(list(expected))
    assert found["0-10"] == {}  # a single picture

  def test_other_groups_than_buckets(self):
    counts = (1, 2, 3, 5, 9, 0, None)
    rows = [
      dataclasses.replace(_row(i, 0.25, 10.0 * i), classes=count)
      for i, count in enumerate(counts)
    ]
    groups = results.class_groups_of(rows)
    assert list(groups) == ["all", "1-2", "3-4", "more"]
    means = results.summarize(rows, PROTOCOL, groups)[SYSTEM]
    assert {name: m["count"] for name, m in means.items()} == {
      "all": 5, "1-2": 2, "3-4": 1, "more": 2,
    }  # fmt: skip
    assert means["more"]["psnr"] == pytest.approx(35.0)
    assert results.class_groups_of(rows[5:]) == {}

  def test_classes_of_half_a_percent_count(self):
    labels = np.full((2, 20, 20), 255, np.int32)
    labels[0, :, :10], labels[0, 0, 11:13], labels[0, 0, 13] = 3, 1, 2
    assert results.count_classes(labels).tolist() == [2, 0]

  def test_counts_capped(self):
    rows = [_row(0, 0.0, 100.0), _row(1, 0.25, 100.0), _row(2, 0.25, 30.0)]
    capped = results.count_capped(rows, PROTOCOL)[SYSTEM]
    assert capped == {"psnr": 2, "hole_psnr": 1}

  def test_best_baseline(self):
    metrics = {
      "baselines": {
        "telea": {"all": {"hole_psnr": 21.0}},
        "mean_color": {"all": {"hole_psnr": 15.0}},
      }
    }
    assert results.best_baseline(metrics, "hole_psnr") == "telea"
    assert results.best_baseline({"baselines": {}}, "hole_psnr") is None


class TestToCsv:
  def test_csv_leaves_cells_empty(self):
    rows = [_row(0, 0.0, 1.5), _row(1, 0.25, 2.5)]
    rows[1].scores["telea"] = dict.fromkeys(NAMES, 0.5)
    rows[0].scores["telea"] = dict.fromkeys(NAMES, 0.25)
    lines = results.to_csv(rows, PROTOCOL).splitlines()
    assert lines[0].split(",")[:6] == [
      "index", "image", "mask", "ratio", "psnr", "ssim",
    ]  # fmt: skip
    assert lines[0].endswith(f"telea_{NAMES[-1]}")
    assert lines[1].startswith("0,p0,irregular,0.000000,1.5")
    assert ",,,0.250000" in lines[1]
