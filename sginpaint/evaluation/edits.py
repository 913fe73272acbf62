"""Random edits of a label map: this region of the hole shall show that class.

An edit stands in for what a person paints over the map. It depends on the hole,
the labels and (`config.eval.seed`, picture, number of the edit) only: every
system, every checkpoint and every batch size gets the same ones.
"""

import functools
import math

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.splits import Split

_SIDES = (0.25, 0.5)  # of the region / side of a square of the hole's area
_SEARCHED = 100  # pictures


class Edits(flax.struct.PyTreeNode):
  """E edits of each picture of a batch.

  Attributes:
    regions: bool [B, E, H, W], inside the hole; empty = there is no edit.
    classes: int32 [B, E], IGNORE where there is no edit.
    told: int32 [B, E, H, W], the maps that say so; 255 = not said.
    fills: uint8 [B, E, H, W, 3], what a system made of them; None of one that
      takes no map.
    readings: int32 [B, E, H, W], what a segmenter sees in `fills`; likewise.
  """

  regions: chex.Array
  classes: chex.Array
  told: chex.Array
  fills: chex.Array | None = None
  readings: chex.Array | None = None


class Editor:
  """Draws the edits of pictures."""

  def __init__(self, split: Split, *, seed: int, edits: int):
    """Reads nothing yet.

    Args:
      split: whose pictures are edited.
      seed: of all that is drawn.
      edits: E, of each picture.
    """
    self._split, self._seed, self._edits = split, seed, edits

  @functools.cached_property
  def classes(self) -> list[int]:
    """Those that may be asked for."""
    return shown_classes(self._split, self._seed)

  def draw(
    self,
    index: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray,
    base: np.ndarray | None = None,
  ) -> Edits:
    """The edits of a batch.

    Args:
      index: int [B], positions in the split.
      mask: [B, H, W, 1], 1 = hole.
      labels: int [B, H, W], 255 = ignore.
      base: int32 [B, H, W], what is said outside the regions; None = nothing.

    Returns:
      What is asked for, numpy; nothing was filled yet.
    """
    regions = np.zeros((len(index), self._edits, *mask.shape[1:3]), bool)
    classes = np.full(regions.shape[:2], IGNORE, np.int32)
    for b, e in np.ndindex(classes.shape):
      rng = np.random.default_rng([self._seed, 3, int(index[b]), e])
      region = draw_region(rng, mask[b, ..., 0] > 0.5)
      chosen = self._draw_class(rng, labels[b][region])
      if chosen != IGNORE:
        regions[b, e], classes[b, e] = region, chosen
    said = np.int32(IGNORE) if base is None else base[:, None]
    told = np.where(regions, classes[..., None, None], said)
    return Edits(regions=regions, classes=classes, told=told)

  def _draw_class(self, rng: np.random.Generator, labels: np.ndarray) -> int:
    """Any but the most frequent of `labels` [n]; IGNORE without a choice."""
    known = labels[(labels >= 0) & (labels < len(self._split.classes))]
    if not known.size:
      return IGNORE
    true = int(np.bincount(known).argmax())
    others = [k for k in self.classes if k != true]
    return int(rng.choice(others)) if others else IGNORE


def draw_region(rng: np.random.Generator, hole: np.ndarray) -> np.ndarray:
  """What a rectangle and a hole have in common; bool [H, W].

  The rectangle lies around a random pixel of the hole, moved to lie within the
  hole's extent, and each of its sides is a quarter to a half of the side of a
  square of the hole's area.

  Args:
    rng: drawn from only where there is a hole.
    hole: bool [H, W].
  """
  region = np.zeros_like(hole)
  places = np.nonzero(hole)
  if not len(places[0]):
    return region
  chosen = rng.integers(len(places[0]))
  spans = []
  for axis in places:
    first, end = axis.min(), axis.max() + 1
    side = round(rng.uniform(*_SIDES) * math.sqrt(hole.sum()))
    side = min(max(side, 1), end - first)
    start = np.clip(axis[chosen] - side // 2, first, end - side)
    spans.append(slice(start, start + side))
  rectangle = tuple(spans)
  region[rectangle] = hole[rectangle]
  return region


def shown_classes(split: Split, seed: int) -> list[int]:
  """Classes that the first hundred labelled pictures in a seeded order show.

  A class that the pictures of a split never show asks for what no system of
  that data could have learnt.
  """
  order = np.random.default_rng([seed, 3]).permutation(len(split))
  labelled = [i for i in order.tolist() if split.examples.labelled[i]]
  found = {
    int(k)
    for i in labelled[:_SEARCHED]
    for k in np.unique(split[i]["segmentation"])
  }
  return sorted(k for k in found if 0 <= k < len(split.classes))


def shares(edits: Edits, readings: chex.Array) -> jax.Array:
  """Share of each region's pixels that carry its class; 0 without an edit.

  Args:
    edits: of B pictures.
    readings: int [B, E, H, W], or [B, 1, H, W] for all edits the same.

  Returns:
    float32 [B, E].
  """
  hits = edits.regions & (readings == edits.classes[..., None, None])
  pixels = edits.regions.sum((2, 3))
  return hits.sum((2, 3)) / jnp.maximum(pixels, 1)
