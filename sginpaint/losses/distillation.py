"""Learning a teacher's features from a picture with a hole: eq. 5 of SPL.

Features are [B, h, w, F], masks [B, H, W, 1] with 1 = missing.
"""

import chex
import jax

from sginpaint.layers.resampling import resize_nearest
from sginpaint.losses.reconstruction import hole_weight, l1


def prior_loss(
  predicted: chex.Array,
  teacher: chex.Array,
  mask: chex.Array,
  *,
  alpha: float = 3.0,
) -> jax.Array:
  """Mean of |predicted - teacher| * (1 + alpha * mask) per example.

  A mean over positions and channels, as the official code; the paper writes
  the L1 norm. No gradient reaches the teacher.

  Args:
    predicted: [B, h, w, F], features that the semantic learner predicts.
    teacher: [B, h, w, F], features of the whole picture.
    mask: [B, H, W, 1], 1 = missing, of any size; read at floor(i * H / h) as
      PyTorch does, not at the centre of a cell.
    alpha: extra weight of the hole.

  Returns:
    float32 [B].
  """
  chex.assert_equal_shape([predicted, teacher])
  chex.assert_shape(mask, (predicted.shape[0], None, None, 1))
  weight = hole_weight(resize_nearest(mask, predicted.shape[1:3]), alpha)
  return l1(predicted, jax.lax.stop_gradient(teacher), weight=weight)
