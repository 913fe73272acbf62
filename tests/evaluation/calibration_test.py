"""Reliability bins by a slow loop, correlations by SciPy."""

import numpy as np
import pytest
import scipy.stats

from sginpaint.evaluation.calibration import (
  BINS,
  correlations,
  expected_calibration_error,
  reliability_bins,
)


class TestBins:
  def test_sums_are_those_of_a_loop(self):
    rng = np.random.default_rng(0)
    confidence = rng.random((2, 6, 7)).astype(np.float32)
    confidence[0, 0, :2] = 0.0, 1.0
    right, counted = rng.random((2, 2, 6, 7)) < 0.5
    counted[0, 0, :2] = True
    expected = np.zeros((2, BINS, 3))
    for place in zip(*np.nonzero(counted), strict=True):
      i = min(int(confidence[place] * BINS), BINS - 1)
      expected[place[0], i] += 1, confidence[place], right[place]
    found = reliability_bins(confidence, right, counted)
    np.testing.assert_allclose(found, expected, rtol=1e-6)

  def test_error_by_hand(self):
    bins = np.zeros((BINS, 3))
    bins[3] = 10, 2.5, 5  # 0.25 sure, 0.5 right
    bins[12] = 30, 25.5, 24  # 0.85 sure, 0.8 right
    expected = (10 * 0.25 + 30 * 0.05) / 40
    assert expected_calibration_error(bins) == pytest.approx(expected)

  def test_no_pixel_has_no_error(self):
    assert np.isnan(expected_calibration_error(np.zeros((BINS, 3))))


class TestCorrelations:
  @pytest.mark.parametrize("ties", [False, True])
  def test_equal_scipy(self, ties):
    a, b = np.random.default_rng(1).normal(size=(2, 40))
    b = b - 0.5 * a
    if ties:
      a, b = a.round(), b.round()
    assert correlations(a, b) == pytest.approx(
      (scipy.stats.pearsonr(a, b)[0], scipy.stats.spearmanr(a, b)[0])
    )

  def test_constant_has_none(self):
    assert np.isnan(correlations(np.ones(4), np.arange(4.0))).all()
