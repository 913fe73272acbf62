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
  hard = jnp.sum(losses > -math.log(threshold), -1)
  kept = jnp.minimum(jnp.maximum(hard, min_kept), jnp.sum(labelled, -1))
  last = _kth_largest(jax.lax.stop_gradient(losses), kept)[:, None]
  above, level = losses > last, labelled & (losses == last)
  # Pixels whose loss is exactly that of the last one share what is left.
  left = kept - jnp.sum(above, -1)
  share = left / jnp.maximum(jnp.sum(level, -1), 1)
  weights = jnp.where(above, 1.0, jnp.where(level, share[:, None], 0.0))
  return jnp.sum(weights * losses, -1) / jnp.maximum(kept, 1)


def _kth_largest(values: jax.Array, k: jax.Array) -> jax.Array:
  """Of [B, N] values, none negative, that of rank `k` [B] in each row.

  Sorting takes 15 to 60 times as long on a CPU. The bits of such floats, read
  as integers, are in the same order, and are found here from the highest on.
  """
  bits = jax.lax.bitcast_convert_type(values, jnp.int32)

  def set_bit(i: jax.Array, found: jax.Array) -> jax.Array:
    higher = found | (1 << (30 - i))
    enough = jnp.sum(bits >= higher[:, None], -1) >= k
    return jnp.where(enough, higher, found)

  start = jnp.zeros(values.shape[0], jnp.int32)
  found = jax.lax.fori_loop(0, 31, set_bit, start)
  return jax.lax.bitcast_convert_type(found, jnp.float32)


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
