"""How far a mean over pictures, or a share of answers, can be trusted.

The interval of a mean is Student's: mean -/+ t s / sqrt(n) with n - 1 degrees
of freedom, 95 % of such intervals hold the mean over all pictures of the kind.
It says what other pictures would change, not what another training would.
"""

import math

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


def mean_interval(values: np.ndarray) -> tuple[float, float] | None:
  """(low, high) of the mean of [n] values; None for fewer than two."""
  n = len(values)
  if n < 2:
    return None
  quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
  half = float(quantile) * standard_error(values)
  mean = float(values.mean())
  return mean - half, mean + half


def standard_error(values: np.ndarray) -> float:
  """Of the mean of [n] values, at least two."""
  return float(values.std(ddof=1)) / math.sqrt(len(values))


def share_interval(hits: int, n: int) -> tuple[float, float]:
  """(low, high) of a share of `n` > 0 independent trials, Wilson 1927."""
  z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
  share, shrink = hits / n, 1 + z * z / n
  middle = (share + z * z / (2 * n)) / shrink
  half = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / shrink
  # Without a hit, or a miss, an end is 0 or 1 but for rounding.
  return max(middle - half, 0.0), min(middle + half, 1.0)
