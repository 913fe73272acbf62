"""What a scene is staged with: light, camera, ground, and things to paint.

Things that stand on the ground are collected with their depth (`plant`,
`build`, `drive`, `sail`) and painted by `paint_things`, the far ones first.
"""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from sginpaint.data.builders.synthetic_scenes import (
  backdrop,
  buildings,
  ground,
  noise,
  road,
  trees,
  vehicles,
)
from sginpaint.data.builders.synthetic_scenes.canvas import Canvas, rgb
from sginpaint.data.builders.synthetic_scenes.classes import (
  FIELD,
  GRASS,
  SAND,
  TREE,
)
from sginpaint.data.builders.synthetic_scenes.light import Light, sample_light

_COVERS = {GRASS: ground.grass, SAND: ground.sand, FIELD: ground.field}
_HEIGHTS = {"conifer": 5.5, "broadleaf": 4.2, "poplar": 6.0, "palm": 4.2}


@dataclasses.dataclass
class Stage:
  """Everything a scene is painted with.

  Attributes:
    canvas: what is painted on.
    plane: the ground plane.
    light: time of day and weather.
    soil: colours of the ground.
    rng: the scene's random numbers.
    things: (depth, painter) of what waits for `paint_things`.
    reflects: set by scenes with still water.
  """

  canvas: Canvas
  plane: ground.Plane
  light: Light
  soil: ground.Ground
  rng: np.random.Generator
  things: list[tuple[float, Callable]] = dataclasses.field(default_factory=list)
  reflects: bool = False

  def lay(self, label: int, mask: np.ndarray | None = None) -> None:
    """Covers the ground plane, or `mask` [rows, side or 1] of it."""
    plane = self.plane
    if mask is not None:
      rows = np.flatnonzero(mask.any(1))
      if not rows.size:
        return
      plane = plane.crop(rows[0], rows[-1] + 1)
      mask = np.broadcast_to(mask[rows[0] : rows[-1] + 1], plane.X.shape)
    colors = _COVERS[label](plane, self.light, self.soil)
    self.canvas.fill(colors, mask, label, top=plane.top)

  def paint_ranges(self, low: int, high: int, *, scale: float = 1.0) -> None:
    """Paints `low` to `high` mountain ranges along the horizon."""
    count = int(self.rng.integers(low, high + 1))
    for mountain in backdrop.sample_ranges(
      self.rng, self.plane.horizon, count, scale=scale
    ):
      backdrop.paint_range(self.canvas, self.light, mountain)

  def paint_far_wood(self, y: float, height: float) -> None:
    """Paints a far edge of trees along the height `y` of the picture."""
    seed, start, end = self.rng.uniform(0, 1, 3)
    leaves = rgb(0.16, 0.30, 0.14) * self.rng.uniform(0.8, 1.3)
    x = self.canvas.centers()
    line = noise.ridge_line(x * 16, seed=seed)
    middle, half = 0.2 + 0.6 * start, 0.25 + 0.5 * end
    tall = (0.45 + 0.8 * line) * (np.abs(x - middle) < half)
    top, bottom = self.canvas.row(y - 1.6 * height), self.canvas.row(y)
    up = (y - self.canvas.centers(top, bottom)[:, None]) / height
    leaf = noise.sample(0.9, x[None] * 0.8 + seed, 0.8 * height * up)
    facing = np.clip(0.25 + 0.5 * up + (leaf - 0.5), 0.1, 1)
    albedo = leaves * (1 - 0.5 * self.light.snow) + 0.5 * self.light.snow
    colors = self.light.through_air(
      self.light.shade(albedo, facing), min(self.plane.depth_at(y), 60)
    )
    self.canvas.fill(colors, up < tall[None], TREE, top=top)

  def tree_kind(self, *, palms: bool = False) -> str:
    """Draws the one kind of tree that grows in this scene."""
    kinds = ["conifer", "broadleaf", "broadleaf", "poplar"]
    kind = str(self.rng.choice(kinds))
    return "palm" if palms and not self.light.snow else kind

  def scatter(
    self, count: int, kind: str, *, near: float, far: float, clear: float
  ) -> list[trees.Tree]:
    """Draws trees at random places at least `clear` from the line X = 0."""
    found = []
    for _ in range(count):
      # Even in 1/Z, so that no distance is crowded in the picture.
      Z = 1 / self.rng.uniform(1 / far, 1 / near)
      x = self.rng.uniform(-0.05, 1.05)
      X = (x - self.plane.vanish) * Z
      if abs(X) < clear:
        X = clear * (1 if X > 0 else -1) * self.rng.uniform(1.0, 1.5)
      found.append(trees.sample_tree(self.rng, kind, X, Z, _HEIGHTS[kind]))
    return found

  def plant(self, wood: Iterable[trees.Tree]) -> None:
    """Throws the trees' shadows now; the trees wait for `paint_things`."""
    for tree in wood:
      trees.paint_shadow(self.canvas, self.plane, self.light, tree)
      self._wait(tree.Z, trees.paint_tree, tree)

  def build(self, boxes: Iterable[buildings.Box]) -> None:
    """Adds buildings."""
    for box in boxes:
      self._wait(box.near, buildings.paint_box, box)

  def drive(self, way: road.Road, count: int) -> None:
    """Adds `count` cars on the two lanes of a road."""
    for _ in range(count):
      Z = 1 / self.rng.uniform(1 / 16, 1 / 3.2)
      oncoming = bool(self.rng.uniform() < 0.5)
      lane = (-0.5 if oncoming else 0.5) * way.half_width
      paint = int(self.rng.integers(len(vehicles.PAINTS)))
      car = vehicles.Car(way.middle(Z) + lane, Z, paint, oncoming)
      self._wait(Z, vehicles.paint_car, car)

  def sail(self, x: float, Z: float) -> None:
    """Adds a boat that is seen at the picture position `x`."""
    paint = int(self.rng.integers(len(vehicles.PAINTS)))
    boat = vehicles.Boat((x - self.plane.vanish) * Z, Z, paint)
    self._wait(Z, vehicles.paint_boat, boat)

  def paint_things(self) -> None:
    """Paints what was added since the last call, the far things first."""
    for _, paint in sorted(self.things, key=lambda thing: -thing[0]):
      paint()
    self.things.clear()

  def _wait(self, depth: float, paint: Callable, thing) -> None:
    self.things.append(
      (depth, lambda: paint(self.canvas, self.plane, self.light, thing))
    )


def make_stage(
  rng: np.random.Generator, size: int, *, horizon: tuple[float, float]
) -> Stage:
  """Draws light, camera and colours; paints the sky.

  Args:
    rng: the scene's random numbers.
    size: of the picture in pixels.
    horizon: lowest and highest y of the horizon.

  Returns:
    A stage with nothing below the horizon.
  """
  canvas, light = Canvas(size), sample_light(rng)
  level = rng.uniform(*horizon)
  plane = ground.Plane(canvas, level, rng.uniform(0.3, 0.7))
  backdrop.paint_sky(canvas, light, rng, level)
  return Stage(canvas, plane, light, ground.sample_ground(rng), rng)
