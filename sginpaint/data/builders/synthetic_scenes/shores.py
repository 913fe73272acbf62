"""The kinds of scene with water in the middle: lakes, coasts, rivers.

What the water mirrors is painted first, then the water, then the near shore.
"""

import numpy as np

from sginpaint.data.builders.synthetic_scenes import (
  buildings,
  noise,
  trees,
  water,
)
from sginpaint.data.builders.synthetic_scenes.canvas import rgb
from sginpaint.data.builders.synthetic_scenes.classes import GRASS, SAND
from sginpaint.data.builders.synthetic_scenes.stage import Stage, make_stage

_LAKES = (rgb(0.08, 0.26, 0.36), rgb(0.10, 0.32, 0.30))
_SEAS = (rgb(0.05, 0.30, 0.48), rgb(0.06, 0.42, 0.50))


def lake(rng: np.random.Generator, size: int) -> Stage:
  """A lake that mirrors mountains and its far shore."""
  s = make_stage(rng, size, horizon=(0.36, 0.5))
  s.paint_ranges(1, 3)
  shore = s.plane.horizon + rng.uniform(0.012, 0.035)
  s.lay(GRASS, s.plane.y < shore + 0.02)
  depth = s.plane.depth_at(shore)
  has_town = rng.uniform() < 0.3
  if has_town:
    s.build(buildings.sample_skyline(rng, s.plane, min(depth, 45)))
    s.paint_things()
  if rng.uniform() < 0.75 or not has_town:
    s.paint_far_wood(shore - 0.003, rng.uniform(0.02, 0.07))
  count, kind = int(rng.integers(2, 7)), s.tree_kind()
  s.plant(s.scatter(count, kind, near=depth, far=depth + 2, clear=0))
  s.paint_things()
  water.paint_water(
    s.canvas,
    s.plane,
    s.light,
    np.broadcast_to(s.plane.y > shore, s.plane.X.shape),
    shore=shore,
    roughness=rng.uniform(0.15, 0.55),
    deep=_LAKES[rng.integers(2)],
    offset=rng.uniform(0, 1, 2),
  )
  s.reflects = True
  for chance, x, nearness in rng.uniform(size=(2, 3)):
    if chance < 0.35:
      s.sail(0.1 + 0.8 * x, 1 / (0.05 + 0.07 * nearness))
  s.paint_things()
  _paint_near_shore(s, shore)
  return s


def _paint_near_shore(s: Stage, shore: float) -> None:
  """The bank on which the camera stands, with trees that frame the view."""
  rng = s.rng
  tilt, bend = rng.uniform(-0.35, 0.35), rng.uniform(-0.4, 0.6)
  label = int(rng.choice([GRASS, GRASS, SAND]))
  level = rng.uniform(0.72, 0.95)

  def edge(x):
    return level + tilt * (x - 0.5) + bend * (x - 0.5) ** 2

  x = s.plane.x
  ragged = noise.sample(1.3, x * 0.4 + level, np.zeros((1, 1)))
  bank = np.maximum(edge(x) + 0.05 * (ragged - 0.5), shore + 0.12)
  s.lay(label, s.plane.y > bank)
  kind = s.tree_kind(palms=label == SAND and rng.uniform() < 0.4)
  for _ in range(int(rng.integers(0, 4))):
    at = rng.choice([rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0)])
    foot = max(edge(at) + rng.uniform(0.02, 0.1), shore + 0.15)
    Z = s.plane.depth_at(foot)
    X = (at - s.plane.vanish) * Z
    s.plant([trees.sample_tree(rng, kind, X, Z, 1.9)])
  s.paint_things()


def coast(rng: np.random.Generator, size: int) -> Stage:
  """A beach that runs away from the camera, the sea beside it."""
  s = make_stage(rng, size, horizon=(0.36, 0.52))
  if rng.uniform() < 0.6:
    s.paint_ranges(1, 1, scale=0.6)
  s.lay(SAND)
  side = rng.choice([-1, 1])
  offset = rng.uniform(0, 1, 2)
  u, v = s.plane.X / 60 + offset[0], s.plane.Z / 22 + offset[1]
  inland = side * s.plane.X - 0.45 * s.plane.Z**0.8 + rng.uniform(-1.0, 0.8)
  inland = inland + 5 * (noise.sample(1.8, u, v) - 0.5)
  dunes = rng.uniform(2.5, 5) + 0.25 * s.plane.Z
  s.lay(GRASS, side * s.plane.X > dunes)
  water.paint_water(
    s.canvas,
    s.plane,
    s.light,
    inland < 0,
    shore=s.plane.horizon,
    roughness=rng.uniform(0.7, 1.3),
    deep=_SEAS[rng.integers(2)],
    offset=offset,
  )
  water.add_foam(s.canvas, s.plane, s.light, inland)
  kind = s.tree_kind(palms=True)
  for Z in 3.2 * 1.45 ** np.arange(rng.integers(2, 6)):
    X = side * (2.6 + 0.5 * Z) * rng.uniform(0.6, 1.3)
    s.plant([trees.sample_tree(rng, kind, X, Z, 3.4)])
  if rng.uniform() < 0.3:
    x = s.plane.vanish + side * rng.uniform(0.42, 0.6)
    s.build([buildings.sample_house(rng, x, 13.0, s.plane)])
  if rng.uniform() < 0.45:
    s.sail(0.5 - side * rng.uniform(0.2, 0.4), 1 / rng.uniform(0.03, 0.08))
  s.paint_things()
  return s


def paint_river(s: Stage, center: float, half_width: float) -> None:
  """A river that winds from under the camera to the horizon."""
  rng = s.rng
  offset = rng.uniform(0, 1, 2)
  winding = 1.6 * np.sin(s.plane.Z * 0.3 + 6 * offset[0])
  bank = noise.sample(1.3, s.plane.X / 9, s.plane.Z / 9) - 0.5
  across = np.abs(s.plane.X - center - winding)
  beyond = across + 1.2 * bank - half_width
  if rng.uniform() < 0.5:
    s.lay(SAND, beyond < 0.45)
  water.paint_water(
    s.canvas,
    s.plane,
    s.light,
    beyond < 0,
    shore=s.plane.horizon + 0.008,
    roughness=rng.uniform(0.25, 0.6),
    deep=_LAKES[rng.integers(2)],
    offset=offset,
  )
  s.reflects = True
