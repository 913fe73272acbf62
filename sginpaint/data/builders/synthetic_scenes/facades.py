"""What is on a wall: bricks, window grids, shop fronts, lights at night.

A wall is described in its own coordinates: `u` along it and `v` up from the
ground, in units of the camera's height, with the extent of a pixel in both.
Everything is box-filtered by that extent, so that far windows turn into an even
tone instead of flicker.
"""

import dataclasses

import numpy as np

from sginpaint.data.builders.synthetic_scenes.canvas import mix, rgb
from sginpaint.data.builders.synthetic_scenes.ground import soft_stripes
from sginpaint.data.builders.synthetic_scenes.light import Light

_WALLS = (
  (0.62, 0.30, 0.24),
  (0.72, 0.42, 0.30),
  (0.82, 0.74, 0.60),
  (0.78, 0.78, 0.76),
  (0.66, 0.70, 0.72),
  (0.86, 0.80, 0.50),
  (0.52, 0.54, 0.58),
  (0.74, 0.58, 0.50),
)
_ROOFS = ((0.55, 0.24, 0.18), (0.30, 0.30, 0.34), (0.42, 0.30, 0.24))
_LAMP = rgb(1.0, 0.82, 0.46)
_BRICK = (0.34, 0.13)


@dataclasses.dataclass(frozen=True)
class Style:
  """How the walls of one building look.

  Attributes:
    wall: colour.
    roof: colour.
    trim: colour of frames and bands.
    brick: whether courses and joints show.
    pitch: width of a window's cell.
    storey: height of a window's cell.
    window: (width, height) of the pane as shares of its cell.
    shop: whether the ground floor is a shop front.
    lights: bool [16, 16], which windows are lit at night.
    panes: float32 [16, 16] in [0, 1], how bright a pane is by day.
  """

  wall: np.ndarray
  roof: np.ndarray
  trim: np.ndarray
  brick: bool
  pitch: float
  storey: float
  window: tuple[float, float]
  shop: bool
  lights: np.ndarray
  panes: np.ndarray


def sample_style(rng: np.random.Generator, *, house: bool = False) -> Style:
  """Draws a style; a house is painted or brick, never of glass."""
  kind = rng.choice(3, p=(0.5, 0.5, 0.0) if house else (0.35, 0.4, 0.25))
  wall = _WALLS[rng.integers(0, 2) if kind == 0 else rng.integers(2, 8)]
  tint = rgb(*rng.uniform(0.9, 1.08, 3))
  glass = kind == 2
  return Style(
    wall=rgb(*((0.34, 0.40, 0.46) if glass else wall)) * tint,
    roof=rgb(*_ROOFS[rng.integers(3)]) * tint,
    trim=rgb(*((0.92, 0.91, 0.87) if rng.uniform() < 0.7 else [0.3] * 3)),
    brick=bool(kind == 0),
    pitch=float(rng.uniform(0.75, 1.0) if glass else rng.uniform(0.9, 1.5)),
    storey=float(rng.uniform(1.3, 1.9)),
    window=(0.86, 0.8)
    if glass
    else tuple(rng.uniform((0.36, 0.42), (0.6, 0.6))),
    shop=bool(rng.uniform() < 0.5) and not house,
    lights=rng.uniform(size=(16, 16)) < rng.uniform(0.25, 0.65),
    panes=rng.uniform(0.0, 1.0, (16, 16)).astype(np.float32) ** 1.5,
  )


def facade(
  light: Light,
  style: Style,
  u: np.ndarray,
  v: np.ndarray,
  extent: tuple[float | np.ndarray, float | np.ndarray],
  *,
  height: float,
  facing: float,
  depth: float | np.ndarray,
) -> np.ndarray:
  """Colours of a wall.

  Args:
    light: of the scene.
    style: of the building.
    u: [1, w] position along the wall.
    v: [h, 1] or [h, w] height above the ground.
    extent: (along u, along v) of a pixel, scalars or broadcastable arrays.
    height: of the wall.
    facing: how much it faces the light, 0..1.
    depth: of the wall, scalar or [1, w].

  Returns:
    float32 [3, h, w].
  """
  eu, ev = extent[0] / style.pitch, extent[1] / style.storey
  across, up = u / style.pitch, v / style.storey
  storeys = height / style.storey
  width, tall = style.window
  albedo = _wall(style, u, v, extent)
  inside = (up < np.floor(storeys + 0.15)) & (up > 0)
  left, low = (1 - width) / 2, 0.3 if tall < 0.7 else 0.1
  frame = soft_stripes(across - left + 0.06, width + 0.12, eu)
  frame = frame * soft_stripes(up - low + 0.06, tall + 0.1, ev) * inside
  pane = soft_stripes(across - left, width, eu)
  pane = pane * soft_stripes(up - low, tall, ev) * inside
  bands = soft_stripes(up + 0.04, 0.06, ev)
  albedo = mix(albedo, style.trim * 0.9, 0.35 * bands)
  albedo = mix(albedo, style.trim, frame * 0.8)
  glass = _panes(light, style, across, up)
  colors = mix(light.shade(albedo, facing), glass, pane)
  if style.shop:
    colors = _add_shop(colors, light, style, across, up, (eu, ev))
  return light.through_air(colors, depth)


def _wall(style: Style, u, v, extent) -> np.ndarray:
  if not style.brick:
    return style.wall
  length, course = _BRICK
  rows = v / course
  joints = soft_stripes(rows, 0.2, extent[1] / course)
  shift = 0.5 * (np.floor(rows) % 2)
  gaps = soft_stripes(u / length + shift, 0.1, extent[0] / length)
  mortar = rgb(0.74, 0.70, 0.66)
  return mix(style.wall * 0.95, mortar, 0.6 * np.maximum(joints, gaps))


def _panes(light: Light, style: Style, across, up) -> np.ndarray:
  column = np.floor(across).astype(np.int32) % 16
  row = np.floor(up).astype(np.int32) % 16
  bright = style.panes[row, column]
  glass = light.horizon * (0.12 + 0.5 * bright) + rgb(0.02, 0.03, 0.05)
  if light.time == "day":
    return glass
  share = 1.0 if light.night else 0.5
  lit = style.lights[row, column] * share
  return glass + (_LAMP * (0.7 + 0.3 * bright) - glass) * lit


def _add_shop(colors, light: Light, style: Style, across, up, extent):
  ground = (up < 0.92).astype(np.float32)
  window = soft_stripes(across / 2 + 0.06, 0.86, extent[0] / 2)
  window = window * soft_stripes(up - 0.12, 0.58, extent[1]) * ground
  glow = _LAMP if light.time != "day" else light.horizon * 0.35
  sign = light.shade(1 - style.wall * rgb(0.4, 0.9, 0.7), 0.6)
  return mix(colors, mix(sign, glow, window), ground)
