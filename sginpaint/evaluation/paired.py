"""Differences between methods, picture by picture, by bootstrap.

All methods fill the same holes of the same pictures, so what makes a picture
hard cancels in the difference. The pictures are drawn again with replacement
(Efron and Tibshirani 1993, chapters 6 and 13); the interval is that between the
percentiles of the resampled means. It says what other pictures of the kind
would change, not what another training would.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from sginpaint.evaluation.intervals import CONFIDENCE

RESAMPLES = 5000
_BLOCK = 2**22  # numbers held at once


@dataclasses.dataclass(frozen=True)
class Difference:
  """What is known of one mean difference.

  Attributes:
    count: pictures that have it, at least two.
    mean: over them.
    low: lower end of the percentile interval.
    high: its upper end.
    positive: share of the resamples whose mean is above 0, half of those
      at 0.
    pictures: the same of the pictures.
  """

  count: int
  mean: float
  low: float
  high: float
  positive: float
  pictures: float

  @property
  def differs(self) -> bool:
    """Whether the interval leaves 0 out."""
    return self.low > 0 or self.high < 0

  def to_json(self) -> dict[str, Any]:
    """For comparison.json."""
    return {
      "count": self.count,
      "difference": self.mean,
      "interval": [self.low, self.high],
      "resamples_above_0": self.positive,
      "pictures_above_0": self.pictures,
    }


def bootstrap(
  differences: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES
) -> list[Difference | None]:
  """Describes the mean of each column.

  Args:
    differences: [n, K], NaN where a picture has none.
    seed: of the draws; all columns see the same ones.
    resamples: how often n pictures are drawn out of n.

  Returns:
    K results, None for a column of fewer than two numbers.
  """
  tails = 100 * (1 - CONFIDENCE) / 2
  found: list[Difference | None] = []
  means = _resampled_means(differences, seed, resamples)
  for values, drawn in zip(differences.T, means.T, strict=True):
    values = values[~np.isnan(values)]
    if len(values) < 2:
      found.append(None)
      continue
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [tails, 100 - tails])
    found.append(
      Difference(
        len(values),
        float(values.mean()),
        float(low),
        float(high),
        _share_above(drawn),
        _share_above(values),
      )
    )
  return found


def _share_above(values: np.ndarray) -> float:
  return float(((values > 0) + 0.5 * (values == 0)).mean())


def _resampled_means(
  values: np.ndarray, seed: int, resamples: int
) -> np.ndarray:
  """[resamples, K]; NaN where a draw holds no number of a column."""
  known = ~np.isnan(values)
  filled = np.where(known, values, 0.0)
  blocks = []
  for times in _draws(len(values), seed, resamples):
    with np.errstate(invalid="ignore"):
      blocks.append((times @ filled) / (times @ known.astype(float)))
  return np.concatenate(blocks)


def _draws(n: int, seed: int, resamples: int) -> Iterator[np.ndarray]:
  """How often each picture was drawn, float [block, n]."""
  rng = np.random.default_rng([seed, n])
  block = max(1, _BLOCK // n)
  for start in range(0, resamples, block):
    size = min(block, resamples - start)
    drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
    times = np.bincount(drawn.ravel(), minlength=size * n)
    yield times.reshape(size, n).astype(float)
