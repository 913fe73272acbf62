"""How right a system's own label map is inside the hole.

Over labelled hole pixels only, all pictures of a bucket together. What the map
has to beat is `nearest_label`: every hole pixel gets the true label of the
nearest labelled pixel outside the hole, which needs no network.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.evaluation.analysis import (
  Analysis,
  Counts,
  Findings,
  View,
  finite,
  map_scores,
)
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.results import ALL, SYSTEM, Row
from sginpaint.evaluation.segmentation import class_scores, confusion_matrices

NEAREST = "nearest_label"


@dataclasses.dataclass(frozen=True)
class HoleSegmentation(Analysis):
  """Confusion matrices of the system's map and of the nearest label."""

  NAME: ClassVar[str] = "hole_segmentation"
  NEEDS: ClassVar[tuple[str, ...]] = ("segmentation",)
  MEASURES: ClassVar[tuple[Measure, ...]] = tuple(
    Measure(name, None, label, hole=True, digits=4, per_set=True)
    for name, label in (
      ("hole_miou", "hole mIoU"),
      ("hole_pixel_accuracy", "hole pixel accuracy"),
    )
  )

  def look(self, view: View) -> Findings:
    """Counts a confusion matrix [B, K, K] each."""
    if view.labels is None:
      return Findings()
    maps = {
      SYSTEM: view.outputs["segmentation"],
      NEAREST: nearest_labels(view.labels, view.mask, len(self.classes)),
    }
    return Findings(
      counts={
        method: confusion_matrices(view.hole_labels, found, len(self.classes))
        for method, found in maps.items()
      }
    )

  def scores(self, counts: Counts) -> dict[str, float]:
    """The measures, of the system."""
    if not self.labelled:
      return {}
    found = map_scores(counts[SYSTEM])
    named = {f"hole_{name}": value for name, value in found.items()}
    return {
      m.name: value
      for m in self.MEASURES
      if (value := named[m.name]) is not None
    }

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Scores of both per bucket, and those of the classes."""
    del rows
    if not self.labelled:
      return {"statement": self.statement}
    return {
      "buckets": {
        bucket: {
          "pixels": int(found[SYSTEM].sum()),
          **{method: map_scores(matrix) for method, matrix in found.items()},
        }
        for bucket, found in counts.items()
      },
      **self._per_class(counts[ALL]),
    }

  def _per_class(self, counts: Counts) -> dict[str, Any]:
    matrix = counts[SYSTEM]
    iou, accuracy = class_scores(matrix)
    nearest, _ = class_scores(counts[NEAREST])
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    return {
      "classes": {
        name: {
          "iou": finite(iou[k]),
          "accuracy": finite(accuracy[k]),
          "nearest_label_iou": finite(nearest[k]),
          "true_pixels": int(true[k]),
          "predicted_pixels": int(predicted[k]),
        }
        for k, name in enumerate(self.classes)
      },
      "classes_absent": int(np.isnan(iou).sum()),
    }


def nearest_labels(
  labels: chex.Array, mask: chex.Array, num_classes: int
) -> jax.Array:
  """The label of the nearest labelled pixel outside the hole, of each pixel.

  Exact in Euclidean distance, first along columns, then along rows
  (Felzenszwalb and Huttenlocher 2012, without their lower envelope). Of equally
  near pixels that of the leftmost column counts, in it the upper one.

  Args:
    labels: int [B, H, W], 0..K-1; everything else is not copied.
    mask: [B, H, W, 1], 1 = hole.
    num_classes: K.

  Returns:
    int32 [B, H, W]; 0 in a picture without a pixel to copy.
  """
  chex.assert_rank([labels, mask], [3, 4])
  chex.assert_equal_shape_prefix([labels, mask], 3)
  h, w = labels.shape[1:]
  known = (labels >= 0) & (labels < num_classes) & (mask[..., 0] <= 0.5)
  far = 2 * (h + w)  # further than any pixel of the picture
  y, x = jnp.arange(h)[:, None], jnp.arange(w)
  above = jax.lax.cummax(jnp.where(known, y, -far), axis=1)
  below = jax.lax.cummin(jnp.where(known, y, h + far), axis=1, reverse=True)
  row = jnp.where(y - above <= below - y, above, below)
  squares = (row - y)[:, :, None] ** 2 + (x[:, None] - x) ** 2
  column = jnp.argmin(squares, axis=-1)
  row = jnp.clip(jnp.take_along_axis(row, column, axis=2), 0, h - 1)
  found = labels[jnp.arange(len(labels))[:, None, None], row, column]
  some = known.any((1, 2), keepdims=True)
  return jnp.where(some, found, 0).astype(jnp.int32)
