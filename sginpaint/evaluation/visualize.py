"""Turns what networks put out into pictures for people.

Everything here is plain numpy on the host and returns uint8 [H, W, 3], one
picture at a time. Feature maps are shown by k-means as in SPL's figure 5
(k = 6), seeded, so the same features always give the same panel.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.systems.base import scale_of

# Ten hues of one lightness that stay apart for colour-blind eyes.
_COLORS = np.array(
  [
    [68, 119, 170], [238, 119, 51], [34, 136, 51], [204, 51, 17],
    [170, 68, 153], [187, 187, 187], [0, 153, 136], [221, 170, 51],
    [136, 34, 85], [102, 204, 238],
  ],
  np.uint8,
)  # fmt: skip
_IGNORED = np.array([24, 24, 24], np.uint8)
_HOLE = np.array([255, 255, 255], np.uint8)
_HOLE_MARK = np.array([214, 219, 226], np.uint8)
_RIGHT = np.array([203, 213, 225], np.uint8)
_WRONG = np.array([204, 51, 17], np.uint8)
_RISEN = np.array([178, 24, 43], np.uint8)
_FALLEN = np.array([33, 102, 172], np.uint8)
_LLOYD_STEPS = 20


def k_means(features: np.ndarray, k: int = 6, *, seed: int = 0) -> np.ndarray:
  """Clusters the vectors of a feature map.

  Seeds are spread as in k-means++, then Lloyd's steps. Clusters are numbered
  by where they lie, top first, so that colours keep their meaning between
  pictures of one kind.

  Args:
    features: [h, w, F].
    k: clusters; fewer come out when fewer vectors differ.
    seed: of the first centres.

  Returns:
    int [h, w], 0..k-1.
  """
  h, w, channels = features.shape
  points = features.reshape(-1, channels).astype(np.float64)
  rng = np.random.default_rng(seed)
  centres = points[[rng.integers(len(points))]]
  for _ in range(k - 1):
    nearest = _distances(points, centres).min(axis=1)
    if nearest.sum() <= 0:
      break
    chosen = rng.choice(len(points), p=nearest / nearest.sum())
    centres = np.concatenate([centres, points[[chosen]]])
  for _ in range(_LLOYD_STEPS):
    labels = _distances(points, centres).argmin(axis=1)
    present = np.unique(labels)
    moved = np.stack([points[labels == i].mean(axis=0) for i in present])
    if moved.shape == centres.shape and np.allclose(moved, centres):
      break
    centres = moved
  labels = _distances(points, centres).argmin(axis=1)
  rows = np.arange(len(points)) // w
  heights = [
    rows[labels == i].mean() if (labels == i).any() else h
    for i in range(len(centres))
  ]
  rank = np.argsort(np.argsort(heights, kind="stable"), kind="stable")
  return rank[labels].reshape(h, w)


def _distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
  """Squared distances [n, k]; rounding below zero is clipped."""
  squares = (points**2).sum(1)[:, None] + (centres**2).sum(1)[None]
  return np.maximum(squares - 2 * points @ centres.T, 0.0)


def color_labels(
  labels: np.ndarray, colors: np.ndarray | None = None
) -> np.ndarray:
  """Colours a map of classes or clusters.

  Args:
    labels: int [H, W]; 255 = ignore, drawn nearly black.
    colors: uint8 [K, 3]; default ten hues, repeated.
  """
  palette = _COLORS if colors is None else np.asarray(colors, np.uint8)
  picture = palette[np.asarray(labels) % len(palette)]
  return np.where((np.asarray(labels) == IGNORE)[..., None], _IGNORED, picture)


def wrong_labels(
  labels: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> np.ndarray:
  """Shows where labels are wrong.

  Args:
    labels: int [H, W].
    truth: int [H, W]; 255 = ignore, drawn nearly black.
    mask: [H, W] or [H, W, 1], non-zero = hole; right labels are light there
      and white elsewhere.

  Returns:
    uint8 [H, W, 3], wrong labels red.
  """
  hole = np.asarray(mask).reshape(truth.shape) > 0.5
  picture = np.where(hole[..., None], _RIGHT, _HOLE)
  picture[labels != truth] = _WRONG
  picture[truth == IGNORE] = _IGNORED
  return picture


def heat(values: np.ndarray) -> np.ndarray:
  """[H, W] in [0, 1] -> dark blue (0) to yellow (1)."""
  levels = np.clip(np.asarray(values, np.float32) * 255, 0, 255)
  bgr = cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_VIRIDIS)
  return bgr[..., ::-1]


def rise(values: np.ndarray, coarser: np.ndarray, size: int) -> np.ndarray:
  """Where a map rose from a coarser scale to this one.

  Args:
    values: [h, w] in [0, 1].
    coarser: [h / n, w / n] in [0, 1], repeated to h x w.
    size: side of the panel.

  Returns:
    uint8 [size, size, 3]: white = no change, to red = +1, to blue = -1.
  """
  factor = len(values) // len(coarser)
  change = values - coarser.repeat(factor, 0).repeat(factor, 1)
  towards = np.where((change > 0)[..., None], _RISEN, _FALLEN)
  share = np.clip(np.abs(change), 0, 1)[..., None]
  picture = (255 + share * (towards - 255.0)).round().astype(np.uint8)
  return cv2.resize(picture, (size, size), interpolation=cv2.INTER_NEAREST)


def show_output(
  name: str,
  value: np.ndarray,
  size: int,
  colors: np.ndarray | None = None,
) -> np.ndarray | None:
  """One intermediate of one picture as uint8 [size, size, 3].

  Args:
    name: output key of the system contract; one of a coarser scale, such as
      `confidence_3`, is shown like `confidence`.
    value: [h, w] or [h, w, C] of one picture.
    size: side of the panel.
    colors: uint8 [K, 3] of the classes.

  Returns:
    None for outputs that are no maps (attribute logits, lists of scales).
  """
  name, _ = scale_of(name)
  if name in ("prior", "features") and value.ndim == 3:
    picture = color_labels(k_means(value))
  elif name == "segmentation_logits" and value.ndim == 3:
    picture = color_labels(value.argmax(axis=-1), colors)
  elif name == "segmentation" and value.ndim == 2:
    picture = color_labels(value, colors)
  elif name in ("confidence", "reliability") and value.ndim in (2, 3):
    picture = heat(value if value.ndim == 2 else value[..., 0])
  elif value.ndim == 3 and value.shape[-1] == 3:
    picture = np.clip((value + 1) * 127.5, 0, 255).round().astype(np.uint8)
  else:
    return None
  return cv2.resize(picture, (size, size), interpolation=cv2.INTER_NEAREST)


def with_hole(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Shows a damaged picture: the hole light, with a fine hatching.

  Args:
    image: uint8 [H, W, 3].
    mask: [H, W] or [H, W, 1], non-zero = hole.
  """
  hole = np.asarray(mask).reshape(image.shape[:2]) > 0.5
  y, x = np.indices(hole.shape)
  shown = np.array(image)
  shown[hole] = _HOLE
  shown[hole & ((x + y) % 8 < 2)] = _HOLE_MARK
  return shown


def outline(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
  """Frames a region in white, on its own outermost pixels.

  Args:
    picture: uint8 [H, W, 3].
    region: bool [H, W].
  """
  inner = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8))
  return np.where((region & (inner == 0))[..., None], _HOLE, picture)


def grid(
  rows: Sequence[Sequence[np.ndarray]],
  titles: Sequence[str],
  *,
  gap: int = 4,
  cell: int = 128,
) -> np.ndarray:
  """Lays pictures out in rows under a line of titles.

  Args:
    rows: lists of uint8 [H, W, 3], one per title, all of one size.
    titles: of the columns.
    gap: between pictures, pixels.
    cell: smallest side of a picture; smaller ones are enlarged whole times.
  """
  h, w = rows[0][0].shape[:2]
  scale = max(1, -(-cell // max(h, w)))
  h, w = h * scale, w * scale
  top = 22
  height = top + len(rows) * (h + gap)
  canvas = np.full((height, len(titles) * (w + gap) + gap, 3), 255, np.uint8)
  for column, title in enumerate(titles):
    x = gap + column * (w + gap)
    cv2.putText(
      canvas, title, (x, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1,
      cv2.LINE_AA,
    )  # fmt: skip
    for line, pictures in enumerate(rows):
      y = top + line * (h + gap)
      enlarged = pictures[column].repeat(scale, 0).repeat(scale, 1)
      canvas[y : y + h, x : x + w] = enlarged
  return canvas
