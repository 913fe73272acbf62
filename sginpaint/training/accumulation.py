"""Gradient accumulation: a batch in parts, for the memory of one part.

Every part starts from the collections that the step began with, and what it
makes of them is averaged: spectral norms take the steps of one pass, as without
accumulation; running moments of batch norms take in all parts, but each part
was normalised by its own.

Devices add up each part's gradients among themselves, for a part is a global
batch: the all-reduce of a player is in the body of its scan, and runs as often
as there are parts. Where that traffic matters, take fewer and larger parts.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def split_batch(batch: Any, *, parts: int, shards: int) -> Any:
  """Leaves [B, ...] to [parts, B / parts, ...].

  A part takes an equal share of each of `shards` blocks of the batch: what lies
  on a device stays there.

  Args:
    batch: tree of arrays.
    parts: that B is cut into.
    shards: devices that the batch is split over, in blocks; parts * shards
      must divide B.
  """

  def split(leaf: jax.Array) -> jax.Array:
    rest = leaf.shape[1:]
    blocks = leaf.reshape(shards, parts, -1, *rest)
    return jnp.moveaxis(blocks, 1, 0).reshape(parts, -1, *rest)

  return jax.tree.map(split, batch)


def mean_over(function: Callable[[Any, jax.Array], Any], parts: Any) -> Any:
  """The mean of `function(part, i)`, in one scan.

  Args:
    function: to a tree of arrays; what is whole numbers is not averaged but
      taken from the last part.
    parts: tree of leaves [n, ...].
  """
  count = len(jax.tree.leaves(parts)[0])
  indices = jnp.arange(count)
  first = jax.tree.map(lambda leaf: leaf[0], parts)
  shapes = jax.eval_shape(function, first, indices[0])
  zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

  def add(total: Any, part: tuple[jax.Array, Any]) -> tuple[Any, None]:
    index, values = part
    return jax.tree.map(_add, total, function(values, index)), None

  total, _ = jax.lax.scan(add, zeros, (indices, parts))
  return jax.tree.map(lambda x: x / count if _is_float(x) else x, total)


def _add(total: jax.Array, value: jax.Array) -> jax.Array:
  return total + value if _is_float(value) else value


def _is_float(value: jax.Array) -> bool:
  return jnp.issubdtype(value.dtype, jnp.floating)
