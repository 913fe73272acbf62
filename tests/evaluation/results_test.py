"""Buckets, means and CSV, by hand."""

import pytest

from sginpaint.evaluation import results
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.results import SYSTEM, Row

PROTOCOL = PROTOCOLS["standard"]
NAMES = [m.name for m in PROTOCOL.measures]


def _row(index, ratio, value):
  scores = {
    name: float("nan") if name.startswith("hole") and not ratio else value
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
    assert set(summary["0-10"]) == {"count", "psnr", "ssim", "mae"}

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
    assert lines[0].endswith("telea_hole_mae")
    assert lines[1].startswith("0,p0,irregular,0.000000,1.5")
    assert ",,,0.250000" in lines[1]
