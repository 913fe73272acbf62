"""The kinds of scene: who stands where, and in which order it is painted.

Each function paints one kind onto a `Stage`, from the sky to the nearest thing.
Every random draw is made in units of the picture's side or of the ground, and
none depends on the picture size: a seed is the same scene at every size.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from sginpaint.data.builders.synthetic_scenes import (
  backdrop,
  buildings,
  ground,
  noise,
  road,
  trees,
  vehicles,
  water,
)
from sginpaint.data.builders.synthetic_scenes.canvas import Canvas, rgb
from sginpaint.data.builders.synthetic_scenes.classes import (
  FIELD,
  GRASS,
  SAND,
  TREE,
)
from sginpaint.data.builders.synthetic_scenes.light import Light, sample_light

_FLAT = {
  GRASS: ground.grass,
  SAND: ground.sand,
  FIELD: ground.field,
}


@dataclasses.dataclass
class Stage:
  """Everything a scene is painted with.

  Attributes:
    canvas: what is painted on.
    plane: the ground plane.
    light: time of day and weather.
    soil: colours of the ground.
    rng: the scene's random numbers.
    reflects: set by scenes with still water.
  """

  canvas: Canvas
  plane: ground.Plane
  light: Light
  soil: ground.Ground
  rng: np.random.Generator
  reflects: bool = False

  def lay(self, label: int, mask: np.ndarray | None = None) -> None:
    """Covers the ground plane, or `mask` [rows, side] of it."""
    colors = _FLAT[label](self.plane, self.light, self.soil)
    self.canvas.fill(colors, mask, label, top=self.plane.top)


def make_stage(
  rng: np.random.Generator, size: int, *, horizon: tuple[float, float]
) -> Stage:
  """Draws light, camera and colours; paints the sky."""
  canvas, light = Canvas(size), sample_light(rng)
  level = rng.uniform(*horizon)
  plane = ground.Plane(canvas, level, rng.uniform(0.3, 0.7))
  backdrop.paint_sky(canvas, light, rng, level)
  return Stage(canvas, plane, light, ground.sample_ground(rng), rng)


def _paint_ranges(s: Stage, low: int, high: int, *, scale: float = 1.0) -> None:
  count = int(s.rng.integers(low, high + 1))
  ranges = backdrop.sample_ranges(s.rng, s.plane.horizon, count, scale=scale)
  for mountain in ranges:
    backdrop.paint_range(s.canvas, s.light, mountain)


def _paint_wood(s: Stage, y: float, height: float) -> None:
  """A far edge of trees along the height `y` of the picture."""
  seed, start, end = s.rng.uniform(0, 1, 3)
  leaves = rgb(0.16, 0.30, 0.14) * s.rng.uniform(0.8, 1.3)
  x = s.canvas.centers()
  line = noise.ridge_line(x * 16, seed=seed)
  middle, half = 0.2 + 0.6 * start, 0.25 + 0.5 * end
  tall = height * (0.45 + 0.8 * line) * (np.abs(x - middle) < half)
  top, bottom = s.canvas.row(y - 1.6 * height), s.canvas.row(y)
  up = (y - s.canvas.centers(top, bottom)[:, None]) / height
  leaf = noise.sample(0.9, x[None] * 0.8 + seed, 0.8 * height * up)
  facing = np.clip(0.25 + 0.5 * up + 1.4 * (leaf - 0.5), 0.1, 1)
  albedo = leaves * (1 - 0.5 * s.light.snow) + 0.5 * s.light.snow
  depth = s.plane.depth_at(y)
  colors = s.light.through_air(s.light.shade(albedo, facing), min(depth, 60))
  mask = up < tall[None] / height
  s.canvas.fill(colors, mask, TREE, top=top)


def _tree_kind(s: Stage, *, palms: bool = False) -> str:
  if palms:
    return "palm"
  return str(s.rng.choice(["conifer", "broadleaf", "broadleaf", "poplar"]))


def _scatter(
  s: Stage, count: int, kind: str, *, near: float, far: float, clear: float
) -> list[trees.Tree]:
  """Trees at random places at least `clear` from the line X = 0."""
  found = []
  for _ in range(count):
    # Even in 1/Z, so that no distance is crowded in the picture.
    Z = 1 / s.rng.uniform(1 / far, 1 / near)
    x = s.rng.uniform(-0.05, 1.05)
    X = (x - s.plane.vanish) * Z
    if abs(X) < clear:
      X = clear * (1 if X > 0 else -1) * s.rng.uniform(1.0, 1.5)
    height = {"conifer": 5.5, "broadleaf": 4.2, "poplar": 6.0, "palm": 4.2}[kind]
    found.append(trees.sample_tree(s.rng, kind, X, Z, height))
  return found


def _paint_things(s: Stage, things: list[tuple[float, Callable]]) -> None:
  for _, paint in sorted(things, key=lambda thing: -thing[0]):
    paint()


def _tree_things(s: Stage, wood: list[trees.Tree]) -> list:
  for tree in wood:
    trees.paint_shadow(s.canvas, s.plane, s.light, tree)
  return [
    (t.Z, lambda t=t: trees.paint_tree(s.canvas, s.plane, s.light, t))
    for t in wood
  ]


def _box_things(s: Stage, boxes: list[buildings.Box]) -> list:
  return [
    (b.near, lambda b=b: buildings.paint_box(s.canvas, s.plane, s.light, b))
    for b in boxes
  ]


def _car_things(s: Stage, way: road.Road, count: int) -> list:
  things = []
  for _ in range(count):
    Z = 1 / s.rng.uniform(1 / 16, 1 / 3.2)
    oncoming = bool(s.rng.uniform() < 0.5)
    lane = (-0.5 if oncoming else 0.5) * way.half_width
    place = {
      "X": way.middle(Z) + lane,
      "Z": Z,
      "paint": int(s.rng.integers(6)),
      "oncoming": oncoming,
    }
    things.append(
      (Z, lambda p=place: vehicles.paint_car(s.canvas, s.plane, s.light, **p))
    )
  return things


def street(rng: np.random.Generator, size: int) -> Stage:
  """A street between houses, or between houses and a park."""
  s = make_stage(rng, size, horizon=(0.42, 0.56))
  if rng.uniform() < 0.35:
    _paint_ranges(s, 1, 2, scale=0.7)
  s.lay(GRASS)
  if rng.uniform() < 0.55:
    skyline = buildings.sample_skyline(rng, s.plane, rng.uniform(24, 34))
    _paint_things(s, _box_things(s, skyline))
  way = road.sample_road(rng, street=True)
  road.paint_road(s.canvas, s.plane, s.light, way, far=np.inf)
  edge = way.half_width + way.pavement + 0.1
  sides = [(-1,), (1,), (-1, 1), (-1, 1)][rng.integers(4)]
  things = []
  for side in (-1, 1):
    limit = abs(side * edge + way.center)
    if side in sides:
      row = buildings.sample_street(rng, limit, side, far=24)
      _shade_street(s, side * limit, side)
      things += _box_things(s, row)
  kind = _tree_kind(s)
  avenue = []
  for Z in 2.6 * 1.5 ** np.arange(rng.integers(3, 6)):
    side = rng.choice([-1, 1]) if len(sides) == 2 else -sides[0]
    X = way.center + side * (way.half_width + 0.55 * way.pavement)
    if side not in sides:
      X += side * rng.uniform(0.8, 5)
    avenue.append(
      trees.sample_tree(rng, kind, X, Z * rng.uniform(0.9, 1.2), 3.0)
    )
  things += _tree_things(s, avenue)
  things += _car_things(s, way, int(rng.integers(0, 4)))
  _paint_things(s, things)
  return s


def _shade_street(s: Stage, wall: float, side: int) -> None:
  """The shadow that a row of buildings throws towards the street."""
  toward = -side * s.light.sun_x
  if s.light.direct < 0.3 or toward > 0:
    return
  width = 0.5 + 3.5 * abs(s.light.sun_x)
  into = (wall - s.plane.X) * side
  dark = 0.42 * s.light.direct * ((into > 0) & (into < width) & (s.plane.Z < 40))
  image, _ = s.canvas.window(s.plane.top, s.canvas.side, 0, s.canvas.side)
  image *= 1 - dark.astype(np.float32)


def country(rng: np.random.Generator, size: int) -> Stage:
  """A road or a river through open country."""
  s = make_stage(rng, size, horizon=(0.36, 0.55))
  _paint_ranges(s, 1, 3)
  left, right = rng.choice([GRASS, GRASS, FIELD, SAND], 2)
  s.lay(int(left))
  if left != right:
    s.lay(int(right), s.plane.X > 0)
  if rng.uniform() < 0.6:
    _paint_wood(s, s.plane.horizon + 0.012, rng.uniform(0.02, 0.05))
  way = road.sample_road(rng, street=False)
  is_river = rng.uniform() < 0.3
  if is_river:
    _paint_river(s, way)
  else:
    road.paint_road(s.canvas, s.plane, s.light, way, far=np.inf)
  clear = way.half_width * 1.25 + abs(way.center) + 0.8
  kind = _tree_kind(s)
  count = int(rng.integers(2, 9))
  wood = _scatter(s, count, kind, near=4, far=26, clear=clear + 1.5)
  things = _tree_things(s, wood)
  if rng.uniform() < 0.45:
    x = rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.95)])
    house = buildings.sample_house(rng, x, rng.uniform(9, 18), s.plane)
    things += _box_things(s, [house])
  cars = int(rng.integers(0, 3))
  if not is_river:
    things += _car_things(s, way, cars)
  _paint_things(s, things)
  return s


def _paint_river(s: Stage, way: road.Road) -> None:
  offset = s.rng.uniform(0, 1, 2)
  across = s.plane.X - way.center - 1.6 * np.sin(s.plane.Z * 0.3 + 6 * offset[0])
  bank = noise.sample(1.3, s.plane.X / 9, s.plane.Z / 9) - 0.5
  distance = np.abs(across) + 1.2 * bank - way.half_width * 1.3
  if s.rng.uniform() < 0.5:
    s.lay(SAND, distance < 0.45)
  water.paint_water(
    s.canvas, s.plane, s.light, distance < 0,
    shore=s.plane.horizon + 0.008, roughness=s.rng.uniform(0.25, 0.6),
    deep=rgb(0.10, 0.26, 0.30), offset=offset,
  )  # fmt: skip
  s.reflects = True


def lake(rng: np.random.Generator, size: int) -> Stage:
  """A lake that mirrors mountains and its far shore."""
  s = make_stage(rng, size, horizon=(0.36, 0.5))
  _paint_ranges(s, 1, 3)
  s.lay(GRASS)
  shore = s.plane.horizon + rng.uniform(0.012, 0.035)
  depth = s.plane.depth_at(shore)
  town = rng.uniform()
  if town < 0.3:
    row = buildings.sample_skyline(rng, s.plane, min(depth, 45))
    _paint_things(s, _box_things(s, row))
  if rng.uniform() < 0.75 or town >= 0.3:
    _paint_wood(s, shore - 0.003, rng.uniform(0.02, 0.07))
  kind = _tree_kind(s)
  far_wood = _scatter(s, int(rng.integers(2, 7)), kind, near=depth, far=depth + 2, clear=0)
  _paint_things(s, _tree_things(s, far_wood))
  offset = rng.uniform(0, 1, 2)
  roughness = rng.uniform(0.15, 0.55)
  water.paint_water(
    s.canvas, s.plane, s.light,
    np.broadcast_to(s.plane.y > shore, s.plane.X.shape),
    shore=shore, roughness=roughness,
    deep=(rgb(0.08, 0.26, 0.36), rgb(0.10, 0.32, 0.30))[rng.integers(2)],
    offset=offset,
  )  # fmt: skip
  s.reflects = True
  boats = rng.uniform(size=(2, 3))
  for chance, where, paint in boats:
    if chance < 0.35:
      Z = 1 / (0.09 + 0.08 * where)
      X = (0.15 + 0.7 * paint - s.plane.vanish) * Z
      vehicles.paint_boat(s.canvas, s.plane, s.light, X=X, Z=Z, paint=int(paint * 60))
  _paint_near_shore(s, shore)
  return s


def _paint_near_shore(s: Stage, shore: float) -> None:
  """The bank on which the camera stands, with trees that frame the view."""
  rng = s.rng
  tilt, bend = rng.uniform(-0.35, 0.35), rng.uniform(-0.4, 0.6)
  label = int(rng.choice([GRASS, GRASS, SAND]))
  level = rng.uniform(0.72, 0.95)
  x = s.plane.x - 0.5
  edge = level + tilt * x + bend * x**2
  edge = edge + 0.05 * (noise.sample(1.3, s.plane.x * 0.4 + level, s.plane.y * 0) - 0.5)
  s.lay(label, s.plane.y > np.maximum(edge, shore + 0.12))
  kind = _tree_kind(s, palms=label == SAND and rng.uniform() < 0.4)
  wood = []
  for _ in range(int(rng.integers(0, 4))):
    at = rng.choice([rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0)])
    foot = level + tilt * (at - 0.5) + bend * (at - 0.5) ** 2 + rng.uniform(0.02, 0.1)
    Z = s.plane.depth_at(max(foot, shore + 0.15))
    wood.append(
      trees.sample_tree(rng, kind, (at - s.plane.vanish) * Z, Z, 3.0)
    )
  _paint_things(s, _tree_things(s, wood))


def coast(rng: np.random.Generator, size: int) -> Stage:
  """A beach that runs away from the camera, the sea beside it."""
  s = make_stage(rng, size, horizon=(0.36, 0.52))
  if rng.uniform() < 0.6:
    _paint_ranges(s, 1, 1, scale=0.6)
  s.lay(SAND)
  side = rng.choice([-1, 1])
  offset = rng.uniform(0, 1, 2)
  wave = noise.sample(1.8, s.plane.X / 60 + offset[0], s.plane.Z / 22 + offset[1])
  distance = side * s.plane.X + rng.uniform(-1.0, 0.8) - 0.45 * s.plane.Z ** 0.8
  distance = distance + 5 * (wave - 0.5)
  behind = side * s.plane.X - rng.uniform(2.5, 5) - 0.25 * s.plane.Z
  s.lay(GRASS, behind > 0)
  water.paint_water(
    s.canvas, s.plane, s.light, distance < 0,
    shore=s.plane.horizon, roughness=rng.uniform(0.7, 1.3),
    deep=(rgb(0.05, 0.30, 0.48), rgb(0.06, 0.42, 0.50))[rng.integers(2)],
    offset=offset,
  )  # fmt: skip
  water.add_foam(s.canvas, s.plane, s.light, distance)
  palms = []
  for Z in 3.2 * 1.45 ** np.arange(rng.integers(2, 6)):
    X = side * (2.6 + 0.5 * Z) * rng.uniform(0.6, 1.3)
    palms.append(trees.sample_tree(rng, "palm", X, Z, 4.0))
  things = _tree_things(s, palms)
  if rng.uniform() < 0.3:
    x = s.plane.vanish + side * rng.uniform(0.2, 0.4)
    things += _box_things(s, [buildings.sample_house(rng, x, 13.0, s.plane)])
  if rng.uniform() < 0.45:
    Z = 1 / rng.uniform(0.05, 0.1)
    x = 0.5 - side * rng.uniform(0.2, 0.4)
    vehicles.paint_boat(
      s.canvas, s.plane, s.light,
      X=(x - s.plane.vanish) * Z, Z=Z, paint=int(rng.integers(6)),
    )  # fmt: skip
  _paint_things(s, things)
  return s


def farm(rng: np.random.Generator, size: int) -> Stage:
  """Fields in rows, farm houses, single trees."""
  s = make_stage(rng, size, horizon=(0.34, 0.52))
  _paint_ranges(s, 0, 2, scale=0.8)
  s.lay(FIELD)
  far = rng.uniform(9, 18)
  s.lay(GRASS, np.broadcast_to(s.plane.Z > far, s.plane.X.shape))
  if rng.uniform() < 0.4:
    s.lay(GRASS, (s.plane.X - rng.uniform(-2, 2)) * rng.choice([-1, 1]) > 0)
  if rng.uniform() < 0.6:
    _paint_wood(s, s.plane.horizon + 0.014, rng.uniform(0.02, 0.06))
  boxes = []
  for x in rng.uniform(0.05, 0.95, rng.integers(1, 4)):
    depth = far * rng.uniform(0.9, 1.4)
    boxes.append(buildings.sample_house(rng, x, depth, s.plane))
  things = _box_things(s, boxes)
  kind = _tree_kind(s)
  wood = _scatter(s, int(rng.integers(1, 6)), kind, near=5, far=24, clear=2.0)
  things += _tree_things(s, wood)
  _paint_things(s, things)
  return s


KINDS = (street, country, lake, coast, farm)
ODDS = (0.27, 0.25, 0.2, 0.12, 0.16)
