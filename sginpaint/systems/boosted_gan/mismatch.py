"""Pairs that do not belong together, for the matching-aware discriminators.

Li et al. (arXiv 1908.04503, eqs. 4-5) pair real pictures with mismatched
attributes and maps and do not say where those come from. Here each picture of
the batch gets what was predicted of another one: all move on by the same number
of places. Where that happens to say the same of both, and in a batch of one, it
is changed. What comes out is as soft as what went in, so that only the meaning
tells right from wrong.
"""

import chex
import jax
import jax.numpy as jnp

AGREEMENT = 0.95  # share of equal labels from which on maps count as the same
_MOST_FLIPS = 3
# The opposite of one half has to differ from it after rounding, too.
_CLEARLY = 0.51


def mismatched_attributes(key: jax.Array, attributes: chex.Array) -> jax.Array:
  """Attributes of other pictures, with another meaning.

  Where those of the other picture are the same when rounded at 0.5, one to
  three of them, drawn by chance, become their opposites.

  Args:
    key: of the draw.
    attributes: probabilities [B, A], A at least 1.

  Returns:
    [B, A]; rounded, no row is that of `attributes`.
  """
  chex.assert_rank(attributes, 2)
  roll_key, count_key, order_key = jax.random.split(key, 3)
  other = _of_another(roll_key, attributes)
  shape = attributes.shape
  most = min(_MOST_FLIPS, shape[1])
  count = jax.random.randint(count_key, (shape[0], 1), 1, most + 1)
  order = jnp.argsort(jax.random.uniform(order_key, shape), axis=1)
  flipped = jnp.where(jnp.argsort(order, axis=1) < count, _not(other), other)
  same = ((other > 0.5) == (attributes > 0.5)).all(axis=1, keepdims=True)
  return jnp.where(same, flipped, other)


def mismatched_maps(key: jax.Array, maps: chex.Array) -> jax.Array:
  """Segmentations of other pictures, with another meaning.

  Where more than 95 % of the labels are the same, the picture's own map comes
  with its classes exchanged, none of which keeps its place.

  Args:
    key: of the draw.
    maps: probabilities [B, H, W, K], K at least 2.

  Returns:
    [B, H, W, K].
  """
  chex.assert_rank(maps, 4)
  roll_key, order_key = jax.random.split(key)
  other = _of_another(roll_key, maps)
  equal = jnp.argmax(other, axis=-1) == jnp.argmax(maps, axis=-1)
  same = jnp.mean(equal, axis=(1, 2)) > AGREEMENT
  # Each class takes the channel of the next one in a circle of all.
  circle = jax.random.permutation(order_key, maps.shape[-1])
  source = jnp.zeros_like(circle).at[jnp.roll(circle, -1)].set(circle)
  return jnp.where(same[:, None, None, None], maps[..., source], other)


def _of_another(key: jax.Array, x: jax.Array) -> jax.Array:
  """Row b is what was row b - s, s in 1 .. B - 1; a single row stays."""
  return jnp.roll(x, jax.random.randint(key, (), 1, max(len(x), 2)), axis=0)


def _not(probability: jax.Array) -> jax.Array:
  opposite = 1 - probability
  return jnp.where(probability > 0.5, opposite, jnp.maximum(opposite, _CLEARLY))
