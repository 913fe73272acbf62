"""Asphalt in perspective: lanes, dashes, edge lines, kerbs and pavements."""

import dataclasses
from typing import TypeVar

import numpy as np

from sginpaint.data.builders.synthetic_scenes import noise
from sginpaint.data.builders.synthetic_scenes.canvas import (
  Canvas,
  mix,
  rgb,
)
from sginpaint.data.builders.synthetic_scenes.classes import ROAD
from sginpaint.data.builders.synthetic_scenes.ground import (
  Plane,
  soft_box,
  soft_stripes,
)
from sginpaint.data.builders.synthetic_scenes.light import Light

Depth = TypeVar("Depth", float, np.ndarray)


@dataclasses.dataclass(frozen=True)
class Road:
  """A road from under the camera to the horizon.

  Attributes:
    center: lateral position of its middle line.
    half_width: of the asphalt.
    bend: sideways drift per squared depth; 0 = straight.
    pavement: width of the paved strip at each side; 0 = none.
    dash: length of a dash with its gap.
    phase: of the dashes.
    crossing: depth of a zebra crossing; 0 = none.
    asphalt: colour.
    line: colour of the middle line.
  """

  center: float
  half_width: float
  bend: float
  pavement: float
  dash: float
  phase: float
  crossing: float
  asphalt: np.ndarray
  line: np.ndarray

  def middle(self, Z: Depth) -> Depth:
    """Lateral position of the middle line at depth Z."""
    return self.center + self.bend * Z**2


def sample_road(rng: np.random.Generator, *, street: bool) -> Road:
  """Draws a road; a street is straight and has pavements."""
  grey = rng.uniform(0.24, 0.42)
  half_width = rng.uniform(2.0, 3.0) if street else rng.uniform(1.5, 2.4)
  bend = rng.choice([0.0, 1.0, -1.0]) * rng.uniform(0.004, 0.02)
  crosses = rng.uniform() < 0.4 and street
  yellow = rng.uniform() < 0.35
  return Road(
    center=rng.uniform(-0.5, 0.5) * half_width,
    half_width=half_width,
    bend=0.0 if street else bend,
    pavement=rng.uniform(0.8, 1.4) if street else 0.0,
    dash=rng.uniform(2.5, 4.5),
    phase=rng.uniform(),
    crossing=rng.uniform(3.2, 7.0) if crosses else 0.0,
    asphalt=rgb(grey, grey, grey * rng.uniform(1.0, 1.12)),
    line=rgb(0.92, 0.74, 0.2) if yellow else rgb(0.92, 0.92, 0.9),
  )


def paint_road(canvas: Canvas, plane: Plane, light: Light, road: Road) -> None:
  """Paints the road from the horizon to the camera."""
  across = plane.X - road.middle(plane.Z)
  footprint = plane.footprint
  grit = noise.sample(0.9, plane.X * 0.06, plane.Z * 0.06)
  albedo = road.asphalt * (0.88 + 0.24 * grit)
  # Wheels polish two tracks per lane.
  tracks = np.cos(4 * np.pi * across / road.half_width)
  albedo = albedo * (1 - 0.06 * tracks)
  w = road.half_width
  lines = soft_box(np.abs(across), 0.9 * w, 0.955 * w, footprint)
  depth_step = footprint * plane.Z / road.dash
  dashes = soft_stripes(plane.Z / road.dash + road.phase, 0.5, depth_step)
  if road.crossing:
    zebra = soft_box(
      plane.Z, road.crossing, road.crossing * 1.35 + 0.4, footprint * plane.Z
    )
    bars = soft_stripes(across / 0.55, 0.5, footprint / 0.55)
    lines = np.where(np.abs(across) < 0.86 * w, bars * zebra, lines)
  middle = soft_box(np.abs(across), -0.08, 0.09, footprint) * dashes
  white = rgb(0.88, 0.88, 0.86)
  albedo = mix(mix(albedo, white, 0.9 * lines), road.line, 0.95 * middle)
  if light.snow:
    rim = np.abs(tracks) * 0.3 + 0.25
    albedo = mix(albedo, rgb(0.84, 0.87, 0.92), rim * light.snow)
  edge = road.half_width
  if road.pavement:
    albedo = _add_pavement(albedo, across, plane, road, footprint)
    edge += road.pavement
  colors = light.through_air(light.shade(albedo, 0.6), plane.Z)
  canvas.fill(colors, np.abs(across) < edge, ROAD, top=plane.top)


def _add_pavement(albedo, across, plane: Plane, road: Road, footprint):
  aside = np.abs(across) - road.half_width
  slabs = np.maximum(
    soft_stripes(aside / 0.5, 0.1, footprint / 0.5),
    soft_stripes(plane.Z / 0.8, 0.1, footprint * plane.Z / 0.8),
  )
  paving = rgb(0.62, 0.60, 0.57) * (1 - 0.25 * slabs)
  kerb = soft_box(aside, 0.0, 0.14, footprint)
  paving = mix(paving, rgb(0.78, 0.77, 0.74), kerb)
  return mix(albedo, paving, soft_box(aside, 0.0, 99.0, footprint))
