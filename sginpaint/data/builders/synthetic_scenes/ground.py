"""The ground plane in perspective, and what lies flat on it.

A camera one unit above the ground looks along it. A pixel at (x, y) below the
horizon sees the ground at depth Z = 1 / (y - horizon) and lateral position
X = (x - vanish) Z. Lines of constant X meet in the vanishing point. An object
of height T standing at depth Z spans T / Z of the picture's side.
"""

import copy
import dataclasses

import numpy as np

from sginpaint.data.builders.synthetic_scenes import noise
from sginpaint.data.builders.synthetic_scenes.canvas import (
  Canvas,
  mix,
  rgb,
)
from sginpaint.data.builders.synthetic_scenes.light import Light

_SNOW_GROUND = rgb(0.86, 0.89, 0.94)


class Plane:
  """Ground coordinates of the pixels below the horizon.

  Attributes:
    horizon: y of the horizon.
    vanish: x of the vanishing point.
    top: first pixel row of the plane; the arrays below start there.
    X: float32 [rows, side] lateral position.
    Z: float32 [rows, 1] depth.
    y: float32 [rows, 1] position.
    x: float32 [1, side] position.
    footprint: float32 [rows, 1] extent in X of one pixel.
  """

  def __init__(self, canvas: Canvas, horizon: float, vanish: float):
    """Looks along the ground of a canvas."""
    self.horizon = horizon
    self.vanish = vanish
    self.top = canvas.row(horizon + 0.002)
    self.y = canvas.centers(self.top)[:, None]
    self.x = canvas.centers()[None]
    self.Z = 1 / (self.y - np.float32(horizon))
    self.X = (self.x - np.float32(vanish)) * self.Z
    self.footprint = self.Z / canvas.side

  def crop(self, first: int, last: int) -> "Plane":
    """The part from array row `first` up to `last`."""
    part = copy.copy(self)
    part.top = self.top + first
    for name in ("X", "Z", "y", "footprint"):
      setattr(part, name, getattr(self, name)[first:last])
    return part

  def project(self, X: float, up: float, Z: float) -> tuple[float, float]:
    """Picture position (x, y) of a point `up` above the ground."""
    return self.vanish + X / Z, self.horizon + (1 - up) / Z

  def depth_at(self, y: float) -> float:
    """Depth of the ground seen at the picture position `y`."""
    return 1 / max(y - self.horizon, 1e-3)


def soft_box(
  u: np.ndarray, low: float, high: float, footprint: float | np.ndarray
) -> np.ndarray:
  """Share of a pixel centred at `u` and `footprint` wide inside [low, high]."""
  inside = np.minimum(u + footprint / 2, high) - np.maximum(
    u - footprint / 2, low
  )
  return np.clip(inside / footprint, 0, 1)


def soft_stripes(
  u: np.ndarray, share: float, footprint: float | np.ndarray
) -> np.ndarray:
  """Box-filtered stripes: u in periods, `share` of each period is 1."""
  low, high = u - footprint / 2, u + footprint / 2

  def integral(t):
    whole = np.floor(t)
    return whole * share + np.minimum(t - whole, share)

  return (integral(high) - integral(low)) / footprint


@dataclasses.dataclass(frozen=True)
class Ground:
  """What the scene's meadows, sands and fields look like.

  Attributes:
    grass: two colours that the meadow varies between.
    sand: colour.
    crop: colour of the field's plants.
    soil: colour between the rows.
    spacing: of the field's rows.
    skew: of the rows against the view, X per unit of Z.
    offset: [2] where the noise tiles are read.
  """

  grass: tuple[np.ndarray, np.ndarray]
  sand: np.ndarray
  crop: np.ndarray
  soil: np.ndarray
  spacing: float
  skew: float
  offset: np.ndarray


_GRASSES = (
  ((0.30, 0.52, 0.16), (0.46, 0.62, 0.24)),
  ((0.20, 0.44, 0.18), (0.36, 0.54, 0.20)),
  ((0.52, 0.52, 0.24), (0.66, 0.60, 0.32)),
)
_CROPS = (
  ((0.34, 0.60, 0.18), (0.42, 0.30, 0.20)),
  ((0.86, 0.70, 0.28), (0.52, 0.38, 0.20)),
  ((0.56, 0.40, 0.70), (0.34, 0.42, 0.24)),
  ((0.50, 0.36, 0.24), (0.32, 0.23, 0.17)),
)
_SANDS = ((0.86, 0.76, 0.56), (0.86, 0.72, 0.50), (0.80, 0.74, 0.64))


def sample_ground(rng: np.random.Generator) -> Ground:
  """Draws the colours of the ground."""
  meadow = _GRASSES[rng.integers(3)]
  crop, soil = (rgb(*c) for c in _CROPS[rng.integers(len(_CROPS))])
  sand = rgb(*_SANDS[rng.integers(3)])
  tint = rgb(*rng.uniform(0.92, 1.08, 3))
  return Ground(
    tuple(rgb(*c) * tint for c in meadow),
    sand * rgb(*rng.uniform(0.96, 1.04, 3)),
    crop * tint,
    soil * tint,
    float(rng.uniform(0.6, 1.5)),
    float(rng.choice([0.0, 0.0, -0.9, 0.9, 0.35])),
    rng.uniform(0, 1, 2),
  )


def grass(plane: Plane, light: Light, ground: Ground) -> np.ndarray:
  """Meadow with blades that grow with nearness; [3, rows, side]."""
  ox, oy = ground.offset
  patches = noise.sample(1.3, plane.X / 40 + ox, plane.Z / 40 + oy)
  # Blades keep their shape on the ground: log Z is vertical scale-free.
  blades = noise.sample(0.9, plane.X * 0.085 + ox, np.log(plane.Z) * 0.06 + oy)
  visible = 1 / (1 + 6 * plane.footprint)
  albedo = mix(ground.grass[0], ground.grass[1], 2.2 * (patches - 0.5) + 0.5)
  facing = 0.62 + 0.8 * visible * (blades - 0.5)
  return _finish(albedo, facing, plane, light)


def sand(plane: Plane, light: Light, ground: Ground) -> np.ndarray:
  """Sand with wind ripples across the view; [3, rows, side]."""
  ox, oy = ground.offset
  dunes = noise.sample(1.8, plane.X / 30 + ox, plane.Z / 30 + oy)
  phase = plane.Z * 1.6 + 9 * dunes + 0.1 * plane.X
  reach = 1 / (1 + (plane.Z**2 * 1.6 / 40) ** 2)
  ripples = 0.5 * np.sin(2 * np.pi * phase) * reach
  facing = 0.62 + 0.5 * (dunes - 0.5) + 0.12 * ripples
  return _finish(ground.sand, facing, plane, light)


def field(plane: Plane, light: Light, ground: Ground) -> np.ndarray:
  """Rows of plants that converge on the horizon; [3, rows, side]."""
  ox, oy = ground.offset
  across = (plane.X + ground.skew * plane.Z) / ground.spacing
  footprint = plane.footprint * (1 + 2 * abs(ground.skew) * plane.Z * 0.3)
  rows = soft_stripes(across, 0.58, footprint / ground.spacing)
  leaves = noise.sample(0.9, plane.X * 0.07 + ox, np.log(plane.Z) * 0.12 + oy)
  albedo = mix(ground.soil, ground.crop, rows)
  # The side of a row that looks away from the sun lies in its own shadow.
  turn = 0.2 * np.sign(light.sun_x)
  side = soft_stripes(across + turn, 0.3, footprint / ground.spacing)
  facing = 0.7 - 0.3 * side * rows + 0.5 * (leaves - 0.5)
  return _finish(albedo, facing, plane, light)


def _finish(albedo, facing, plane: Plane, light: Light) -> np.ndarray:
  if light.snow:
    covered = np.clip(light.snow + 0.7 * (facing - 0.68), 0, 0.95)
    albedo = mix(albedo, _SNOW_GROUND, covered)
  return light.through_air(light.shade(albedo, facing), plane.Z)
