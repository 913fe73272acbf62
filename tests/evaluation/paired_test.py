"""The paired bootstrap against numbers by hand and a slow loop."""

import numpy as np
import pytest

from sginpaint.evaluation import paired
from sginpaint.evaluation.paired import bootstrap


def _loop(values, seed, resamples):
  """Means of resamples, one by one, by the same draws."""
  n = len(values)
  drawn = np.random.default_rng([seed, n]).integers(n, size=(resamples, n))
  means = [np.nanmean(values[some]) for some in drawn]
  return np.array(means)


class TestBootstrap:
  def test_equals_the_loop(self):
    values = np.random.default_rng(3).normal(0.2, 1.0, (25, 2))
    for column, found in zip(
      values.T, bootstrap(values, seed=5, resamples=400), strict=True
    ):
      means = _loop(column, 5, 400)
      assert found.mean == pytest.approx(column.mean())
      ends = np.percentile(means, [2.5, 97.5])
      assert (found.low, found.high) == pytest.approx(tuple(ends))
      assert found.positive == pytest.approx((means > 0).mean())
      assert found.pictures == pytest.approx((column > 0).mean())

  def test_interval_is_about_that_of_the_normal_distribution(self):
    values = np.random.default_rng(0).normal(1.0, 2.0, (400, 1))
    found = bootstrap(values, resamples=4000)[0]
    error = values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.02)
    assert found.differs

  def test_two_pictures_by_hand(self):
    """Means are 0, 1 and 2 in a quarter, a half and a quarter of the draws."""
    found = bootstrap(np.array([[0.0], [2.0]]), resamples=4000)[0]
    assert (found.low, found.high, found.mean) == (0.0, 2.0, 1.0)
    assert found.positive == pytest.approx(0.75 + 0.25 / 2, abs=0.03)
    assert found.pictures == 0.75
    assert not found.differs

  def test_nothing_against_nothing(self):
    found = bootstrap(np.zeros((9, 1)))[0]
    assert (found.low, found.high) == (0.0, 0.0)
    assert found.positive == found.pictures == 0.5
    assert not found.differs

  def test_missing_pictures_are_left_out(self):
    values = np.array([[1.0, 1.0], [3.0, np.nan], [2.0, np.nan]])
    full, lacking = bootstrap(values)
    assert (full.count, full.mean) == (3, 2.0)
    assert lacking is None
    means = _loop(np.append(values[:, 0], np.nan), 1, 300)
    found = bootstrap(
      np.append(values[:, :1], [[np.nan]], axis=0), seed=1, resamples=300
    )[0]
    ends = np.nanpercentile(means, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx(tuple(ends))

  def test_blocks_change_nothing_but_memory(self, monkeypatch):
    values = np.random.default_rng(1).normal(size=(10, 1))
    whole = bootstrap(values, seed=2, resamples=50)
    monkeypatch.setattr(paired, "_BLOCK", 70)
    assert bootstrap(values, seed=2, resamples=50) == whole
