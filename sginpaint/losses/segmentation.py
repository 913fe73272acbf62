"""Losses of segmentation on logits per pixel, one value per example.

Logits are [B, H, W, K], labels int [B, H, W] with class 0..K-1, or `ignore`
where the class is not known; such a pixel adds nothing to a loss or gradient.
Both losses are means over the pixels of one picture. The published training
code takes the mean over the batch, in which a picture with many labelled pixels
weighs more; here every picture weighs the same, whatever batch it is in.
Everything is computed in float32.
"""

import math

import chex
import jax
import jax.numpy as jnp

IGNORE = 255


def cross_entropy(
  logits: chex.Array, labels: chex.Array, *, ignore: int = IGNORE
) -> jax.Array:
  """Mean of -log softmax at the label.

  Args:
    logits: [B, H, W, K], at the size of the labels.
    labels: int [B, H, W]; any other value than 0..K-1 and `ignore` makes the
      loss NaN.
    ignore: label of pixels to leave out.

  Returns:
    float32 [B]; 0 where a picture has no labelled pixel.
  """
  losses, labelled = _pixel_losses(logits, labels, ignore)
  return jnp.sum(losses, -1) / jnp.maximum(jnp.sum(labelled, -1), 1)


def ohem_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  threshold: float = 0.7,
  min_kept: int | None = None,
  ignore: int = IGNORE,
) -> jax.Array:
  """Mean over the hard pixels (online hard example mining).

  Hard is a pixel whose class has a probability below `threshold`. Where there
  are fewer than `min_kept` of them the `min_kept` hardest are taken, and all
  labelled ones where there are fewer still. zllrunning/face-parsing.PyTorch
  mines in the whole batch, and fills up with ignored pixels of loss 0.

  Args:
    logits: [B, H, W, K], at the size of the labels.
    labels: see `cross_entropy`.
    threshold: probability, in (0, 1).
    min_kept: pixels per picture; None = a sixteenth of H x W, as there.
    ignore: label of pixels to leave out.

  Returns:
    float32 [B]; 0 where a picture has no labelled pixel.
  """
  losses, labelled = _pixel_losses(logits, labels, ignore)
  if min_kept is None:
    min_kept = losses.shape[-1] // 16
  # Behind every labelled pixel, whose loss is not negative. Sorted this way
  # round, a NaN comes first and is seen.
  ordered = jnp.sort(jnp.where(labelled, losses, -1.0), -1, descending=True)
  hard = jnp.sum(losses > -math.log(threshold), -1)
  kept = jnp.minimum(jnp.maximum(hard, min_kept), jnp.sum(labelled, -1))
  first = jnp.arange(losses.shape[-1]) < kept[:, None]
  return jnp.sum(jnp.where(first, ordered, 0.0), -1) / jnp.maximum(kept, 1)


def _pixel_losses(
  logits: chex.Array, labels: chex.Array, ignore: int
) -> tuple[jax.Array, jax.Array]:
  """(-log softmax at the label, 0 where ignored; labelled), both [B, H*W]."""
  chex.assert_rank(logits, 4)
  chex.assert_shape(labels, logits.shape[:3])
  chex.assert_type(labels, int)
  labels = labels.reshape(labels.shape[0], -1)
  logits = logits.reshape(*labels.shape, -1).astype(jnp.float32)
  labelled = labels != ignore
  index = jnp.where(labelled, labels, 0)
  # Indices below 0 would count from the end; those too large give NaN already.
  index = jnp.where(index < 0, logits.shape[-1], index)
  chosen = jnp.take_along_axis(logits, index[..., None], -1, mode="fill")
  losses = jax.nn.logsumexp(logits, -1) - chosen[..., 0]
  return jnp.where(labelled, losses, 0.0), labelled
