"""Quality of label maps: counts of (true, predicted) pixels and their scores.

Everything follows from a confusion matrix [..., K, K]: rows are the truth,
columns the prediction, and matrices of batches or processes add up. Ignored
pixels (255) are in none. The functions take numpy arrays or JAX's.

A class that is neither in the truth nor in the prediction has no IoU (NaN) and
is left out of the mean; one that is predicted but never true has IoU 0. The
accuracy of a class is its recall, NaN where it is never true.
"""

from types import ModuleType

import chex
import jax
import jax.numpy as jnp
import numpy as np


def confusion_matrices(
  truth: chex.Array, prediction: chex.Array, num_classes: int
) -> jax.Array:
  """Counts pixels of each picture by true and predicted class.

  Args:
    truth: int [B, H, W], 0..K-1; everything else is ignored.
    prediction: int [B, H, W], 0..K-1.
    num_classes: K.

  Returns:
    int32 [B, K, K].
  """
  chex.assert_rank([truth, prediction], 3)
  chex.assert_equal_shape([truth, prediction])
  k = num_classes
  known = (truth >= 0) & (truth < k)
  cells = jnp.where(known, truth * k + prediction, k * k)
  flat = cells.reshape(len(truth), -1)
  counts = jax.vmap(lambda x: jnp.bincount(x, length=k * k + 1))(flat)
  return counts[:, :-1].reshape(-1, k, k).astype(jnp.int32)


def class_scores(matrix: chex.Array) -> tuple[chex.Array, chex.Array]:
  """(IoU [..., K], accuracy [..., K]) of matrices [..., K, K]."""
  xp = _namespace(matrix)
  right = matrix.diagonal(axis1=-2, axis2=-1)
  true, predicted = matrix.sum(-1), matrix.sum(-2)
  return (
    _ratio(xp, right, true + predicted - right),
    _ratio(xp, right, true),
  )


def mean_scores(matrix: chex.Array) -> dict[str, chex.Array]:
  """Scores [...] of matrices [..., K, K]; NaN where no pixel is labelled.

  Returns:
    `miou` and `mean_accuracy`, over the classes that have them, and
    `pixel_accuracy`.
  """
  xp = _namespace(matrix)
  right = matrix.diagonal(axis1=-2, axis2=-1).sum(-1)
  iou, accuracy = class_scores(matrix)
  return {
    "miou": _mean(xp, iou),
    "pixel_accuracy": _ratio(xp, right, matrix.sum((-2, -1))),
    "mean_accuracy": _mean(xp, accuracy),
  }


def most_common_class(matrix: np.ndarray) -> np.ndarray:
  """The matrix of a map that is everywhere the most common true class."""
  true = matrix.sum(axis=-1)
  constant = np.zeros_like(matrix)
  constant[:, true.argmax()] = true
  return constant


def _namespace(array: chex.Array) -> ModuleType:
  return np if isinstance(array, np.ndarray) else jnp


def _ratio(xp: ModuleType, part: chex.Array, whole: chex.Array) -> chex.Array:
  return xp.where(whole > 0, part / xp.maximum(whole, 1), xp.nan)


def _mean(xp: ModuleType, values: chex.Array) -> chex.Array:
  """Over the last axis, without the NaNs."""
  there = ~xp.isnan(values)
  return _ratio(xp, xp.where(there, values, 0.0).sum(-1), there.sum(-1))
