"""Networks that look at every method's pictures and score them.

Unlike an analysis (analysis.py), which asks what the evaluated system says, a
reviewer treats its fills and those of the baselines alike. `config.eval` names
the networks: `classifier` (attribute_agreement.py) and `retrieval_network`
(retrieval_review.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import jax
import numpy as np

from sginpaint.batch import Batch
from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation.attribute_agreement import load_attribute_reviewer
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.results import Row
from sginpaint.evaluation.retrieval_review import load_retrieval_reviewer


class Reviewer(Protocol):
  """Sees one batch after the other, then concludes.

  Attributes:
    memory: what it remembers of each batch in order, as dicts, lists and numpy
      arrays; an interrupted evaluation puts it back.
    REMEMBERS: whether it remembers anything.
  """

  REMEMBERS: ClassVar[bool]
  memory: list[Any]

  @property
  def hash(self) -> str:
    """Of all that its scores depend on beside the pictures."""

  @property
  def measures(self) -> tuple[Measure, ...]:
    """Its columns of the tables."""

  def review(
    self, pictures: Mapping[str, jax.Array], batch: Batch
  ) -> dict[str, dict[str, np.ndarray]]:
    """Scores a batch.

    Args:
      pictures: {method: uint8 [B, H, W, 3]}, on the devices; `TRUTH` is among
        the methods.
      batch: with its labels and its padding.

    Returns:
      {method: {measure: [B]}} of the methods other than `TRUTH`.
    """

  def finish(
    self, metrics: dict[str, Any], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """`metrics` with its section, and with its scores of sets, if any.

    Args:
      metrics: {"metrics": {bucket: scores}, "baselines": ..., ...}.
      rows: all pictures.
    """


def build_reviewers(loaded: Loaded, split: Split) -> tuple[Reviewer, ...]:
  """Those that `loaded.config.eval` asks for; no picture is read yet.

  Raises:
    UserError: see `load_attribute_reviewer` and `load_retrieval_reviewer`.
  """
  found = (
    load_attribute_reviewer(loaded, split),
    load_retrieval_reviewer(loaded.config, split),
  )
  return tuple(reviewer for reviewer in found if reviewer is not None)
