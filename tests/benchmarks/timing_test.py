"""Tests of what is said of repeated measurements."""

import itertools

import numpy as np
import pytest

from benchmarks import timing


def test_summary_is_median_and_quartiles():
  values = [5.0, 1.0, 9.0, 2.0, 4.0, 3.0]
  summary = timing.summarise(values)
  low, median, high = np.percentile(values, [25, 50, 75])
  assert (summary["low"], summary["median"]) == (low, median)
  assert summary["high"] == high
  assert (summary["min"], summary["max"], summary["repeats"]) == (1, 9, 6)


def test_summary_of_one_measurement_has_no_spread():
  summary = timing.summarise([2.0])
  assert {summary[n] for n in ("median", "low", "high", "min", "max")} == {2.0}


def test_ratios_are_of_pairs():
  # The medians' ratio would be 1: each pair's is 2 or a half.
  summary = timing.ratios([1.0, 2.0, 2.0], [2.0, 1.0, 4.0])
  assert (summary["min"], summary["median"], summary["max"]) == (0.5, 0.5, 2.0)
  with pytest.raises(ValueError, match="zip"):
    timing.ratios([1.0], [1.0, 2.0])


@pytest.fixture
def clock(monkeypatch):
  """A clock that calls of `spend` move."""
  now = [0.0]
  monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

  def spend(seconds):
    now[0] += seconds

  return spend


def test_warm_up_is_not_counted(clock):
  costs = itertools.chain([100.0, 50.0], itertools.repeat(2.0))
  seconds = timing.repeat(lambda: clock(next(costs)), repeats=3, warmup=2)
  assert seconds == [2.0, 2.0, 2.0]


def test_alternating_takes_turns(clock):
  order = []

  def run(name, cost):
    order.append(name)
    clock(cost)

  seconds = timing.alternate(
    {"a": lambda: run("a", 1.0), "b": lambda: run("b", 3.0)},
    repeats=2,
    warmup=1,
  )
  assert order == ["a", "b", "a", "b", "a", "b"]
  assert seconds == {"a": [1.0, 1.0], "b": [3.0, 3.0]}


def test_slope_leaves_out_what_every_call_pays(clock):
  first = itertools.chain([1000.0], itertools.repeat(7.0))
  seconds = timing.slope(
    lambda units: clock(next(first) + 0.5 * units),
    small=2,
    large=6,
    repeats=3,
  )
  assert seconds == pytest.approx([0.5, 0.5, 0.5])
