"""Whether the hole shows what a person asks for.

Random edits (edits.py) stand in for the person: in a region of the hole the map
says another class than the true one, and elsewhere what it said before. The
segmenter that `config.eval.segmenter` names then reads the filled picture. A
score is the share of the region's pixels that it reads as the class asked for,
mean over edits. How much of that class the same region shows without the edit
is what is there anyway, and all that there is of a system that no map guides.

Yu et al., "Interactive Image Inpainting Using Semantic Guidance", show such
edits and give no score; this one is ours.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.evaluation.analysis import Analysis, Counts, Findings, View
from sginpaint.evaluation.edits import shares
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.results import ALL, SYSTEM, Row

EDITS = "edits"
EDITED, UNGUIDED = "edited_class_share", "unguided_share"
MAJORITY, UNGUIDED_MAJORITY = "majority", "unguided_majority"
SCORES = (EDITED, UNGUIDED, MAJORITY, UNGUIDED_MAJORITY)


@dataclasses.dataclass(frozen=True)
class Controllability(Analysis):
  """Edits of each class [K], and the sums of their scores."""

  NAME: ClassVar[str] = "controllability"
  NEEDS_SEGMENTER: ClassVar[bool] = True
  MEASURES: ClassVar[tuple[Measure, ...]] = tuple(
    Measure(name, None, label, hole=True, digits=4, per_set=True)
    for name, label in (
      (EDITED, "edited class in its region"),
      (UNGUIDED, "the same without the edit"),
    )
  )

  @property
  def keys(self) -> tuple[str, ...]:
    """The system's own map, which the edits are painted on for people."""
    return tuple(self.available & {"segmentation"})

  def look(self, view: View) -> Findings:
    """Per picture, sums over its edits of each class [B, K]."""
    edits = view.edits
    if edits is None:
      return Findings()
    drawn = jax.nn.one_hot(edits.classes, len(self.classes))
    found = {UNGUIDED: shares(edits, view.judged[SYSTEM][:, None])}
    if edits.readings is not None:
      found[EDITED] = shares(edits, edits.readings)
    number = (edits.classes != IGNORE).sum(1)
    values = {
      name: jnp.where(
        number > 0, share.sum(1) / jnp.maximum(number, 1), jnp.nan
      )
      for name, share in found.items()
    }
    for share, majority in ((EDITED, MAJORITY), (UNGUIDED, UNGUIDED_MAJORITY)):
      if share in found:
        found[majority] = found[share] > 0.5
    counts = {
      name: (score[..., None] * drawn).sum(1) for name, score in found.items()
    }
    return Findings(counts=counts | {EDITS: drawn.sum(1)}, values=values)

  def scores(self, counts: Counts) -> dict[str, float]:
    """The measures; none where nothing was edited."""
    if not self.labelled or not counts[EDITS].sum():
      return {}
    means = _means(counts)
    return {m.name: means[m.name] for m in self.MEASURES if m.name in means}

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """The scores of all edits and of those that asked for each class."""
    del rows
    named = {"segmenter": dict(self.segmenter)}
    if not self.labelled:
      return named | {"statement": self.statement}
    every = counts[ALL]
    number = int(every[EDITS].sum())
    if not number:
      return named | {"statement": "no edits: no hole has labels of a class"}
    by_class = {
      name: {k: v[i : i + 1] for k, v in every.items()}
      for i, name in enumerate(self.classes)
      if every[EDITS][i]
    }
    return {
      **named,
      EDITS: number,
      **_means(every),
      "by_class": {
        name: {EDITS: int(of_class[EDITS].sum()), **_means(of_class)}
        for name, of_class in by_class.items()
      },
    }


def _means(counts: Mapping[str, np.ndarray]) -> dict[str, float]:
  """{score: mean over edits} of those that were counted."""
  number = counts[EDITS].sum()
  return {s: float(counts[s].sum() / number) for s in SCORES if s in counts}
