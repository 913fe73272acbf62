"""Sky and mountains: everything behind the ground.

The sky is a vertical gradient with fractal clouds that flatten towards the
horizon, a sun or a moon, and stars. A mountain range is a jagged ridge line,
embossed by the sun, with snow above a line and meadows at its foot.
"""

import dataclasses

import numpy as np

from sginpaint.data.builders.synthetic_scenes import noise
from sginpaint.data.builders.synthetic_scenes.canvas import (
  Canvas,
  mix,
  rgb,
  smoothstep,
)
from sginpaint.data.builders.synthetic_scenes.classes import MOUNTAIN, SKY
from sginpaint.data.builders.synthetic_scenes.light import Light

# Thickness from which clouds show, and from which they hide the sky.
_COVER = {
  "clear": (0.62, 0.85),
  "cloudy": (0.34, 0.62),
  "fog": None,
  "snow": (0.28, 0.70),
}
_SNOW_WHITE = rgb(0.95, 0.97, 1.0)
_ROCKS = (rgb(0.44, 0.42, 0.44), rgb(0.50, 0.40, 0.34), rgb(0.38, 0.38, 0.36))
_MEADOWS = (rgb(0.24, 0.34, 0.18), rgb(0.38, 0.36, 0.20))


def paint_sky(
  canvas: Canvas, light: Light, rng: np.random.Generator, horizon: float
) -> None:
  """Paints everything above `horizon` (a position in [0, 1])."""
  bottom = canvas.row(horizon + 0.02)
  y = canvas.centers(0, bottom)[:, None]
  x = canvas.centers()[None]
  power = rng.uniform(0.9, 1.7)
  height = np.clip(y / horizon, 0, 1) ** power
  height = np.broadcast_to(height, (bottom, canvas.side))
  sky = mix(light.zenith, light.horizon, height)
  position = (0.5 + 0.62 * light.sun_x, horizon * rng.uniform(0.12, 0.8))
  stars = rng.uniform(0, 1, (24, 3))
  if light.weather == "clear":
    if light.night:
      _add_stars(sky, stars, canvas.side, horizon)
    _add_sun(sky, light, x - position[0], y - position[1])
  _add_clouds(sky, light, rng, x, y, horizon)
  canvas.fill(sky, None, SKY)


def _add_sun(sky, light: Light, dx: np.ndarray, dy: np.ndarray) -> None:
  distance = np.sqrt(dx**2 + dy**2)
  reach, gain = {"day": (0.1, 0.5), "dusk": (0.2, 0.6), "night": (0.06, 0.25)}[
    light.time
  ]
  glow = np.exp(-distance / reach)
  tint = {
    "day": rgb(1, 0.93, 0.8),
    "dusk": rgb(1, 0.75, 0.5),
    "night": rgb(0.8, 0.85, 0.95),
  }[light.time]
  sky += gain * glow * (tint - sky * 0.5)
  radius = 0.034 if light.night else 0.042
  np.copyto(sky, tint, where=distance < radius)


def _add_stars(sky, stars: np.ndarray, side: int, horizon: float) -> None:
  for x, y, brightness in stars:
    row, column = int(y * horizon * side), int(x * side)
    sky[:, row : row + 2, column : column + 2] += 0.15 + 0.45 * brightness**2


def _add_clouds(
  sky, light: Light, rng: np.random.Generator, x, y, horizon: float
) -> None:
  cover = _COVER[light.weather]
  offset = rng.uniform(0, 1, 2)
  amount = rng.uniform(-0.08, 0.14)
  if cover is None:
    return
  # A flat cloud layer: its depth is the inverse of the height above the
  # horizon.
  depth = 0.05 / (np.maximum(horizon - y, 0) + 0.13)
  u = offset[0] + (x - 0.5) * depth * 5.0
  v = offset[1] + depth * 3.2
  thickness = noise.sample(1.45, u, v)
  density = smoothstep(cover[0] + amount, cover[1] + amount, thickness)
  top = mix(light.horizon, light.ambient + light.sun, 0.55)
  top = np.minimum(top * 1.15 + 0.1 * (not light.night), 1)
  under = mix(light.zenith, light.ambient + 0.3 * light.sun, 0.6) * 0.92
  bright = np.clip(1.25 - 1.1 * (thickness - cover[0] - amount) / 0.4, 0, 1)
  # Clouds thin out into the haze of the horizon.
  density *= np.clip((horizon - y) * 9, 0.25, 1) * 0.92
  sky += (mix(under, top, bright) - sky) * density


@dataclasses.dataclass(frozen=True)
class Range:
  """One mountain range.

  Attributes:
    base: position of its foot, y.
    height: of its highest summits above the foot.
    width: of one big summit.
    depth: distance, for the air in front of it.
    rock: colour.
    meadow: colour of its foot.
    snow_line: share of `height` below the summits that snow covers.
    slant: how much higher it stands on the right than on the left, -1..1.
    seed: which ridge line.
  """

  base: float
  height: float
  width: float
  depth: float
  rock: np.ndarray
  meadow: np.ndarray
  snow_line: float
  slant: float
  seed: float


def sample_ranges(
  rng: np.random.Generator, horizon: float, count: int, *, scale: float = 1.0
) -> list[Range]:
  """Draws `count` ranges, the farthest and highest first."""
  rock, meadow = _ROCKS[rng.integers(3)], _MEADOWS[rng.integers(2)]
  snow_line = rng.choice([0.0, 0.35, 0.6])
  ranges = []
  for i in range(count):
    nearness = (i + 1) / count if count > 1 else rng.uniform(0.2, 0.8)
    height = scale * horizon * rng.uniform(0.5, 0.85) * (1.15 - 0.75 * nearness)
    ranges.append(
      Range(
        base=horizon + 0.01,
        height=height,
        width=rng.uniform(0.35, 0.75),
        depth=rng.uniform(260, 330) * (1.1 - 0.75 * nearness),
        rock=mix(rock, meadow, 0.75 * max(0.0, nearness - 0.3)),
        meadow=meadow,
        snow_line=max(0.0, snow_line - 0.6 * nearness),
        slant=rng.uniform(-0.5, 0.5),
        seed=rng.uniform(),
      )
    )
  return ranges


def paint_range(canvas: Canvas, light: Light, mountain: Range) -> None:
  """Paints one range over the sky."""
  x = canvas.centers()
  profile = noise.ridge_line(x / mountain.width, seed=mountain.seed)
  lean = 1 + mountain.slant * (2 * x - 1)
  ridge = mountain.base - mountain.height * np.clip(profile * lean, 0.04, 1.2)
  top, bottom = canvas.row(ridge.min()), canvas.row(mountain.base)
  if top >= bottom:
    return
  y = canvas.centers(top, bottom)[:, None]
  below = ((y - ridge) / mountain.height).astype(np.float32)
  # Gullies: noise stretched down the slope, embossed towards the sun.
  u = x[None] * 0.9 + mountain.seed * 7 + 0.12 * below
  v = 0.55 * below * mountain.height / mountain.width
  relief = noise.sample(1.3, u, v)
  side = 0.02 if light.sun_x > 0 else -0.02
  slope = relief - noise.sample(1.3, u + side, v + 0.008)
  facing = np.clip(0.5 + 2.7 * slope, 0.05, 1.1)
  green = smoothstep(0.35, 0.8, below + relief - 0.5)
  albedo = mix(mountain.rock, mountain.meadow, green)
  line = mountain.snow_line + 0.9 * light.snow
  snow = smoothstep(0.03, -0.03, below + 0.35 * (relief - 0.5) - line + 0.15)
  albedo = mix(albedo, _SNOW_WHITE, snow * min(1.0, 6 * line))
  colors = light.through_air(light.shade(albedo, facing), mountain.depth)
  canvas.fill(colors, below > 0, MOUNTAIN, top=top)
