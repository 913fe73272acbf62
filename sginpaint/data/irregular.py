"""Irregular holes that look like brush strokes, drawn on the device.

Masks are float32 [B, H, W, 1] in {0, 1}, 1 = missing. Instead of painting
strokes and rejecting the masks whose hole has the wrong size, a field of
distances to random strokes is computed and cut at the level that leaves the
wanted number of pixels: every stroke grows or shrinks in proportion, so the
hole looks like a brush at any size, and shapes are static.

Everything that decides a pixel is whole numbers (`strokes`, then int32), so
that another batch size or device count cannot change a bit.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sginpaint.data.strokes import WORDS, below, bound_of, grid_of, stroke_field

Shape = tuple[int, int, int]
Ratio = Sequence[float] | Sequence[Sequence[float]] | np.ndarray | jax.Array

_BLEND = 32  # interpolation weights are multiples of 1/32
_DROP = 6  # bits dropped after it: finer than anyone can see


def irregular(
  key: chex.PRNGKey,
  shape: Shape,
  *,
  ratio: Ratio = (0.01, 0.6),
  exact: bool = False,
) -> jax.Array:
  """Draws brush-stroke holes whose share of the picture lies in a range.

  Mask b depends on `key` and b only, not on B or on how the batch is sharded.

  Args:
    key: PRNG key.
    shape: (B, H, W).
    ratio: (lo, hi), or one pair per example [B, 2]; 0 <= lo <= hi <= 1. Plain
      numbers are checked; traced ones cannot be and are clipped. A range
      narrower than a pixel gives the nearest count of pixels.
    exact: draw the number of missing pixels uniformly from the range and hit
      it. Otherwise the drawn number may be missed by a little, which is
      cheaper above 128 x 128 pixels and no different below; the range holds
      all the same.

  Returns:
    float32 [B, H, W, 1] in {0, 1} with lo <= hole area / picture area <= hi.

  Raises:
    ValueError: `shape` or `ratio` is none of the above.
  """
  check_shape(shape)
  counts = _counts(ratio, shape)
  # Where the field has the size of the picture nothing is saved by missing.
  exact = bool(exact) or grid_of(*shape[1:]) == tuple(shape[1:])
  return _draw(key, counts, shape=tuple(map(int, shape)), exact=exact)


def check_shape(shape: Shape) -> None:
  """Raises ValueError unless `shape` is (B, H, W) with positive numbers."""
  if len(shape) != 3 or any(int(n) != n or n < 1 for n in shape):
    raise ValueError(f"shape must be (B, H, W), all positive; got {shape}")


def _counts(ratio: Ratio, shape: Shape) -> chex.Array:
  """Smallest and largest number of missing pixels, int32 [2] or [B, 2]."""
  pixels = shape[1] * shape[2]
  traced = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(ratio))
  xp: Any = jnp if traced else np
  if traced:
    limits: Any = jnp.clip(jnp.asarray(ratio, jnp.float32), 0.0, 1.0)
  else:
    limits = np.asarray(jax.device_get(ratio), np.float64)
  if limits.shape not in ((2,), (shape[0], 2)):
    raise ValueError(
      f"ratio must be (lo, hi) or have shape [{shape[0]}, 2]; "
      f"got shape {limits.shape}"
    )
  lo, hi = limits[..., 0], limits[..., 1]
  if not traced and not np.all((lo >= 0) & (lo <= hi) & (hi <= 1)):
    raise ValueError(f"ratio must satisfy 0 <= lo <= hi <= 1; got {ratio}")
  # lo * pixels may round to the wrong side of a whole number (0.07 * 100);
  # the division is what a reader of the mask will compare.
  low = xp.ceil(lo * pixels)
  low = xp.where((low - 1) / pixels >= lo, low - 1, low)
  high = xp.floor(hi * pixels)
  high = xp.where((high + 1) / pixels <= hi, high + 1, high)
  nearest = xp.clip(xp.round((lo + hi) / 2 * pixels), 0, pixels)
  low, high = (xp.where(low > high, nearest, x) for x in (low, high))
  return xp.stack([low, high], axis=-1).astype(xp.int32)


@functools.partial(jax.jit, static_argnames=("shape", "exact"))
def _draw(
  key: chex.PRNGKey, counts: chex.Array, *, shape: Shape, exact: bool
) -> jax.Array:
  batch, height, width = shape
  grid = grid_of(height, width)
  low, high = jnp.broadcast_to(counts, (batch, 2)).T
  if not exact:
    # A level line misses the target by a little: keep off the range's ends.
    margin = jnp.minimum(height * width // 500, (high - low) // 4)
    low, high = low + margin, high - margin
  target, field = jax.vmap(functools.partial(_example, key, shape=shape))(
    jnp.arange(batch), low, high
  )
  full, scale = _enlarge(field, height, width)
  bits = (bound_of(grid) * scale + 1).bit_length()
  hit = jax.vmap(functools.partial(_smallest, bits=bits))
  if exact:
    return hit(full, target)[..., None].astype(jnp.float32)

  share = math.prod(grid) / (height * width)
  coarse = jnp.round(target.astype(jnp.float32) * share).astype(jnp.int32)
  level = jax.vmap(functools.partial(_level, bits=bits))(field, coarse)
  mask = full < level[:, None, None] * scale
  area = mask.sum((1, 2))
  inside = (low - margin <= area) & (area <= high + margin)
  mask = lax.cond(
    inside.all(),
    lambda: mask,
    lambda: jnp.where(inside[:, None, None], mask, hit(full, target)),
  )
  return mask[..., None].astype(jnp.float32)


def _example(
  key: chex.PRNGKey,
  position: chex.Array,
  low: chex.Array,
  high: chex.Array,
  *,
  shape: Shape,
) -> tuple[jax.Array, jax.Array]:
  """(wanted number of missing pixels, field [h, w]) of one example."""
  # One call for all numbers compiles many times faster than one for each.
  bits = jax.random.bits(jax.random.fold_in(key, position), (1 + WORDS,))
  target = low + below(bits[0], high - low + 1)
  known = shape[1] * shape[2] - target
  return target, stroke_field(bits[1:], target, known, grid_of(*shape[1:]))


def _enlarge(
  field: chex.Array, height: int, width: int
) -> tuple[jax.Array, int]:
  """Bilinear [B, h, w] -> [B, H, W] in whole numbers, and their scale."""
  if field.shape[1:] == (height, width):
    return field, 1
  for axis, size in ((1, height), (2, width)):
    old = field.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    first = place.astype(np.int32)
    second = np.minimum(first + 1, old - 1)
    blend = np.round((place - first) * _BLEND).astype(np.int32)
    blend = blend[:, None] if axis == 1 else blend
    field = jnp.take(field, first, axis) * (_BLEND - blend) + (
      jnp.take(field, second, axis) * blend
    )
  return field >> _DROP, _BLEND * _BLEND >> _DROP


def _level(field: chex.Array, count: chex.Array, *, bits: int) -> jax.Array:
  """The highest level below which lie at most `count` pixels."""

  def add_bit(i, level):
    higher = level | (1 << (bits - 1 - i))
    return jnp.where((field < higher).sum() <= count, higher, level)

  return lax.fori_loop(0, bits, add_bit, jnp.int32(0))


def _smallest(field: chex.Array, count: chex.Array, *, bits: int) -> jax.Array:
  """The `count` smallest pixels, bool [H, W]; ties in reading order."""
  level = _level(field, count, bits=bits)
  inner, tied = field < level, field == level
  rank = jnp.cumsum(tied.ravel()).reshape(tied.shape)
  return inner | (tied & (rank <= count - inner.sum()))
