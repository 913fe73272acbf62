"""Irregular holes that look like brush strokes, drawn on the device.

Masks are float32 [B, H, W, 1] in {0, 1}, 1 = missing. Instead of painting
strokes and rejecting the masks whose hole has the wrong size, a field of
distances to random strokes is computed and cut at the level that leaves the
wanted number of pixels: every stroke grows or shrinks in proportion, so the
hole looks like a brush at any size, and shapes are static.

Everything that decides a pixel is integer arithmetic or a float operation on
integers that float32 holds exactly; what a compiler may fuse or reorder for
another batch size or device count then cannot change a bit.
"""

import functools
import math
from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Shape = tuple[int, int, int]
Ratio = Sequence[float] | Sequence[Sequence[float]] | chex.Array

_STROKES = 12
_SEGMENTS = 7  # of one stroke, at most
_GRID = 128  # side of the grid on which distances are computed
_LATTICE = 8  # vertices lie on eighths of a pixel of that grid
_STEPS = 16  # of the field per lattice unit
_FIELD_MAX = 2**18 - 2  # so that two interpolations still fit an int32
_BLEND = 32  # interpolation weights are multiples of 1/32
_DROP = 6  # bits dropped after it: finer than anyone can see
_SCALE = _BLEND * _BLEND >> _DROP

# Tables instead of formulas: a table entry has the same bits everywhere.
_ANGLES = 64
_TURN = 18  # of a stroke between two segments, at most, of 64
_DIRECTIONS = (
  np.round(256 * np.exp(2j * np.pi * np.arange(_ANGLES) / _ANGLES))
  .view(np.float64)
  .reshape(_ANGLES, 2)
  .astype(np.int32)
)
_WIDTHS = np.geomspace(0.12, 0.36, 16).astype(np.float32)  # / sqrt(hole area)
_NARROWING = np.array([1.0, 1.0, 1.5, 2.25, 4.0], np.float32)  # 1 / width^2
_LENGTH = (0.06, 0.22)  # of a segment / side of the picture


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
      it. Otherwise the edge follows one level line of the field, which is
      several times cheaper above 128 pixels; the range holds all the same.

  Returns:
    float32 [B, H, W, 1] in {0, 1} with lo <= hole area / picture area <= hi.

  Raises:
    ValueError: `shape` or `ratio` is none of the above.
  """
  check_shape(shape)
  counts = _counts(ratio, shape)
  return _draw(key, counts, shape=tuple(map(int, shape)), exact=bool(exact))


def check_shape(shape: Shape) -> None:
  """Raises ValueError unless `shape` is (B, H, W) with positive numbers."""
  if len(shape) != 3 or any(int(n) != n or n < 1 for n in shape):
    raise ValueError(f"shape must be (B, H, W), all positive; got {shape}")


def _counts(ratio: Ratio, shape: Shape) -> chex.Array:
  """Smallest and largest number of missing pixels, int32 [2] or [B, 2]."""
  pixels = shape[1] * shape[2]
  traced = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(ratio))
  if traced:
    xp, limits = jnp, jnp.clip(jnp.asarray(ratio, jnp.float32), 0.0, 1.0)
  else:
    xp, limits = np, np.asarray(jax.device_get(ratio), np.float64)
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
  grid = _grid(height, width)
  low, high = jnp.broadcast_to(counts, (batch, 2)).T
  keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(batch))
  keys = jax.vmap(lambda k: jax.random.split(k, 2))(keys)
  # Level lines miss the target by a little: keep off the edges of the range.
  margin = jnp.minimum(height * width // 500, (high - low) // 4)
  margin = jnp.zeros_like(margin) if exact else margin
  target = jax.vmap(lambda k, lo, hi: jax.random.randint(k, (), lo, hi + 1))(
    keys[:, 0], low + margin, high - margin
  )
  # Hole to rest: strokes overlap the more, the less is left.
  known = jnp.maximum(height * width - target, 1)
  odds = target.astype(jnp.float32) / known.astype(jnp.float32)

  strokes = jax.vmap(functools.partial(_strokes, grid=grid))(keys[:, 1], odds)
  field = jax.vmap(functools.partial(_field, grid=grid))(*strokes)
  bits = (_bound(grid) * _SCALE + 1).bit_length()
  full = _enlarge(field, height, width)
  hit = jax.vmap(functools.partial(_smallest, bits=bits))
  if exact:
    return hit(full, target)[..., None].astype(jnp.float32)

  coarse = target.astype(jnp.float32) * (math.prod(grid) / (height * width))
  coarse = jnp.round(coarse).astype(jnp.int32)
  level = jax.vmap(functools.partial(_level, bits=bits))(field, coarse)
  mask = full < level[:, None, None] * _SCALE
  area = mask.sum((1, 2))
  inside = (low <= area) & (area <= high)
  mask = lax.cond(
    inside.all(),
    lambda: mask,
    lambda: jnp.where(inside[:, None, None], mask, hit(full, target)),
  )
  return mask[..., None].astype(jnp.float32)


def _grid(height: int, width: int) -> tuple[int, int]:
  shrink = min(1.0, _GRID / math.sqrt(height * width))
  return max(1, round(height * shrink)), max(1, round(width * shrink))


def _bound(grid: tuple[int, int]) -> int:
  farthest = math.hypot(*grid) * _LATTICE * math.sqrt(_NARROWING.max())
  return min(_FIELD_MAX, math.ceil(farthest * _STEPS))


def _strokes(
  key: chex.PRNGKey, odds: chex.Array, *, grid: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
  """Random walks as long as some brush needs to paint the hole.

  Args:
    key: PRNG key.
    odds: float32 [], hole area / area of the rest.
    grid: (h, w) of the field.

  Returns:
    (vertices int32 [_STROKES, _SEGMENTS + 1, 2] on the lattice,
    weights float32 [_STROKES] of squared distances, inf = no such stroke).
  """
  keys = jax.random.split(key, 7)
  side = math.sqrt(math.prod(grid)) * _LATTICE
  limit = jnp.array(grid, jnp.int32) * _LATTICE
  start = jax.random.randint(keys[0], (_STROKES, 2), 0, limit + 1)
  shortest, longest = (max(1, round(x * side)) for x in _LENGTH)
  walk = (_STROKES, _SEGMENTS)
  length = jax.random.randint(keys[1], walk, shortest, longest + 1)
  turn = jax.random.randint(keys[2], walk, -_TURN, _TURN + 1)
  first = jax.random.randint(keys[3], (_STROKES, 1), 0, _ANGLES)
  angle = jnp.mod(first + jnp.cumsum(turn, axis=1), _ANGLES)
  step = (length[..., None] * jnp.asarray(_DIRECTIONS)[angle]) >> 8

  width = jnp.asarray(_WIDTHS)[jax.random.randint(keys[4], (), 0, 16)]
  mean = sum(_LENGTH) / 2
  budget = 1 + (jnp.sqrt(odds) / width / mean).astype(jnp.int32)
  segments = jax.random.randint(keys[5], (_STROKES,), 1, _SEGMENTS + 1)
  live = jnp.clip(budget - (jnp.cumsum(segments) - segments), 0, segments)
  step = jnp.where(
    jnp.arange(_SEGMENTS)[:, None] < live[:, None, None], step, 0
  )
  path = jnp.concatenate([start[:, None], step], axis=1)
  # Mirrored at the borders: a walk unfolded over the plane, folded back.
  path = jnp.mod(jnp.cumsum(path, axis=1), 2 * limit)
  path = jnp.minimum(path, 2 * limit - path)
  narrow = jax.random.randint(keys[6], (_STROKES,), 0, len(_NARROWING))
  weight = jnp.where(live > 0, jnp.asarray(_NARROWING)[narrow], jnp.inf)
  return path, weight


def _field(
  vertices: chex.Array, weights: chex.Array, *, grid: tuple[int, int]
) -> jax.Array:
  """Distance to the nearest stroke, int32 [h, w], wide strokes nearer."""
  y, x = (
    (np.arange(n) * _LATTICE + _LATTICE // 2).astype(np.float32) for n in grid
  )
  y, x = y[:, None], x[None, :]

  def add(i, nearest):
    path = vertices[i].astype(jnp.float32)
    squared = [
      _squared_distance(y, x, path[j], path[j + 1]) for j in range(_SEGMENTS)
    ]
    return jnp.minimum(
      nearest, functools.reduce(jnp.minimum, squared) * weights[i]
    )

  nearest = lax.fori_loop(
    0, _STROKES, add, jnp.full(grid, jnp.inf, jnp.float32)
  )
  steps = jnp.minimum(jnp.sqrt(nearest) * _STEPS, _bound(grid))
  return steps.astype(jnp.int32)


def _squared_distance(
  y: chex.Array, x: chex.Array, start: chex.Array, end: chex.Array
) -> jax.Array:
  """From each point of a grid to one segment; all inputs whole numbers."""
  dy, dx = end - start
  squared_length = dy * dy + dx * dx
  y0, x0 = y - start[0], x - start[1]
  along = y0 * dy + x0 * dx
  across = y0 * dx - x0 * dy
  beyond = along - squared_length  # >= 0 past the end
  to_start = y0 * y0 + x0 * x0
  to_end = to_start - along - beyond
  inverse = 1.0 / jnp.maximum(squared_length, 1.0)
  inner = across * across * inverse
  return jnp.where(along <= 0, to_start, jnp.where(beyond >= 0, to_end, inner))


def _enlarge(field: chex.Array, height: int, width: int) -> jax.Array:
  """Bilinear [B, h, w] -> [B, H, W] in whole numbers, times `_SCALE`."""
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
  return field >> _DROP


def _level(field: chex.Array, count: chex.Array, *, bits: int) -> jax.Array:
  """The highest level below which lie at most `count` pixels."""

  def add_bit(i, level):
    higher = level | (1 << (bits - 1 - i))
    return jnp.where((field < higher).sum() <= count, higher, level)

  return lax.fori_loop(0, bits, add_bit, jnp.int32(0))


def _smallest(field: chex.Array, count: chex.Array, *, bits: int) -> jax.Array:
  """The `count` smallest pixels, bool [H, W]; ties in reading order."""
  level = _level(field, count, bits=bits)
  below, tied = field < level, field == level
  rank = jnp.cumsum(tied.ravel()).reshape(tied.shape)
  return below | (tied & (rank <= count - below.sum()))
