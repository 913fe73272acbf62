"""Repeated measurements and what is said of them: medians with their spread."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Run = Callable[[], Any]


def summarise(seconds: Sequence[float]) -> dict[str, float]:
  """Median and spread of repeated measurements.

  Args:
    seconds: of each repetition, at least one.

  Returns:
    "median", "low" and "high" (quartiles), "min", "max", "repeats".
  """
  ordered = sorted(seconds)
  low = high = ordered[0]
  if len(ordered) > 1:
    low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
  return {
    "median": statistics.median(ordered),
    "low": low,
    "high": high,
    "min": ordered[0],
    "max": ordered[-1],
    "repeats": len(ordered),
  }


def seconds_of(run: Run) -> float:
  """Wall-clock seconds of one call, which must wait for its result."""
  begin = time.perf_counter()
  run()
  return time.perf_counter() - begin


def repeat(run: Run, *, repeats: int, warmup: int = 2) -> list[float]:
  """Seconds of each call, after some that are not counted."""
  for _ in range(warmup):
    run()
  return [seconds_of(run) for _ in range(repeats)]


def alternate(
  runs: Mapping[str, Run], *, repeats: int, warmup: int = 2
) -> dict[str, list[float]]:
  """`repeat` of several in turns, so that a busy moment meets all of them."""
  for run in runs.values():
    for _ in range(warmup):
      run()
  seconds: dict[str, list[float]] = {name: [] for name in runs}
  for _ in range(repeats):
    for name, run in runs.items():
      seconds[name].append(seconds_of(run))
  return seconds


def ratios(
  numerator: Sequence[float], denominator: Sequence[float]
) -> dict[str, float]:
  """`summarise` of the quotients of measurements taken in turns."""
  pairs = zip(numerator, denominator, strict=True)
  return summarise([a / b for a, b in pairs])


def slope(
  run: Callable[[int], Any], *, small: int, large: int, repeats: int
) -> list[float]:
  """Seconds per unit of work, without what every call pays once.

  Compiling, opening and closing cancel in the difference of a long and a short
  call; the first pair of calls is not counted.

  Args:
    run: does that many units of work, and waits for the result.
    small: units of the short call.
    large: units of the long one.
    repeats: pairs that are counted.
  """
  run(small)
  differences = []
  for _ in range(repeats):
    short = seconds_of(lambda: run(small))
    long = seconds_of(lambda: run(large))
    differences.append((long - short) / (large - small))
  return differences
