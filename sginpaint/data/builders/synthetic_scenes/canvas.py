"""What the painter paints on: a picture and its class map, in one pass.

Both are held at twice the final size. Positions are in [0, 1] of the picture's
side, x to the right, y down, so nothing depends on the picture size. Every
painting call takes the class index that the painted pixels get.

Colours are planar, float32 [3, h, w] (one colour: [3, 1, 1]), which lets an
[h, w] array of weights broadcast against them and is ten times quicker in numpy
than [h, w, 3].
"""

from collections.abc import Sequence

import cv2
import numpy as np

SUPERSAMPLING = 2
_SHIFT = 6  # fixed-point bits of polygon corners


class Canvas:
  """Picture and class map being painted, far things first.

  Attributes:
    side: pixels along a side, twice the final picture's.
    image: float32 [3, side, side] RGB, about [0, 1].
    labels: uint8 [side, side] class indices.
  """

  def __init__(self, size: int):
    """Makes a black canvas for a picture of `size` pixels a side."""
    self.side = SUPERSAMPLING * size
    self.image = np.zeros((3, self.side, self.side), np.float32)
    self.labels = np.zeros((self.side, self.side), np.uint8)

  def row(self, y: float) -> int:
    """First pixel row whose centre is at or below `y`, clipped."""
    return int(np.clip(np.ceil(y * self.side - 0.5), 0, self.side))

  column = row

  def centers(self, first: int = 0, last: int | None = None) -> np.ndarray:
    """float32 positions of the pixel centres first..last-1."""
    last = self.side if last is None else last
    return (np.arange(first, last, dtype=np.float32) + 0.5) / self.side

  def polygon(
    self,
    points: Sequence[tuple[float, float]],
    color: np.ndarray,
    label: int,
  ) -> None:
    """Fills a polygon of one colour; color [3, 1, 1]."""
    corners = np.asarray(points, np.float64) * self.side - 0.5
    corners = np.clip(corners, -4 * self.side, 5 * self.side)
    fixed = [np.round(corners * (1 << _SHIFT)).astype(np.int32)]
    for plane, value in zip(self.image, np.ravel(color), strict=True):
      cv2.fillPoly(plane, fixed, float(value), cv2.LINE_8, _SHIFT)
    cv2.fillPoly(self.labels, fixed, int(label), cv2.LINE_8, _SHIFT)

  def fill(
    self,
    colors: np.ndarray,
    mask: np.ndarray | None,
    label: int,
    *,
    top: int = 0,
    left: int = 0,
  ) -> None:
    """Lays a patch down where `mask` says so.

    Args:
      colors: float32 [3, h, w].
      mask: bool or uint8 [h, w]; None = all of the patch.
      label: class index of the painted pixels.
      top: row of the patch's first pixel, may be negative.
      left: column of the patch's first pixel, may be negative.
    """
    h, w = colors.shape[1:]
    rows = slice(max(0, -top), min(h, self.side - top))
    columns = slice(max(0, -left), min(w, self.side - left))
    if rows.start >= rows.stop or columns.start >= columns.stop:
      return
    image, labels = self.window(
      top + rows.start,
      top + rows.stop,
      left + columns.start,
      left + columns.stop,
    )
    colors = colors[:, rows, columns]
    if mask is None:
      image[:], labels[:] = colors, label
      return
    mask = mask[rows, columns]
    np.copyto(image, colors, where=mask)
    labels[mask] = label

  def window(
    self, top: int, bottom: int, left: int, right: int
  ) -> tuple[np.ndarray, np.ndarray]:
    """Views of picture and class map; writing to them paints."""
    return (
      self.image[:, top:bottom, left:right],
      self.labels[top:bottom, left:right],
    )

  def finish(self) -> tuple[np.ndarray, np.ndarray]:
    """The picture (area average) and the class map at the final size.

    The map takes one painted pixel of the four: no class is ever a mixture.

    Returns:
      float32 [size, size, 3] and uint8 [size, size].
    """
    size = self.side // SUPERSAMPLING
    planes = [
      cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA)
      for plane in self.image
    ]
    return cv2.merge(planes), self.labels[
      1::SUPERSAMPLING, 1::SUPERSAMPLING
    ].copy()


def rgb(red: float, green: float, blue: float) -> np.ndarray:
  """One colour, float32 [3, 1, 1]."""
  return np.array([red, green, blue], np.float32)[:, None, None]


def mix(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> np.ndarray:
  """Colours a where `t` ([h, w] or scalar) is 0, b where it is 1."""
  return a + (b - a) * t


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
  """0 below `low`, 1 above `high`, smooth between."""
  t = np.clip((x - low) / (high - low), 0, 1)
  return t * t * (3 - 2 * t)
