"""Time of day and weather: the few numbers that colour the whole scene.

One `Light` is drawn per scene and every surface is shaded through it, so what
is visible anywhere tells the colours everywhere else. Colours are RGB
in [0, 1], shape [3, 1, 1].
"""

import dataclasses

import numpy as np

from sginpaint.data.builders.synthetic_scenes.canvas import rgb

TIMES = ("day", "dusk", "night")
WEATHERS = ("clear", "cloudy", "fog", "snow")
_TIME_ODDS = (0.58, 0.24, 0.18)
_WEATHER_ODDS = (0.44, 0.24, 0.15, 0.17)

# Per time of day: variants of (zenith, horizon, sunlight, ambient).
_SKIES = {
  "day": (
    (
      (0.22, 0.45, 0.80),
      (0.70, 0.84, 0.95),
      (0.72, 0.68, 0.58),
      (0.38, 0.42, 0.50),
    ),
    (
      (0.12, 0.36, 0.72),
      (0.58, 0.79, 0.93),
      (0.80, 0.74, 0.60),
      (0.34, 0.39, 0.48),
    ),
    (
      (0.38, 0.58, 0.84),
      (0.86, 0.90, 0.90),
      (0.72, 0.64, 0.50),
      (0.40, 0.41, 0.44),
    ),
  ),
  "dusk": (
    (
      (0.20, 0.20, 0.46),
      (0.98, 0.56, 0.28),
      (0.62, 0.32, 0.12),
      (0.26, 0.20, 0.30),
    ),
    (
      (0.32, 0.22, 0.44),
      (0.98, 0.50, 0.46),
      (0.54, 0.25, 0.18),
      (0.30, 0.21, 0.30),
    ),
    (
      (0.26, 0.36, 0.60),
      (1.00, 0.78, 0.42),
      (0.66, 0.42, 0.16),
      (0.28, 0.25, 0.30),
    ),
  ),
  "night": (
    (
      (0.03, 0.05, 0.15),
      (0.16, 0.21, 0.40),
      (0.12, 0.14, 0.22),
      (0.18, 0.22, 0.36),
    ),
    (
      (0.05, 0.07, 0.18),
      (0.24, 0.25, 0.38),
      (0.12, 0.13, 0.20),
      (0.20, 0.22, 0.34),
    ),
  ),
}
_DENSITY = {"clear": 0.0016, "cloudy": 0.003, "fog": 0.035, "snow": 0.008}
_DIRECT = {"clear": 1.0, "cloudy": 0.35, "fog": 0.12, "snow": 0.25}


@dataclasses.dataclass(frozen=True)
class Light:
  """Light, air and weather of a scene.

  Attributes:
    time: one of TIMES.
    weather: one of WEATHERS.
    sun_x: where the light comes from, -1 left .. 1 right.
    zenith: sky colour straight up.
    horizon: sky colour at the horizon, also that of distant air.
    sun: colour of direct light.
    ambient: colour of light from everywhere.
    density: extinction of the air per unit of depth.
    snow: how much snow lies on things, 0..1.
  """

  time: str
  weather: str
  sun_x: float
  zenith: np.ndarray
  horizon: np.ndarray
  sun: np.ndarray
  ambient: np.ndarray
  density: float
  snow: float

  @property
  def night(self) -> bool:
    """Whether it is night."""
    return self.time == "night"

  @property
  def direct(self) -> float:
    """Strength of cast shadows, 0..1."""
    return _DIRECT[self.weather] * (0.3 if self.night else 1.0)

  def shade(
    self, albedo: np.ndarray, facing: float | np.ndarray = 0.6
  ) -> np.ndarray:
    """Colour of a surface.

    Args:
      albedo: [3, h, w] or [3, 1, 1].
      facing: how much it faces the light, 0..1, scalar or [h, w].

    Returns:
      float32 [3, h, w].
    """
    return albedo * (self.ambient + self.sun * facing)

  def through_air(
    self, color: np.ndarray, depth: float | np.ndarray
  ) -> np.ndarray:
    """Fades `color` into the air of `depth`, scalar or [h, w]."""
    clear = np.maximum(np.exp(-self.density * np.asarray(depth)), 0.16)
    return self.horizon + (color - self.horizon) * clear.astype(np.float32)


def sample_light(rng: np.random.Generator) -> Light:
  """Draws time of day, weather and the colours that follow from them."""
  time = TIMES[rng.choice(3, p=_TIME_ODDS)]
  weather = WEATHERS[rng.choice(4, p=_WEATHER_ODDS)]
  skies = _SKIES[time]
  zenith, horizon, sun, ambient = (
    rgb(*color) * rgb(*rng.uniform(0.96, 1.04, 3))
    for color in skies[rng.integers(len(skies))]
  )
  sun_x = float(rng.uniform(-1, 1))
  snow = float(rng.uniform(0.7, 1.0)) if weather == "snow" else 0.0
  if weather != "clear":
    grey = {"day": 0.8, "dusk": 0.52, "night": 0.27}[time]
    amount = {"cloudy": 0.45, "fog": 0.7, "snow": 0.6}[weather]
    horizon = horizon + (grey - horizon) * np.float32(amount)
    zenith = zenith + (0.82 * grey - zenith) * np.float32(amount)
    # The light lost from the sun's beam comes from the whole sky instead.
    ambient = ambient * 1.08 + 0.42 * sun.mean() * np.float32(
      1 - _DIRECT[weather]
    )
    sun = sun * np.float32(_DIRECT[weather])
  return Light(
    time, weather, sun_x, zenith, horizon, sun, ambient, _DENSITY[weather], snow
  )
