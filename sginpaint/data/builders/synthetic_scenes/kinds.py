"""The kinds of dry scene: who stands where, and in which order it is painted.

Each function paints one kind onto a `Stage`, from the sky to the nearest thing.
Every random draw is made in units of the picture's side or of the ground, and
none depends on the picture size: a seed is the same scene at every size.
"""

import numpy as np

from sginpaint.data.builders.synthetic_scenes import (
  buildings,
  road,
  shores,
  trees,
)
from sginpaint.data.builders.synthetic_scenes.classes import (
  FIELD,
  GRASS,
  SAND,
)
from sginpaint.data.builders.synthetic_scenes.stage import Stage, make_stage


def street(rng: np.random.Generator, size: int) -> Stage:
  """A street between houses, or between houses and a park."""
  s = make_stage(rng, size, horizon=(0.42, 0.56))
  if rng.uniform() < 0.35:
    s.paint_ranges(1, 2, scale=0.7)
  s.lay(GRASS)
  if rng.uniform() < 0.55:
    s.build(buildings.sample_skyline(rng, s.plane, rng.uniform(24, 34)))
    s.paint_things()
  way = road.sample_road(rng, street=True)
  road.paint_road(s.canvas, s.plane, s.light, way)
  edge = way.half_width + way.pavement + 0.1
  sides = [(-1,), (1,), (-1, 1), (-1, 1)][rng.integers(4)]
  for side in sides:
    limit = abs(side * edge + way.center)
    _shade_street(s, side * limit, side)
    s.build(buildings.sample_street(rng, limit, side, far=24))
  kind = s.tree_kind()
  for Z in 2.6 * 1.5 ** np.arange(rng.integers(3, 6)):
    side = rng.choice([-1, 1]) if len(sides) == 2 else -sides[0]
    X = way.center + side * (way.half_width + 0.55 * way.pavement)
    if side not in sides:
      X += side * rng.uniform(0.8, 5)
    Z *= rng.uniform(0.9, 1.2)
    s.plant([trees.sample_tree(rng, kind, X, Z, 3.0)])
  s.drive(way, int(rng.integers(0, 4)))
  s.paint_things()
  return s


def _shade_street(s: Stage, wall: float, side: int) -> None:
  """The shadow that a row of buildings throws towards the street."""
  if s.light.direct < 0.3 or side * s.light.sun_x < 0:
    return
  width = 0.5 + 3.5 * abs(s.light.sun_x)
  into = (wall - s.plane.X) * side
  shaded = (into > 0) & (into < width) & (s.plane.Z < 40)
  image, _ = s.canvas.window(s.plane.top, s.canvas.side, 0, s.canvas.side)
  image *= 1 - np.float32(0.42 * s.light.direct) * shaded


def country(rng: np.random.Generator, size: int) -> Stage:
  """A road or a river through open country."""
  s = make_stage(rng, size, horizon=(0.36, 0.55))
  s.paint_ranges(1, 3)
  left, right = rng.choice([GRASS, GRASS, FIELD, SAND], 2)
  s.lay(int(left))
  if left != right:
    s.lay(int(right), s.plane.X > 0)
  if rng.uniform() < 0.6:
    s.paint_far_wood(s.plane.horizon + 0.012, rng.uniform(0.02, 0.05))
  way = road.sample_road(rng, street=False)
  if rng.uniform() < 0.3:
    shores.paint_river(s, way.center, 1.3 * way.half_width)
  else:
    road.paint_road(s.canvas, s.plane, s.light, way)
    s.drive(way, int(rng.integers(0, 3)))
  clear = way.half_width * 1.25 + abs(way.center) + 2.3
  count, kind = int(rng.integers(2, 9)), s.tree_kind()
  s.plant(s.scatter(count, kind, near=6, far=30, clear=clear))
  if rng.uniform() < 0.45:
    x = rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.95)])
    s.build([buildings.sample_house(rng, x, rng.uniform(9, 18), s.plane)])
  s.paint_things()
  return s


def farm(rng: np.random.Generator, size: int) -> Stage:
  """Fields in rows, farm houses, single trees."""
  s = make_stage(rng, size, horizon=(0.34, 0.52))
  s.paint_ranges(0, 2, scale=0.8)
  s.lay(FIELD)
  far = float(rng.uniform(9, 18))
  s.lay(GRASS, far < s.plane.Z)
  if rng.uniform() < 0.4:
    s.lay(GRASS, (s.plane.X - rng.uniform(-2, 2)) * rng.choice([-1, 1]) > 0)
  if rng.uniform() < 0.6:
    s.paint_far_wood(s.plane.horizon + 0.014, rng.uniform(0.02, 0.06))
  for x in rng.uniform(0.05, 0.95, rng.integers(1, 4)):
    depth = far * rng.uniform(0.9, 1.4)
    s.build([buildings.sample_house(rng, x, depth, s.plane)])
  count, kind = int(rng.integers(1, 6)), s.tree_kind()
  s.plant(s.scatter(count, kind, near=7, far=26, clear=2.0))
  s.paint_things()
  return s


KINDS = (street, country, shores.lake, shores.coast, farm)
ODDS = (0.27, 0.25, 0.2, 0.12, 0.16)
