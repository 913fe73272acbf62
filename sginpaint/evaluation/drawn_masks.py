"""Masks of an evaluation, each drawn under the key of its own place.

So a mask does not depend on which other pictures share its batch.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.data import masks


def centers(count: int, size: int, share: float) -> np.ndarray:
  """float32 [count, size, size, 1]: squares of `share` of the side."""
  return np.asarray(masks.center((count, size, size), round(share * size)))


def rectangles(
  seed: int, places: Sequence[int], size: int, sides: tuple[float, float]
) -> np.ndarray:
  """float32 [len(places), size, size, 1]: random sides and place.

  Args:
    seed: of the evaluation.
    places: in its seeded order.
    size: side of the pictures.
    sides: smallest and largest, as shares of that.
  """
  low, high = (round(side * size) for side in sides)
  at = jnp.asarray(places, jnp.uint32)
  return np.asarray(_rectangles(seed, at, size, low, high))


def irregular(
  seed: int, places: Sequence[int], size: int, ratios: Sequence
) -> np.ndarray:
  """float32 [len(places), size, size, 1]: strokes.

  Args:
    seed: of the evaluation.
    places: in its seeded order.
    size: side of the pictures.
    ratios: (low, high) of hole area / picture area, for each place.
  """
  at = jnp.asarray(places, jnp.uint32)
  within = jnp.asarray(ratios, jnp.float32)
  return np.asarray(_irregular(seed, at, within, size))


@partial(jax.jit, static_argnames="size")
def _irregular(
  seed: int, places: jax.Array, ratios: jax.Array, size: int
) -> jax.Array:
  def one(place: jax.Array, ratio: jax.Array) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), place)
    return masks.irregular(key, (1, size, size), ratio=ratio[None], exact=True)[
      0
    ]

  return jax.vmap(one)(places, ratios)


@partial(jax.jit, static_argnames=("size", "low", "high"))
def _rectangles(
  seed: int, places: jax.Array, size: int, low: int, high: int
) -> jax.Array:
  def one(place: jax.Array) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), place)
    return masks.rectangle(key, (1, size, size), low=low, high=high)[0]

  return jax.vmap(one)(places)
