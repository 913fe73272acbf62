"""Quality of multi-label classifiers, in numpy.

Mean average precision ranks the pictures, so no threshold matters; accuracy is
that of the decisions at probability 0.5.
"""

import numpy as np


def mean_average_precision(
  scores: np.ndarray, targets: np.ndarray
) -> tuple[float, np.ndarray]:
  """Average precision per attribute and its mean.

  The step-wise area under precision over recall. Equal scores count as one
  threshold, so a constant score gets the share of positives, in any order.

  Args:
    scores: [N, A], higher = more likely; logits or probabilities.
    targets: [N, A], positive above 0.5, NaN = unknown (left out).

  Returns:
    The mean over attributes that have a positive (NaN if none has), and the
    average precisions float64 [A] with NaN for the others.

  Raises:
    ValueError: the shapes differ or are not [N, A].
  """
  if scores.ndim != 2 or scores.shape != targets.shape:
    raise ValueError(
      f"scores {scores.shape} and targets {targets.shape} must both be [N, A]"
    )
  columns = range(scores.shape[1])
  precisions = np.array(
    [_average_precision(scores[:, a], targets[:, a]) for a in columns]
  )
  present = precisions[~np.isnan(precisions)]
  return float(present.mean()) if present.size else float("nan"), precisions


def accuracies(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
  """Share of right decisions per attribute, at probability 0.5.

  Args:
    logits: [N, A]; present above 0.
    targets: [N, A], positive above 0.5, NaN = unknown (left out).

  Returns:
    float64 [A], NaN where nothing is known.
  """
  known = ~np.isnan(targets)
  right = ((logits > 0) == (targets > 0.5)) & known
  count = known.sum(axis=0)
  return np.where(count > 0, right.sum(axis=0) / np.maximum(count, 1), np.nan)


def _average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
  known = ~np.isnan(targets)
  order = np.argsort(-scores[known].astype(np.float64), kind="stable")
  ranked = scores[known][order]
  positives = np.cumsum(targets[known][order] > 0.5)
  if not positives.size or not positives[-1]:
    return float("nan")
  last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
  found = positives[last_of_tie]
  precision = found / (last_of_tie + 1)
  gained = np.diff(found, prepend=0) / positives[-1]
  return float(np.sum(gained * precision))
