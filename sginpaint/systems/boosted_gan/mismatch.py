"""Pairs that do not belong together, for the matching-aware discriminators.

Li et al. (arXiv 1908.04503, eqs. 4-5) pair real pictures with mismatched
attributes and maps and do not say where those come from. Here each picture of
the batch gets what was predicted of another one: all move on by the same number
of places. Where that happens to say the same of both, and in a batch of one, it
is changed. What comes out is as soft as what went in, so that only the meaning
tells right from wrong.

The batch is that of all devices. With `config.accumulate` it is one of the
parts, so that parts of a single picture are always changed.
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
  other = _moved_on(roll_key, attributes, axis=0)
  shape = attributes.shape
  most = min(_MOST_FLIPS, shape[1])
  count = jax.random.randint(count_key, (shape[0], 1), 1, most + 1)
  place = jnp.argsort(jax.random.uniform(order_key, shape), axis=1)
  flipped = jnp.where(place < count, _not(other), other)
  same = ((other > 0.5) == (attributes > 0.5)).all(axis=1, keepdims=True)
  return jnp.where(same, flipped, other)


def mismatched_maps(key: jax.Array, maps: chex.Array) -> jax.Array:
  """Segmentations of other pictures, with another meaning.

  Where more than 95 % of the labels are the same, the picture's own map comes
  with its classes exchanged: all move on by the same number of channels.

  Args:
    key: of the draw.
    maps: probabilities [B, H, W, K], K at least 2.

  Returns:
    [B, H, W, K].
  """
  chex.assert_rank(maps, 4)
  picture_key, class_key = jax.random.split(key)
  other = _moved_on(picture_key, maps, axis=0)
  equal = jnp.argmax(other, axis=-1) == jnp.argmax(maps, axis=-1)
  same = jnp.mean(equal, axis=(1, 2)) > AGREEMENT
  exchanged = _moved_on(class_key, maps, axis=-1)
  return jnp.where(same[:, None, None, None], exchanged, other)


def _moved_on(key: jax.Array, x: jax.Array, *, axis: int) -> jax.Array:
  """Place i holds what was in place i - s, s in 1 .. n - 1; one alone stays."""
  count = x.shape[axis]
  places = jax.random.randint(key, (), 1, max(count, 2))
  # By index: of a roll by a traced number XLA makes four exchanges between
  # devices where one gathering will do.
  return jnp.take(x, (jnp.arange(count) - places) % count, axis)


def _not(probability: jax.Array) -> jax.Array:
  opposite = 1 - probability
  return jnp.where(probability > 0.5, opposite, jnp.maximum(opposite, _CLEARLY))
