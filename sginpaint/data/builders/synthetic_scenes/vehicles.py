"""Cars seen from behind or in front, and sailing boats: small sharp objects."""

import dataclasses

from sginpaint.data.builders.synthetic_scenes.canvas import Canvas, rgb
from sginpaint.data.builders.synthetic_scenes.classes import VEHICLE
from sginpaint.data.builders.synthetic_scenes.ground import Plane
from sginpaint.data.builders.synthetic_scenes.light import Light

PAINTS = (
  rgb(0.78, 0.12, 0.12),
  rgb(0.14, 0.28, 0.66),
  rgb(0.88, 0.88, 0.90),
  rgb(0.14, 0.14, 0.16),
  rgb(0.92, 0.70, 0.12),
  rgb(0.20, 0.52, 0.40),
)
_SAIL = rgb(0.94, 0.93, 0.9)
_DEEP = rgb(0.2, 0.34, 0.4)


@dataclasses.dataclass(frozen=True)
class Car:
  """A car whose middle stands at (X, Z), in the colour PAINTS[paint]."""

  X: float
  Z: float
  paint: int
  oncoming: bool


@dataclasses.dataclass(frozen=True)
class Boat:
  """A sailing boat at (X, Z), its hull in the colour PAINTS[paint]."""

  X: float
  Z: float
  paint: int


def paint_car(canvas: Canvas, plane: Plane, light: Light, car: Car) -> None:
  """Paints wheels, body, cabin, rear window, bumper and lamps."""

  def box(left, right, low, high, color, inset=0.0):
    corners = [
      plane.project(car.X + left, low, car.Z),
      plane.project(car.X + right, low, car.Z),
      plane.project(car.X + right - inset, high, car.Z),
      plane.project(car.X + left + inset, high, car.Z),
    ]
    canvas.polygon(corners, light.through_air(color, car.Z), VEHICLE)

  body = light.shade(PAINTS[car.paint], 0.6)
  dark = light.shade(rgb(0.08, 0.08, 0.09), 0.5)
  glass = light.horizon * 0.35 + rgb(0.03, 0.04, 0.05)
  box(-0.52, -0.3, 0.0, 0.3, dark)
  box(0.3, 0.52, 0.0, 0.3, dark)
  box(-0.56, 0.56, 0.14, 0.56, body)
  box(-0.5, 0.5, 0.56, 0.92, body * 0.9, inset=0.1)
  box(-0.42, 0.42, 0.58, 0.85, glass, inset=0.08)
  box(-0.56, 0.56, 0.14, 0.22, dark * 1.5)
  lamp = rgb(1.0, 0.95, 0.8) if car.oncoming else rgb(0.9, 0.1, 0.08)
  lamp = lamp if light.time != "day" else lamp * 0.8
  box(-0.54, -0.36, 0.36, 0.48, lamp)
  box(0.36, 0.54, 0.36, 0.48, lamp)


def paint_boat(canvas: Canvas, plane: Plane, light: Light, boat: Boat) -> None:
  """Paints hull and two sails, and their reflection in the water."""
  hull = [(-1.0, 0.45), (1.15, 0.45), (0.75, 0.0), (-0.8, 0.0)]
  main_sail = [(-0.05, 0.55), (-0.05, 3.4), (-0.95, 0.6)]
  jib = [(0.05, 0.55), (0.05, 3.1), (0.95, 0.6)]
  parts = (
    (hull, light.shade(PAINTS[boat.paint], 0.6)),
    (main_sail, light.shade(_SAIL, 0.75)),
    (jib, light.shade(_SAIL, 0.5)),
  )
  water = canvas.labels.copy()
  for corners, color in parts:
    color = 0.55 * color + 0.45 * light.shade(_DEEP)
    points = [plane.project(boat.X + a, -0.8 * b, boat.Z) for a, b in corners]
    canvas.polygon(points, light.through_air(color, boat.Z), VEHICLE)
  canvas.labels[:] = water  # a mirrored boat is still water
  for corners, color in parts:
    points = [plane.project(boat.X + a, b, boat.Z) for a, b in corners]
    canvas.polygon(points, light.through_air(color, boat.Z), VEHICLE)
