"""What an analysis is: it looks at batches on the devices, then concludes.

An analysis asks more of a system than how near its fill is to the truth: what
it thinks the hole shows, and how sure of that it is. `look` counts and averages
per picture, so that batches add up and the padding of a ragged one can be
dropped; `scores` and `section` conclude from the sums on the host.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.evaluation.edits import Edits
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.results import Row
from sginpaint.evaluation.segmentation import mean_scores

Counts = Mapping[str, np.ndarray]  # sums over the pictures of a bucket


@flax.struct.dataclass
class View:
  """What there is to look at in a batch.

  Attributes:
    truth: uint8 [B, H, W, 3].
    mask: float32 [B, H, W, 1], 1 = hole.
    labels: int32 [B, H, W], 255 = ignore; None without usable ones.
    outputs: {key: [B, ...]} of the system.
    judged: {method: int32 [B, H, W]}, what a segmenter sees in each method's
      composite; empty without a segmenter.
    edits: of the label map, and what came of them; None where nobody edits.
  """

  truth: chex.Array
  mask: chex.Array
  labels: chex.Array | None
  outputs: Mapping[str, chex.Array]
  judged: Mapping[str, chex.Array]
  edits: Edits | None = None

  @property
  def hole_labels(self) -> jax.Array:
    """`labels` in the hole, 255 elsewhere; int32 [B, H, W].

    Raises:
      ValueError: there are none.
    """
    if self.labels is None:
      raise ValueError("there are no labels")
    return jnp.where(self.mask[..., 0] > 0.5, self.labels, IGNORE)


@flax.struct.dataclass
class Findings:
  """What a look at a batch gives; both per picture.

  Attributes:
    counts: {key: [B, ...]}, which are added up.
    values: {key: float32 [B]}, scores of the pictures, NaN where a picture has
      no such score.
  """

  counts: Mapping[str, chex.Array] = flax.struct.field(default_factory=dict)
  values: Mapping[str, chex.Array] = flax.struct.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Analysis:
  """Base of the analyses.

  Attributes:
    available: keys of all outputs of the system.
    classes: names of the K classes.
    statement: why there are no labels to compare with; "" where there are.
    segmenter: record of the one that reads filled pictures, see judges.py;
      empty without one.
  """

  NAME: ClassVar[str] = ""
  # Outputs without which there is nothing to analyse.
  NEEDS: ClassVar[tuple[str, ...]] = ()
  # Whether there is nothing to analyse without `config.eval.segmenter`.
  NEEDS_SEGMENTER: ClassVar[bool] = False
  # Columns of the tables that `scores` fills.
  MEASURES: ClassVar[tuple[Measure, ...]] = ()

  available: frozenset[str] = frozenset()
  classes: tuple[str, ...] = ()
  statement: str = ""
  segmenter: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  @property
  def keys(self) -> tuple[str, ...]:
    """Outputs that `look` reads."""
    return self.NEEDS

  @property
  def shown(self) -> tuple[str, ...]:
    """Outputs that its part of the report shows of a few pictures."""
    return ()

  @property
  def labelled(self) -> bool:
    """Whether there are labels to compare with."""
    return not self.statement

  def look(self, view: View) -> Findings:
    """Looks at a batch; is jitted."""
    raise NotImplementedError

  def scores(self, counts: Counts) -> dict[str, float]:
    """{measure: score} of the pictures that `counts` was summed over."""
    del counts
    return {}

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """What metrics.json says, JSON types.

    Args:
      counts: {bucket: counts}, `all` first.
      rows: all pictures; `values` are among the scores of the system.
    """
    raise NotImplementedError


def finite(value: chex.Numeric) -> float | None:
  """As JSON holds it: None for NaN."""
  number = float(value)
  return number if math.isfinite(number) else None


def map_scores(matrix: np.ndarray) -> dict[str, float | None]:
  """`mean_scores` of one matrix [K, K], as JSON holds them."""
  return {name: finite(value) for name, value in mean_scores(matrix).items()}
