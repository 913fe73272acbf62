"""The field of distances to random brush strokes, from random words.

A stroke is a random walk of straight segments with round ends, mirrored at the
borders of the picture. The field is int32 [h, w] on a grid of at most 128 x 128
pixels' area; its lower level sets are the strokes painted with ever wider
brushes.

Up to the last rounding, all numbers are whole and small enough for float32, so
no compiler can change a bit by fusing or reordering operations.
"""

import functools
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_STROKES = 12
_SEGMENTS = 7  # of one stroke, at most
_SINGLE = 5  # random words per stroke, beside two per segment
WORDS = 1 + _STROKES * (_SINGLE + 2 * _SEGMENTS)  # of one field
_GRID = 128  # side of the grid on which distances are computed
_LATTICE = 8  # vertices lie on eighths of a pixel of that grid
_STEPS = 16  # of the field per lattice unit
_FIELD_MAX = 2**18 - 2  # leaves room for interpolation in int32

# Tables instead of formulas: a table entry has the same bits everywhere.
_ANGLES = 64
_TURN = 18  # of a stroke between two segments, at most, of 64
_DIRECTIONS = (
  np.round(256 * np.exp(2j * np.pi * np.arange(_ANGLES) / _ANGLES))
  .view(np.float64)
  .reshape(_ANGLES, 2)
  .astype(np.int32)
)
# A brush as wide as this times sqrt(hole) is long when it has painted it: small
# holes get few, thin strokes rather than dots or hairlines.
_WIDTHS = np.geomspace(0.12, 0.36, 16).astype(np.float32)
_NARROWING = np.array([1.0, 1.0, 1.5, 2.25, 4.0], np.float32)  # 1 / width^2
_LENGTH = (0.06, 0.22)  # of a segment / side of the picture
_MEAN_LENGTH = sum(_LENGTH) / 2


def below(bits: chex.Array, limit: chex.Array) -> jax.Array:
  """Random words to int32 in [0, limit); the bias is below limit / 2^32."""
  return (bits % jnp.uint32(limit)).astype(jnp.int32)


def grid_of(height: int, width: int) -> tuple[int, int]:
  """(h, w) of the field of a picture: its own size, or shrunk to 128^2."""
  shrink = min(1.0, _GRID / math.sqrt(height * width))
  return max(1, round(height * shrink)), max(1, round(width * shrink))


def bound_of(grid: tuple[int, int]) -> int:
  """Largest value that a field on `grid` can hold."""
  farthest = math.hypot(*grid) * _LATTICE * math.sqrt(_NARROWING.max())
  return min(_FIELD_MAX, math.ceil(farthest * _STEPS))


def stroke_field(
  bits: chex.Array, hole: chex.Array, known: chex.Array, grid: tuple[int, int]
) -> jax.Array:
  """Distance to the nearest of a number of strokes that suits the hole.

  Args:
    bits: uint32 [WORDS], random.
    hole: int32 [], pixels to cover.
    known: int32 [], pixels to leave.
    grid: (h, w) of `grid_of`.

  Returns:
    int32 [h, w], 0..`bound_of(grid)`; wide strokes count as nearer.
  """
  # Length x width = area, more where strokes overlap: hole to rest.
  odds = hole.astype(jnp.float32) / jnp.maximum(known, 1).astype(jnp.float32)
  width = jnp.asarray(_WIDTHS)[below(bits[0], len(_WIDTHS))]
  budget = 1 + (jnp.sqrt(odds) / width / _MEAN_LENGTH).astype(jnp.int32)
  return _field(*_strokes(bits[1:], budget, grid=grid), grid=grid)


def _strokes(
  bits: chex.Array, budget: chex.Array, *, grid: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
  """Random walks of `budget` segments altogether.

  Args:
    bits: uint32 [WORDS - 1], random.
    budget: int32 [].
    grid: (h, w) of the field.

  Returns:
    (vertices int32 [_STROKES, _SEGMENTS + 1, 2] on the lattice,
    weights float32 [_STROKES] of squared distances, 0 = no such stroke).
  """
  bits = bits.reshape(_STROKES, -1)
  single, walk = bits[:, :_SINGLE], bits[:, _SINGLE:]
  limit = np.array(grid, np.int32) * _LATTICE
  side = math.sqrt(math.prod(grid)) * _LATTICE
  shortest, longest = (max(1, round(x * side)) for x in _LENGTH)
  start = below(single[:, :2], limit + 1)
  first = below(single[:, 2:3], _ANGLES)
  segments = 1 + below(single[:, 3], _SEGMENTS)
  narrow = below(single[:, 4], len(_NARROWING))
  length = shortest + below(walk[:, :_SEGMENTS], longest - shortest + 1)
  turn = below(walk[:, _SEGMENTS:], 2 * _TURN + 1) - _TURN

  angle = jnp.mod(first + jnp.cumsum(turn, axis=1), _ANGLES)
  step = (length[..., None] * jnp.asarray(_DIRECTIONS)[angle]) >> 8
  live = jnp.clip(budget - (jnp.cumsum(segments) - segments), 0, segments)
  drawn = jnp.arange(_SEGMENTS) < live[:, None]
  step = jnp.where(drawn[..., None], step, 0)
  path = jnp.concatenate([start[:, None], step], axis=1)
  # Mirrored at the borders: a walk over the plane, folded back.
  path = jnp.mod(jnp.cumsum(path, axis=1), 2 * limit)
  path = jnp.minimum(path, 2 * limit - path)
  weight = jnp.where(live > 0, jnp.asarray(_NARROWING)[narrow], 0.0)
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
    distance = functools.reduce(jnp.minimum, squared) * weights[i]
    return jnp.where(weights[i] > 0, jnp.minimum(nearest, distance), nearest)

  nearest = lax.fori_loop(
    0, _STROKES, add, jnp.full(grid, jnp.inf, jnp.float32)
  )
  steps = jnp.minimum(jnp.sqrt(nearest) * _STEPS, bound_of(grid))
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
