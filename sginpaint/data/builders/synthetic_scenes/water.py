"""Lakes, rivers and the sea: a rippled mirror of what stands behind.

The reflection is the picture painted so far, turned over at the far shore and
read through horizontal ripples that grow with nearness. Paint the water after
everything it mirrors.
"""

import cv2
import numpy as np

from sginpaint.data.builders.synthetic_scenes import noise
from sginpaint.data.builders.synthetic_scenes.canvas import (
  Canvas,
  mix,
  rgb,
)
from sginpaint.data.builders.synthetic_scenes.classes import WATER
from sginpaint.data.builders.synthetic_scenes.ground import Plane
from sginpaint.data.builders.synthetic_scenes.light import Light


def paint_water(
  canvas: Canvas,
  plane: Plane,
  light: Light,
  mask: np.ndarray,
  *,
  shore: float,
  roughness: float,
  deep: np.ndarray,
  offset: np.ndarray,
) -> None:
  """Paints water where `mask` says so.

  Args:
    canvas: holds the things to be mirrored.
    plane: the ground plane.
    light: of the scene.
    mask: bool [rows, side] over the plane.
    shore: y of the far shore, where picture and reflection meet.
    roughness: 0 = still, 1 = choppy.
    deep: colour of the water body.
    offset: [2] where the noise tiles are read.
  """
  near = plane.y - shore
  u = plane.X * 0.011 + offset[0]
  v = np.log(plane.Z) * 0.35 + offset[1]
  ripple = noise.sample(1.3, u, v) - 0.5
  chop = noise.sample(0.9, u * 2.3, v * 2.1) - 0.5
  height = (0.7 * ripple + 0.5 * chop) * roughness
  source = shore - near * (1 + 1.6 * height) - 0.02 * height
  # What would be above the picture is mirrored once more.
  rows = np.abs(source * canvas.side - 0.5)
  rows = np.minimum(rows, canvas.row(shore) - 1)
  columns = (plane.x + 0.05 * height * near) * canvas.side - 0.5
  columns, rows = columns.astype(np.float32), rows.astype(np.float32)
  border = cv2.BORDER_REPLICATE
  mirrored = np.stack(
    [
      cv2.remap(band, columns, rows, cv2.INTER_LINEAR, borderMode=border)
      for band in canvas.image
    ]
  )
  # The flatter the view, the better the mirror.
  mirror = np.clip(0.86 - 0.75 * near - 0.5 * height, 0.25, 0.9)
  body = light.shade(deep, 0.55)
  colors = mix(body, mirrored * 0.94, mirror)
  glint = np.clip(height * 5 - 0.55, 0, 1) * 0.35
  colors = mix(colors, light.horizon, glint)
  colors = light.through_air(colors, plane.Z * 0.5)
  canvas.fill(colors, mask, WATER, top=plane.top)


def add_foam(
  canvas: Canvas, plane: Plane, light: Light, distance: np.ndarray
) -> None:
  """Whitens the edge; `distance` [rows, side] is 0 there, < 0 in the water."""
  surf = np.exp(-((distance + 0.25) ** 2) / 0.05) + 0.6 * np.exp(
    -((distance + 1.4) ** 2) / 0.12
  )
  image, labels = canvas.window(plane.top, canvas.side, 0, canvas.side)
  surf = np.where(labels == WATER, np.clip(surf, 0, 0.9), 0)
  image[:] = mix(image, light.shade(rgb(0.97, 0.98, 1.0), 0.8), surf)
