"""Buildings as boxes on the ground plane: streets, skylines and houses.

A box shows the wall that faces the camera (constant depth) and the wall along
the line of sight (constant X), whose windows converge on the vanishing point.
"""

import dataclasses

import numpy as np

from sginpaint.data.builders.synthetic_scenes.canvas import Canvas
from sginpaint.data.builders.synthetic_scenes.classes import BUILDING
from sginpaint.data.builders.synthetic_scenes.facades import (
  Style,
  facade,
  sample_style,
)
from sginpaint.data.builders.synthetic_scenes.ground import Plane
from sginpaint.data.builders.synthetic_scenes.light import Light


@dataclasses.dataclass(frozen=True)
class Box:
  """One building.

  Attributes:
    left: lateral position of its left wall.
    right: lateral position of its right wall.
    near: depth of the wall that faces the camera.
    far: depth of its back.
    height: of its walls.
    roof: height of the gable above the walls; 0 = flat.
    style: of its walls.
  """

  left: float
  right: float
  near: float
  far: float
  height: float
  roof: float
  style: Style


def sample_street(
  rng: np.random.Generator, edge: float, side: int, *, far: float
) -> list[Box]:
  """Draws the buildings along one side (-1 left, 1 right) of a street."""
  boxes, near = [], rng.uniform(1.2, 2.6)
  tall = rng.uniform(3.0, 6.5)
  while near < far:
    back = near * rng.uniform(1.3, 1.65) + rng.uniform(0.6, 2.0)
    wall = side * (edge + rng.uniform(0, 0.5))
    outer = wall + side * rng.uniform(6, 12)
    height = tall * rng.uniform(0.65, 1.5)
    style = sample_style(rng)
    boxes.append(
      Box(min(wall, outer), max(wall, outer), near, back, height, 0.0, style)
    )
    gap = rng.uniform(0.12, 0.3) if rng.uniform() < 0.3 else 0.0
    near = back * (1 + gap)
  return boxes


def sample_skyline(
  rng: np.random.Generator, plane: Plane, depth: float
) -> list[Box]:
  """Draws towers side by side at about one depth, over part of the view."""
  boxes = []
  start, end = rng.uniform(-0.1, 0.4), rng.uniform(0.6, 1.1)
  tall = rng.uniform(0.07, 0.17)
  x = start
  while x < end:
    width = rng.uniform(0.05, 0.12)
    left, right = ((e - plane.vanish) * depth for e in (x, x + width))
    height = tall * rng.uniform(0.4, 1.5) * depth
    style = sample_style(rng)
    scale = depth / 7.0  # towers: windows stand for several each
    style = dataclasses.replace(
      style,
      pitch=style.pitch * scale * 0.16,
      storey=style.storey * scale * 0.16,
      brick=False,
      shop=False,
    )
    boxes.append(Box(left, right, depth, depth * 1.02, height, 0.0, style))
    x += width * rng.uniform(0.85, 1.6)
  return boxes


def sample_house(
  rng: np.random.Generator, x: float, depth: float, plane: Plane
) -> Box:
  """Draws a house with a gabled roof around the picture position `x`."""
  width = rng.uniform(3.0, 5.0)
  middle = (x - plane.vanish) * depth
  return Box(
    left=middle - width / 2,
    right=middle + width / 2,
    near=depth,
    far=depth + rng.uniform(3.0, 6.0),
    height=rng.uniform(1.7, 3.2),
    roof=rng.uniform(1.0, 2.0),
    style=sample_style(rng, house=True),
  )


def paint_box(canvas: Canvas, plane: Plane, light: Light, box: Box) -> None:
  """Paints the walls and the roof that the camera sees."""
  if box.left > 0 or box.right < 0:
    wall = box.left if box.left > 0 else box.right
    _paint_side(canvas, plane, light, box, wall)
  if box.roof:
    _paint_roof(canvas, plane, light, box)
  _paint_front(canvas, plane, light, box)


def _paint_front(canvas: Canvas, plane: Plane, light: Light, box: Box) -> None:
  left, foot = plane.project(box.left, 0, box.near)
  right, _ = plane.project(box.right, 0, box.near)
  head = plane.horizon + (1 - box.height) / box.near
  columns = canvas.column(left), canvas.column(right)
  rows = canvas.row(head), canvas.row(foot)
  if columns[0] >= columns[1] or rows[0] >= rows[1]:
    return
  u = (canvas.centers(*columns)[None] - np.float32(left)) * box.near
  v = (np.float32(foot) - canvas.centers(*rows)[:, None]) * box.near
  extent = (box.near / canvas.side,) * 2
  colors = facade(
    light,
    box.style,
    u,
    v,
    extent,
    height=box.height,
    facing=0.55,
    depth=box.near,
  )
  canvas.fill(colors, None, BUILDING, top=rows[0], left=columns[0])


def _paint_side(
  canvas: Canvas, plane: Plane, light: Light, box: Box, wall: float
) -> None:
  ends = sorted(plane.project(wall, 0, z)[0] for z in (box.near, box.far))
  columns = canvas.column(ends[0]), canvas.column(ends[1])
  head = plane.horizon + min((1 - box.height) / z for z in (box.near, box.far))
  foot = plane.horizon + 1 / box.near
  rows = canvas.row(head), canvas.row(foot)
  if columns[0] >= columns[1] or rows[0] >= rows[1]:
    return
  aside = canvas.centers(*columns)[None] - np.float32(plane.vanish)
  Z = np.float32(wall) / aside
  v = 1 - (canvas.centers(*rows)[:, None] - np.float32(plane.horizon)) * Z
  extent = (Z / np.abs(aside) / canvas.side, Z / canvas.side)
  # A wall on the right looks left: lit when the sun is on the left.
  facing = 0.5 - 0.5 * light.sun_x * np.sign(wall)
  colors = facade(
    light, box.style, Z - box.near, v, extent,
    height=box.height, facing=facing, depth=Z,
  )  # fmt: skip
  mask = (v > 0) & (v < box.height)
  canvas.fill(colors, mask, BUILDING, top=rows[0], left=columns[0])


def _paint_roof(canvas: Canvas, plane: Plane, light: Light, box: Box) -> None:
  """The slope that is seen, then the gable under its overhanging edge."""
  middle = (box.left + box.right) / 2
  ridge = box.height + box.roof
  albedo = box.style.roof * (1 - 0.85 * light.snow) + 0.85 * light.snow
  for eave, sign in ((box.left - 0.25, -1), (box.right + 0.25, 1)):
    # A slope is seen when the camera is on its side of the house's middle.
    if sign * middle > 0:
      continue
    facing = 0.55 + 0.4 * sign * light.sun_x
    color = light.through_air(light.shade(albedo, facing), box.near)
    corners = [(eave, box.height - 0.2), (middle, ridge)]
    quad = [plane.project(X, v, box.near) for X, v in corners]
    quad += [plane.project(X, v, box.far) for X, v in corners[::-1]]
    canvas.polygon(quad, color, BUILDING)
  edge = light.shade(albedo * 0.8, 0.55)
  wall = light.shade(box.style.wall * 0.94, 0.55)
  for color, out, rise in ((edge, 0.25, 0.0), (wall, -0.1, -0.22)):
    gable = [
      (box.left - out, box.height - 0.2 * (out > 0)),
      (middle, ridge + rise),
      (box.right + out, box.height - 0.2 * (out > 0)),
    ]
    corners = [plane.project(X, v, box.near) for X, v in gable]
    canvas.polygon(corners, light.through_air(color, box.near), BUILDING)
