"""What a system that fills from coarse to fine gains from scale to scale.

Liao et al. (ECCV 2020), figure 7. Scale l has 1 / 2^l of the picture's sides;
its outputs are named `<key>_<l>`, those of full size `<key>`. The hole at a
scale is every cell that touches it. Pictures are enlarged bilinearly, as in
training, label maps by repeating cells, so that all scales are compared over
the same hole pixels of full size.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import jax
import numpy as np

from sginpaint.batch import composite, to_uint8
from sginpaint.evaluation.analysis import (
  Analysis,
  Counts,
  Findings,
  View,
  finite,
  map_scores,
)
from sginpaint.evaluation.calibration import CONFIDENCE, ERROR
from sginpaint.evaluation.metrics import hole_mae, hole_mean
from sginpaint.evaluation.results import ALL, SYSTEM, Row
from sginpaint.evaluation.segmentation import confusion_matrices
from sginpaint.layers.resampling import (
  hole_at,
  resize_bilinear,
  resize_nearest,
)
from sginpaint.systems.base import name_at, scale_of

KINDS = ("image", "segmentation", "confidence", "reliability")


@dataclasses.dataclass(frozen=True)
class Scales(Analysis):
  """Confidence, label map and picture of every scale, in the hole."""

  NAME: ClassVar[str] = "scales"
  NEEDS: ClassVar[tuple[str, ...]] = ("image", "image_1")

  @property
  def scales(self) -> tuple[int, ...]:
    """Those that have a picture, coarse to fine; 0 is the last."""
    named = (scale_of(name) for name in self.available)
    found = {scale for output, scale in named if output == "image"}
    return tuple(sorted(found, reverse=True))

  @property
  def keys(self) -> tuple[str, ...]:
    """All kinds at all scales, as far as they exist."""
    names = (name_at(kind, s) for s in self.scales for kind in KINDS)
    return tuple(name for name in names if name in self.available)

  @property
  def shown(self) -> tuple[str, ...]:
    """All that are read."""
    return self.keys

  def look(self, view: View) -> Findings:
    """Counts "segmentation_<l>", confusion matrices [B, K, K].

    The values are the means of the hole at each scale.
    """
    counts, values = {}, {}
    for scale in self.scales:
      if scale:  # of full size it is the protocol's
        image = view.outputs[name_at("image", scale)]
        values[name_at(ERROR, scale)] = _hole_error(view, image)
      confidence = view.outputs.get(name_at("confidence", scale))
      if confidence is not None:
        hole = hole_at(view.mask, 2**scale)
        mean = hole_mean(confidence[..., None], hole)
        values[name_at(CONFIDENCE, scale)] = mean
      found = view.outputs.get(name_at("segmentation", scale))
      if found is not None and view.labels is not None:
        full = resize_nearest(found[..., None], view.mask.shape[1:3])[..., 0]
        counts[name_at("segmentation", scale)] = confusion_matrices(
          view.hole_labels, full, len(self.classes)
        )
    return Findings(counts=counts, values=values)

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """A line per scale, coarse to fine."""
    lines: list[dict[str, Any]] = []
    for scale, coarser in zip(self.scales, (None, *self.scales), strict=False):
      line: dict[str, Any] = {"scale": scale}
      line["hole_mae"] = _mean(_values(rows, ERROR, scale))
      if name_at("confidence", scale) in self.available:
        here = _values(rows, CONFIDENCE, scale)
        line["confidence"] = _mean(here)
        if coarser is not None:
          rise = here - _values(rows, CONFIDENCE, coarser)
          line["rise"] = _mean(rise)
          line["rises_in"] = _mean((rise > 0).astype(float))
      matrix = counts[ALL].get(name_at("segmentation", scale))
      if matrix is not None:
        line |= map_scores(matrix)
      lines.append(line)
    silent = self.labelled or "segmentation" not in self.available
    stated = {} if silent else {"statement": self.statement}
    return {"scales": lines, **stated}


def _hole_error(view: View, image: chex.Array) -> jax.Array:
  """float32 [B] of a raw picture [B, h, w, 3] in [-1, 1]."""
  enlarged = to_uint8(resize_bilinear(image, view.truth.shape[1:3]))
  pasted = composite(enlarged, view.truth, view.mask)
  return hole_mae(view.truth, pasted, view.mask)


def _values(rows: Sequence[Row], name: str, scale: int) -> np.ndarray:
  """[n] of the pictures that have a hole."""
  key = name_at(name, scale)
  return np.array([r.scores[SYSTEM][key] for r in rows if r.ratio > 0])


def _mean(values: np.ndarray) -> float | None:
  return finite(values.mean()) if len(values) else None
