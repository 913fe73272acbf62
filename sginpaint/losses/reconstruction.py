"""Pixel losses, one value per example: eq. 9 of SPL, plain L1 and L2.

Predictions and targets are [B, H, W, C] in the same range; masks are
[B, H, W, 1] with 1 = missing. Papers write norms, the official codes take
means; means it is here, so that a weight keeps its sense at every size.
"""

import chex
import jax
import jax.numpy as jnp


def l1(
  prediction: chex.Array,
  target: chex.Array,
  *,
  weight: chex.Array | None = None,
) -> jax.Array:
  """Mean absolute difference over pixels and channels.

  Args:
    prediction: [B, H, W, C].
    target: [B, H, W, C].
    weight: [B, H, W, 1] factor of each pixel, not normalised; None = 1.

  Returns:
    float32 [B].
  """
  chex.assert_rank(prediction, 4)
  chex.assert_equal_shape([prediction, target])
  difference = jnp.abs(
    prediction.astype(jnp.float32) - target.astype(jnp.float32)
  )
  if weight is not None:
    chex.assert_shape(weight, (*prediction.shape[:3], 1))
    difference = difference * weight.astype(jnp.float32)
  return jnp.mean(difference, axis=(1, 2, 3))


def l2(prediction: chex.Array, target: chex.Array) -> jax.Array:
  """Mean squared difference over pixels and channels: boosted GAN, eq. 6.

  Args:
    prediction: [B, H, W, C].
    target: [B, H, W, C].

  Returns:
    float32 [B].
  """
  chex.assert_rank(prediction, 4)
  chex.assert_equal_shape([prediction, target])
  difference = prediction.astype(jnp.float32) - target.astype(jnp.float32)
  return jnp.mean(jnp.square(difference), axis=(1, 2, 3))


def hole_weight(mask: chex.Array, extra: float) -> jax.Array:
  """Weight 1 on known pixels and 1 + `extra` in the hole: eq. 9 of SPL.

  Args:
    mask: [B, H, W, 1], 1 = missing.
    extra: delta; 5 in the paper, 2 in the official code.

  Returns:
    float32 [B, H, W, 1].
  """
  return 1.0 + extra * mask.astype(jnp.float32)
