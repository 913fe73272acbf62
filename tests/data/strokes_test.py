"""The field of strokes against a loop, and its bounds."""

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.data import strokes


def _loop_field(vertices, weights, grid):
  """Distances in eighths of a pixel, by the textbook formula."""
  field = np.full(grid, np.inf)
  for y, x in np.ndindex(*grid):
    point = np.array([8 * y + 4, 8 * x + 4], float)
    for path, weight in zip(vertices.astype(float), weights, strict=True):
      for start, end in zip(path[:-1], path[1:], strict=True):
        line = end - start
        share = (point - start) @ line / max(line @ line, 1)
        nearest = start + np.clip(share, 0, 1) * line
        if weight > 0:
          distance = np.sqrt(weight) * np.linalg.norm(point - nearest)
          field[y, x] = min(field[y, x], distance)
  return field


def test_field_matches_loop_reference():
  random = np.random.default_rng(0)
  grid = (9, 14)
  count, length = strokes._STROKES, strokes._SEGMENTS + 1
  vertices = random.integers(0, [73, 113], (count, length, 2))
  vertices[:, 5:] = vertices[:, 4:5]  # the tail of a short stroke
  weights = random.choice([1.0, 2.25], count)
  weights[3:] = 0.0
  vertices[3:] = 4  # on a pixel's centre: must leave no dot
  field = strokes._field(
    jnp.asarray(vertices), jnp.asarray(weights, jnp.float32), grid=grid
  )
  want = 16 * _loop_field(vertices, weights, grid)
  assert np.abs(np.asarray(field) - want).max() <= 1


@pytest.mark.parametrize("budget", [1, 5, 20, 1000])
def test_strokes_stay_inside_and_within_the_budget(budget):
  words = np.random.default_rng(budget).integers(
    0, 2**32, strokes.WORDS - 1, np.uint32
  )
  path, weight = map(np.asarray, strokes._strokes(words, budget, grid=(20, 40)))
  assert path.min() >= 0
  assert (path <= [160, 320]).all()
  moved = (np.diff(path, axis=1) != 0).any(-1)
  live = weight > 0
  assert not moved[~live].any()
  assert moved.sum() <= budget
  assert live.all() or moved.sum() >= budget - 1  # a step may be mirrored away


@pytest.mark.parametrize(
  "size, grid",
  [((16, 16), (16, 16)), ((128, 128), (128, 128)), ((512, 256), (181, 91)),
   ((9, 300), (9, 300)), ((1, 10**6), (1, 128000))],
)  # fmt: skip
def test_grid_keeps_the_aspect_and_bounds_the_area(size, grid):
  assert strokes.grid_of(*size) == grid
