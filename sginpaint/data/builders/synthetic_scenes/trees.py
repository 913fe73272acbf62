"""Trees: conifers, broad-leaved trees, poplars and palms.

Growing a tree is slow, so a process grows a small wood once, from fixed seeds,
and a scene picks, mirrors, stretches, lights and colours its trees from it. A
sprite is float32 [3, SIDE, SIDE]: cover, light on it (sun on the left) and
share of wood, 0..1 each; the foot of the trunk is at the middle of the bottom.
"""

import dataclasses
import functools

import cv2
import numpy as np

from sginpaint.data.builders.synthetic_scenes import noise
from sginpaint.data.builders.synthetic_scenes.canvas import (
  Canvas,
  mix,
  rgb,
)
from sginpaint.data.builders.synthetic_scenes.classes import TREE
from sginpaint.data.builders.synthetic_scenes.ground import Plane
from sginpaint.data.builders.synthetic_scenes.light import Light

SIDE = 256
KINDS = ("conifer", "broadleaf", "poplar", "palm")
VARIANTS = 12
_ASPECT = {"conifer": 0.5, "broadleaf": 0.85, "poplar": 0.3, "palm": 0.75}
_LEAVES = {
  "conifer": ((0.10, 0.28, 0.16), (0.14, 0.30, 0.22)),
  "broadleaf": ((0.24, 0.42, 0.12), (0.34, 0.46, 0.14), (0.62, 0.34, 0.10)),
  "poplar": ((0.26, 0.44, 0.16), (0.66, 0.54, 0.14)),
  "palm": ((0.20, 0.44, 0.18),),
}
_BARK = rgb(0.34, 0.25, 0.18)
_SNOW = rgb(0.9, 0.93, 0.98)


@dataclasses.dataclass(frozen=True)
class Tree:
  """One tree.

  Attributes:
    kind: one of KINDS.
    variant: which sprite, 0..VARIANTS-1.
    X: lateral position.
    Z: depth.
    height: of the tree.
    aspect: width / height.
    leaves: colour.
  """

  kind: str
  variant: int
  X: float
  Z: float
  height: float
  aspect: float
  leaves: np.ndarray


def sample_tree(
  rng: np.random.Generator, kind: str, X: float, Z: float, height: float
) -> Tree:
  """Draws a tree of a kind at a place; `height` is varied a little."""
  palette = _LEAVES[kind]
  leaves = rgb(*palette[rng.integers(len(palette))])
  return Tree(
    kind,
    int(rng.integers(VARIANTS)),
    X,
    Z,
    height * rng.uniform(0.75, 1.2),
    _ASPECT[kind] * rng.uniform(0.85, 1.2),
    leaves * rgb(*rng.uniform(0.85, 1.2, 3)),
  )


def paint_tree(canvas: Canvas, plane: Plane, light: Light, tree: Tree) -> None:
  """Paints the tree, not its shadow."""
  x, foot = plane.project(tree.X, 0, tree.Z)
  height = tree.height / tree.Z
  width = height * tree.aspect
  if x + width < 0 or x - width > 1:
    return
  left = round((x - width / 2) * canvas.side)
  right = round((x + width / 2) * canvas.side)
  top, bottom = round((foot - height) * canvas.side), round(foot * canvas.side)
  w, h = max(2, right - left), max(3, bottom - top)
  cover, lit, wood = _resized(tree, (w, h), light.sun_x > 0)
  albedo = mix(tree.leaves, _BARK, wood)
  if light.snow:
    albedo = mix(albedo, _SNOW, np.clip(lit * 2.2 - 0.75, 0, 0.9) * light.snow)
  colors = light.shade(albedo * (0.45 + 0.75 * lit), lit * 1.15)
  colors = light.through_air(colors, tree.Z)
  canvas.fill(colors, cover > 0.5, TREE, top=top, left=left)


def paint_shadow(
  canvas: Canvas, plane: Plane, light: Light, tree: Tree
) -> None:
  """Darkens the ground where the tree keeps the sun off; no class changes."""
  if light.direct < 0.3:
    return
  reach = -np.sign(light.sun_x) * (0.25 + 0.9 * abs(light.sun_x))
  start, end = tree.X, tree.X + reach * tree.height
  spread = 0.25 * tree.height * tree.aspect
  x0, y0 = plane.project(min(start, end) - spread * 0.5, 0, tree.Z)
  x1, _ = plane.project(max(start, end) + spread * 0.5, 0, tree.Z)
  half = min(0.03, 0.16 * tree.aspect * tree.height / tree.Z**1.4)
  rows = canvas.row(max(y0 - half, plane.horizon)), canvas.row(y0 + half)
  columns = canvas.column(x0), canvas.column(x1)
  if rows[0] >= rows[1] or columns[0] >= columns[1]:
    return
  y = (canvas.centers(*rows)[:, None] - y0) / half
  x = (canvas.centers(*columns)[None] - (x0 + x1) / 2) / ((x1 - x0) / 2)
  dark = np.clip(1.6 - 1.6 * (x**2 + y**2), 0, 1) * 0.42 * light.direct
  image, _ = canvas.window(*rows, *columns)
  image *= 1 - dark


def _resized(tree: Tree, size: tuple[int, int], mirror: bool):
  # Halving beforehand keeps a far tree from reading a whole large sprite.
  level = 0
  while max(size) * 2 <= SIDE >> level and level < 4:
    level += 1
  side = SIDE >> level
  shrinks = max(size) < side
  return [
    cv2.resize(
      plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    for plane in _small_sprite(tree.kind, tree.variant, level, mirror)
  ]


@functools.cache
def _small_sprite(kind: str, variant: int, level: int, mirror: bool):
  side = SIDE >> level
  planes = _sprite(kind, variant)
  if mirror:
    planes = planes[:, :, ::-1]
  return [
    cv2.resize(
      np.ascontiguousarray(p), (side, side), interpolation=cv2.INTER_AREA
    )
    for p in planes
  ]


@functools.cache
def _sprite(kind: str, variant: int) -> np.ndarray:
  rng = np.random.default_rng([1908, KINDS.index(kind), variant])
  cover = np.zeros((SIDE, SIDE), np.float32)
  lit = np.full((SIDE, SIDE), 0.4, np.float32)
  wood = np.zeros((SIDE, SIDE), np.float32)
  grow = {
    "conifer": _grow_conifer,
    "broadleaf": _grow_crown,
    "poplar": _grow_crown,
    "palm": _grow_palm,
  }[kind]
  grow(rng, cover, lit, wood, kind)
  x, y = rng.uniform(0, 1, 2)
  leaf = noise.patch(0.9, (SIDE, SIDE), offset=(x, y), extent=(0.4, 0.4))
  lit = np.clip(lit + 0.65 * (leaf - 0.5) * (1 - wood), 0, 1)
  # Ragged outlines: the cover is softened, then cut through leaf noise.
  soft = cv2.GaussianBlur(cover, (0, 0), 3.0) + 0.5 * (leaf - 0.5)
  cover = np.where(wood > 0, cover, np.clip((soft - 0.5) * 6 + 0.5, 0, 1))
  return np.stack([cover, lit, wood]).astype(np.float32)


def _stem(cover, lit, wood, points, width: float) -> None:
  corners = np.round(np.array(points) * SIDE * 16).astype(np.int32)
  for plane, value in ((cover, 1.0), (lit, 0.5), (wood, 1.0)):
    cv2.polylines(plane, [corners], False, value, round(width), cv2.LINE_8, 4)


def _grow_conifer(rng, cover, lit, wood, kind) -> None:
  del kind
  _stem(cover, lit, wood, [(0.5, 0.8), (0.5, 1.0)], 0.05 * SIDE)
  tiers = int(rng.integers(6, 10))
  for i in range(tiers):
    share = (tiers - i) / tiers
    head, foot = 0.01 + 0.78 * share - 0.2, 0.06 + 0.82 * share
    half = 0.06 + 0.42 * share * rng.uniform(0.85, 1.05)
    teeth = np.linspace(-1, 1, 11)
    hem = foot + 0.03 * (np.arange(11) % 2) - 0.05 * np.abs(teeth)
    for cut in (0, 1):  # the whole tier dark, then its sunny side bright
      keep = teeth <= (0.15 + 0.2 * rng.uniform() if cut else 1.0)
      edge = np.stack([0.5 + half * teeth[keep], hem[keep]], 1)
      shape = np.concatenate([[(0.5, max(head, 0.0))], edge])
      corners = np.round(shape * SIDE * 16).astype(np.int32)
      cv2.fillPoly(cover, [corners], 1.0, cv2.LINE_8, 4)
      bright = (0.72 if cut else 0.3) + 0.1 * (i % 2)
      cv2.fillPoly(lit, [corners], bright, cv2.LINE_8, 4)
      cv2.fillPoly(wood, [corners], 0.0, cv2.LINE_8, 4)


def _grow_crown(rng, cover, lit, wood, kind) -> None:
  slim = kind == "poplar"
  _stem(
    cover, lit, wood, [(0.5, 0.6), (0.5, 1.0)], (0.1 if slim else 0.06) * SIDE
  )
  middle, reach = (0.48, 0.42) if slim else (0.4, 0.3)
  for _ in range(3 if not slim else 0):
    tip = (0.5 + rng.uniform(-0.25, 0.25), 0.5)
    _stem(cover, lit, wood, [(0.5, 0.8), tip], 0.03 * SIDE)
  count = 70
  angle, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, 1, count) ** 0.5
  x = 0.5 + 0.36 * far * np.cos(angle)
  y = middle + reach * far * np.sin(angle)
  radius = rng.uniform(0.06, 0.12, count)
  # Clusters that catch the light (up and to the left) lie in front.
  bright = 0.5 - 0.75 * (x - 0.5) - 0.6 * (y - middle) / (reach / 0.36)
  bright = bright + rng.uniform(-0.1, 0.1, count)
  for i in np.argsort(bright):
    center = (round(x[i] * SIDE * 16), round(y[i] * SIDE * 16))
    size = round(radius[i] * SIDE * 16)
    cv2.circle(cover, center, size, 1.0, -1, cv2.LINE_8, 4)
    cv2.circle(wood, center, size, 0.0, -1, cv2.LINE_8, 4)
    cv2.circle(lit, center, size, float(bright[i]) * 0.8, -1, cv2.LINE_8, 4)
    inner = (center[0] - size // 4, center[1] - size // 4)
    cv2.circle(lit, inner, size * 2 // 3, float(bright[i]), -1, cv2.LINE_8, 4)


def _grow_palm(rng, cover, lit, wood, kind) -> None:
  del kind
  lean = rng.uniform(-0.12, 0.12)
  heights = np.linspace(0, 1, 8)
  trunk = np.stack([0.5 + lean * heights**2, 1 - 0.68 * heights], 1)
  _stem(cover, lit, wood, trunk, 0.045 * SIDE)
  top = trunk[-1]
  for angle in np.linspace(0.1, np.pi - 0.1, 9) + rng.uniform(-0.12, 0.12, 9):
    length, along = rng.uniform(0.34, 0.44), np.linspace(0, 1, 7)
    x = top[0] + length * np.cos(angle) * along
    y = top[1] - length * np.sin(angle) * along * 0.9 + 0.3 * along**2
    bright = 0.55 - 0.3 * np.cos(angle) + rng.uniform(-0.1, 0.1)
    frond = np.stack([x, y], 1)
    droop = (
      frond[::-1] + np.array([0, 0.075]) * np.sin(np.pi * along)[::-1, None]
    )
    corners = np.concatenate([frond, droop])
    fixed = np.round(corners * SIDE * 16).astype(np.int32)
    for plane, value in ((cover, 1.0), (lit, bright), (wood, 0.0)):
      cv2.fillPoly(plane, [fixed], float(value), cv2.LINE_8, 4)
