"""Cars seen from behind or in front, and sailing boats: small sharp objects."""

import numpy as np

from sginpaint.data.builders.synthetic_scenes.canvas import Canvas, rgb
from sginpaint.data.builders.synthetic_scenes.classes import VEHICLE
from sginpaint.data.builders.synthetic_scenes.ground import Plane
from sginpaint.data.builders.synthetic_scenes.light import Light

_PAINTS = (
  (0.78, 0.12, 0.12),
  (0.14, 0.28, 0.66),
  (0.88, 0.88, 0.90),
  (0.14, 0.14, 0.16),
  (0.92, 0.70, 0.12),
  (0.20, 0.52, 0.40),
)


def paint_car(
  canvas: Canvas,
  plane: Plane,
  light: Light,
  *,
  X: float,
  Z: float,
  paint: int,
  oncoming: bool,
) -> None:
  """Paints a car whose middle stands at (X, Z); `paint` picks its colour."""

  def box(left, right, low, high, color, inset=0.0):
    corners = [(left, low), (right, low), (right - inset, high), (left + inset, high)]
    canvas.polygon(
      [(plane.vanish + (X + a) / Z, plane.horizon + (1 - b) / Z) for a, b in corners],
      light.through_air(color, Z),
      VEHICLE,
    )

  body = light.shade(rgb(*_PAINTS[paint % len(_PAINTS)]), 0.6)
  dark = light.shade(rgb(0.08, 0.08, 0.09), 0.5)
  glass = light.horizon * 0.35 + rgb(0.03, 0.04, 0.05)
  box(-0.52, -0.3, 0.0, 0.3, dark)
  box(0.3, 0.52, 0.0, 0.3, dark)
  box(-0.56, 0.56, 0.14, 0.56, body)
  box(-0.5, 0.5, 0.56, 0.92, body * 0.9, inset=0.1)
  box(-0.42, 0.42, 0.58, 0.85, glass, inset=0.08)
  box(-0.56, 0.56, 0.14, 0.22, dark * 1.5)
  lamp = rgb(1.0, 0.95, 0.8) if oncoming else rgb(0.9, 0.1, 0.08)
  lamp = lamp if light.time != "day" else lamp * 0.8
  box(-0.54, -0.36, 0.36, 0.48, lamp)
  box(0.36, 0.54, 0.36, 0.48, lamp)


def paint_boat(
  canvas: Canvas, plane: Plane, light: Light, *, X: float, Z: float, paint: int
) -> None:
  """Paints a sailing boat on the water at (X, Z), with its reflection."""
  hull = rgb(*_PAINTS[paint % len(_PAINTS)])
  sail = rgb(0.94, 0.93, 0.9)
  parts = (
    ([(-1.0, 0.45), (1.15, 0.45), (0.75, 0.0), (-0.8, 0.0)], hull, 0.6),
    ([(-0.05, 0.55), (-0.05, 3.4), (-0.95, 0.6)], sail, 0.75),
    ([(0.05, 0.55), (0.05, 3.1), (0.95, 0.6)], sail, 0.5),
  )
  below = canvas.labels.copy()
  for flip in (-0.8, 1.0):
    for corners, albedo, facing in parts:
      color = light.shade(albedo, facing)
      if flip < 0:
        color = 0.55 * color + 0.45 * light.shade(rgb(0.2, 0.34, 0.4))
      points = [
        (plane.vanish + (X + a) / Z, plane.horizon + (1 - flip * b) / Z)
        for a, b in corners
      ]
      canvas.polygon(points, light.through_air(color, Z), VEHICLE)
    if flip < 0:  # a mirrored boat is still water
      canvas.labels[:] = below
