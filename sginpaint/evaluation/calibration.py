"""Whether the confidence inside the hole tells how good the fill is.

Liao et al. (ECCV 2020), figure 9: per picture the mean confidence (P_max, at
full size) of the hole pixels against their mean absolute error. Beside it, over
all labelled hole pixels, how often the label is right at each confidence, and
the expected calibration error (Guo et al., ICML 2017, eqs. 3 and 5): the mean
gap between the two, weighed by pixels.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.evaluation.analysis import (
  Analysis,
  Counts,
  Findings,
  View,
  finite,
)
from sginpaint.evaluation.metrics import hole_mean
from sginpaint.evaluation.results import ALL, SYSTEM, Row

BINS = 15
CONFIDENCE = "hole_confidence"  # among the scores of a picture
ERROR = "hole_mae"  # of the protocol
_FEWEST = 3  # pictures; a line goes through any two


@dataclasses.dataclass(frozen=True)
class Calibration(Analysis):
  """Confidence against the error of pixels, and against right labels."""

  NAME: ClassVar[str] = "calibration"
  NEEDS: ClassVar[tuple[str, ...]] = ("segmentation", "confidence")

  def look(self, view: View) -> Findings:
    """Mean confidence of the hole; counts "bins", `reliability_bins`."""
    confidence = view.outputs["confidence"]
    values = {CONFIDENCE: hole_mean(confidence[..., None], view.mask)}
    if view.labels is None:
      return Findings(values=values)
    right = view.outputs["segmentation"] == view.labels
    counted = (view.hole_labels >= 0) & (view.hole_labels < len(self.classes))
    bins = reliability_bins(confidence, right, counted)
    return Findings(counts={"bins": bins}, values=values)

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Both correlations; where there are labels, the diagram."""
    pairs = np.array(points(rows)).reshape(-1, 2)
    enough = len(pairs) >= _FEWEST
    pearson, spearman = correlations(*pairs.T) if enough else (np.nan,) * 2
    means = pairs.mean(axis=0) if len(pairs) else (np.nan, np.nan)
    found = {
      "pictures": len(pairs),
      "mean_confidence": finite(means[0]),
      "mean_error": finite(means[1]),
      "pearson": finite(pearson),
      "spearman": finite(spearman),
    }
    if not self.labelled:
      return found | {"statement": self.statement}
    bins = counts[ALL]["bins"]
    return found | {
      "pixels": int(bins[:, 0].sum()),
      "ece": finite(expected_calibration_error(bins)),
      "bins": _described(bins),
    }


def points(rows: Sequence[Row]) -> list[tuple[float, float]]:
  """(mean confidence, mean error) of each picture that has a hole."""
  return [
    (row.scores[SYSTEM][CONFIDENCE], row.scores[SYSTEM][ERROR])
    for row in rows
    if row.ratio > 0
  ]


def reliability_bins(
  confidence: chex.Array, right: chex.Array, counted: chex.Array
) -> jax.Array:
  """Sums over the pixels whose confidence lies in each of 15 equal bins.

  Args:
    confidence: [B, H, W] in [0, 1]; on an edge it belongs to the bin above.
    right: bool [B, H, W], whether the label is the true one.
    counted: bool [B, H, W], pixels to count.

  Returns:
    float32 [B, 15, 3]: pixels, their confidence, the right ones among them.
  """
  chex.assert_equal_shape([confidence, right, counted])
  place = jnp.clip(jnp.floor(confidence * BINS).astype(jnp.int32), 0, BINS - 1)
  place = jnp.where(counted, place, BINS).reshape(len(place), -1)
  weights = (jnp.ones_like(confidence), confidence, right)
  sums = [
    jax.vmap(lambda p, w: jnp.bincount(p, w, length=BINS + 1))(
      place, w.astype(jnp.float32).reshape(place.shape)
    )
    for w in weights
  ]
  return jnp.stack(sums, axis=-1)[:, :BINS]


def expected_calibration_error(bins: np.ndarray) -> float:
  """Of sums [15, 3], see `reliability_bins`; NaN without a pixel."""
  pixels, confidence, right = bins.T
  total = pixels.sum()
  return float(np.abs(right - confidence).sum() / total) if total else np.nan


def correlations(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
  """Pearson's and Spearman's correlation of [n] and [n], n >= 2.

  NaN where one is constant; equal values share the mean of their ranks.
  """
  return _pearson(a, b), _pearson(_ranks(a), _ranks(b))


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
  a, b = a - a.mean(), b - b.mean()
  size = np.sqrt((a**2).sum() * (b**2).sum())
  return float((a * b).sum() / size) if size > 0 else np.nan


def _ranks(values: np.ndarray) -> np.ndarray:
  _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
  return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _described(bins: np.ndarray) -> list[dict[str, Any]]:
  described = []
  for i, (pixels, confidence, right) in enumerate(bins):
    described.append(
      {
        "low": round(i / BINS, 6),
        "high": round((i + 1) / BINS, 6),
        "pixels": int(pixels),
        "confidence": float(confidence / pixels) if pixels else None,
        "accuracy": float(right / pixels) if pixels else None,
      }
    )
  return described
