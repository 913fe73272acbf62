"""What a segmenter sees in completed pictures, against the system's own map.

Liao et al. (ECCV 2020), figure 10: fill first and segment then, or do both at
once. The segmenter that `config.eval.segmenter` names is shown the composite of
every method, and the true picture, whose row is the most that it can do, at the
scale of its training. Scores are those of hole_segmentation.py, over labelled
hole pixels. Which segmenters may judge is said in judges.py.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import jax
import jax.numpy as jnp

from sginpaint.batch import Batch
from sginpaint.checkpoints import Loaded
from sginpaint.errors import UserError
from sginpaint.evaluation.analysis import (
  Analysis,
  Counts,
  Findings,
  View,
  map_scores,
)
from sginpaint.evaluation.judges import (
  Judge,
  at_training_size,
  load_judge,
)
from sginpaint.evaluation.placement import everywhere
from sginpaint.evaluation.results import SYSTEM, TRUTH, Row
from sginpaint.evaluation.segmentation import confusion_matrices

OWN_MAP = "own_map"
_FIRST = (TRUTH, OWN_MAP, SYSTEM)  # in tables; the baselines follow


@dataclasses.dataclass(frozen=True)
class CompletedSegmentation(Analysis):
  """Confusion matrices of a segmenter's maps, and of the system's own."""

  NAME: ClassVar[str] = "completed_segmentation"

  @property
  def keys(self) -> tuple[str, ...]:
    """The system's own map, where it has one."""
    return tuple(self.available & {"segmentation"})

  @property
  def shown(self) -> tuple[str, ...]:
    """The same."""
    return self.keys

  def look(self, view: View) -> Findings:
    """Counts a confusion matrix [B, K, K] of each map."""
    if view.labels is None:
      return Findings()
    maps = dict(view.judged)
    if self.keys:
      maps[OWN_MAP] = view.outputs["segmentation"]
    return Findings(
      counts={
        method: confusion_matrices(view.hole_labels, found, len(self.classes))
        for method, found in maps.items()
      }
    )

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Scores of every method per bucket; who the segmenter is."""
    del rows
    named = {"segmenter": dict(self.segmenter)}
    if not self.labelled:
      return named | {"statement": self.statement}
    return named | {
      "buckets": {
        bucket: {
          method: map_scores(found[method])
          for method in dict.fromkeys((*_FIRST, *found))
          if method in found
        }
        for bucket, found in counts.items()
      }
    }


class MapReader:
  """A segmenter on all local devices, shown completed pictures."""

  def __init__(self, judge: Judge):
    """Places the network.

    Args:
      judge: whose `predict` gives `segmentation_logits`.
    """
    loaded, self.record = judge.loaded, judge.record
    self._variables = everywhere((loaded.variables, loaded.frozen))

    def see(variables, frozen, picture):
      b, h, w, _ = picture.shape
      image = at_training_size(picture, loaded.config.data)
      logits = loaded.system.predict(variables, frozen, Batch(image=image))[
        "segmentation_logits"
      ]
      logits = jax.image.resize(logits, (b, h, w, logits.shape[-1]), "linear")
      return jnp.argmax(logits, axis=-1)

    self._see = jax.jit(see)

  def __call__(
    self, pictures: Mapping[str, chex.Array]
  ) -> dict[str, jax.Array]:
    """int32 [B, H, W] of each uint8 [B, H, W, 3]."""
    return {
      method: self._see(*self._variables, x) for method, x in pictures.items()
    }


def load_map_reader(loaded: Loaded) -> MapReader | None:
  """The segmenter that `config.eval.segmenter` names; None for none.

  Args:
    loaded: the system that will be judged.

  Raises:
    UserError: it knows other classes, or see `load_judge`.
  """
  judge = load_judge(loaded, field="segmenter", output="segmentation_logits")
  if judge is None:
    return None
  names, expected = (
    [info["name"] for info in each.config.data.classes]
    for each in (judge.loaded, loaded)
  )
  if names != expected:
    raise UserError(
      f"config.eval.segmenter={loaded.config.eval.segmenter}: knows the "
      f"classes {', '.join(names)}; the checkpoint knows {', '.join(expected)}"
    )
  return MapReader(judge)
