"""Whether filled pictures show the attributes that they should.

A classifier that guided nobody (`config.eval.classifier`, judges.py) is shown
the composite of every method, and the true picture, whose row is the most that
it can do, at the scale of its training. What it says at probability 0.5 is
compared

- with the attributes of the data set, where it has some of the classifier's, by
  name: the share of the known ones that is right, mean over pictures, and the
  mean average precision over the set;
- with what it says of the true picture, which needs no labels.

Li et al. (IJCNN 2019) guide by attributes and give no such score; it is ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import chex
import jax
import numpy as np

from sginpaint.batch import Batch
from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation.analysis import finite
from sginpaint.evaluation.classification import (
  accuracies,
  mean_average_precision,
)
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.judges import Judge, at_training_size, load_judge
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.placement import everywhere
from sginpaint.evaluation.results import (
  SYSTEM,
  TRUTH,
  Row,
  buckets_of,
  method_buckets,
)

NAME = "attribute_agreement"
AGREEMENT, MAP = "attribute_agreement", "attribute_map"
CONSISTENCY = "attribute_consistency"
_LABELS = "labels"  # kept beside the readings of the methods


def agreement(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
  """Share of the known attributes that a picture's logits get right.

  Args:
    logits: [B, A], present above 0, where the probability rounds to 1.
    truth: [B, A], present above 0.5, NaN = unknown.

  Returns:
    float64 [B], NaN where nothing is known.
  """
  chex.assert_rank([logits, truth], 2)
  chex.assert_equal_shape([logits, truth])
  return accuracies(logits.T, truth.T)


class AttributeReviewer:
  """A classifier on all local devices, and what it said so far.

  Attributes:
    memory: {method or labels: [index, values]} of every batch.
  """

  REMEMBERS: ClassVar[bool] = True

  def __init__(self, judge: Judge, split: Split):
    """Places the network.

    Args:
      judge: whose `predict` gives `attribute_logits`.
      split: that is evaluated.
    """
    loaded, self._record = judge.loaded, judge.record
    self._names = tuple(loaded.config.data.attributes)
    both = [n for n in self._names if n in split.attributes]
    self._columns = [self._names.index(n) for n in both]
    self._label_columns = [split.attributes.index(n) for n in both]
    self.memory: list[dict[str, list[np.ndarray]]] = []
    self._variables = everywhere((loaded.variables, loaded.frozen))

    def see(variables, frozen, pictures):
      image = at_training_size(pictures, loaded.config.data)
      outputs = loaded.system.predict(variables, frozen, Batch(image=image))
      return outputs["attribute_logits"]

    self._see = jax.jit(see)

  @property
  def hash(self) -> str:
    """Of the network's values; see `Reviewer`."""
    return self._record["hash"]

  @property
  def measures(self) -> tuple[Measure, ...]:
    """Columns of the tables; the first two need labels."""
    consistency = Measure(
      CONSISTENCY, None, "attributes as in the true picture", digits=4
    )
    if not self._columns:
      return (consistency,)
    return (
      Measure(AGREEMENT, None, "right attributes", digits=4, partial=True),
      Measure(MAP, None, "attribute mAP", digits=4, per_set=True),
      consistency,
    )

  def review(
    self, pictures: Mapping[str, jax.Array], batch: Batch
  ) -> dict[str, dict[str, np.ndarray]]:
    """Reads a batch and remembers what it read; see `Reviewer`."""
    # All are sent off before the first is waited for.
    seen = {m: self._see(*self._variables, x) for m, x in pictures.items()}
    read = {method: np.asarray(x) for method, x in seen.items()}
    labels = self._labels(batch, len(read[TRUTH]))
    valid, index = np.asarray(batch.valid), np.asarray(batch.index)
    self.memory.append(
      {
        method: [index[valid], values[valid]]
        for method, values in (*read.items(), (_LABELS, labels))
      }
    )
    return {
      method: self._scores(values, read[TRUTH], labels)
      for method, values in read.items()
      if method != TRUTH
    }

  def _labels(self, batch: Batch, size: int) -> np.ndarray:
    if batch.attributes is None or not self._columns:
      return np.empty((size, 0), np.float32)
    return np.asarray(batch.attributes)[:, self._label_columns]

  def _scores(
    self, read: np.ndarray, clean: np.ndarray, labels: np.ndarray
  ) -> dict[str, np.ndarray]:
    scores = {CONSISTENCY: agreement(read, (clean > 0).astype(np.float32))}
    if self._columns:
      scores[AGREEMENT] = agreement(read[:, self._columns], labels)
    return scores

  def finish(
    self, metrics: dict[str, Any], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Adds the mean average precision per bucket, and the section."""
    sets = {
      method: Features.of([(p[method][0], p[method][1]) for p in self.memory])
      for method in self.memory[0]
    }
    index, labels = sets[_LABELS].index, sets.pop(_LABELS).values
    order = np.searchsorted(index, [row.index for row in rows])
    members = buckets_of([row.ratio for row in rows])
    read = {method: found.values for method, found in sets.items()}
    if self._columns:
      for method, buckets in method_buckets(metrics).items():
        for bucket, scores in buckets.items():
          some = order[members[bucket]]
          chosen = read[method][some][:, self._columns]
          found = finite(mean_average_precision(chosen, labels[some])[0])
          scores |= {} if found is None else {MAP: found}
    analyses = metrics.get("analyses", {})
    section = self._section(read, labels)
    return metrics | {"analyses": analyses | {NAME: section}}

  def _section(
    self, read: Mapping[str, np.ndarray], labels: np.ndarray
  ) -> dict[str, Any]:
    methods = {}
    for method, values in read.items():
      found = self._scores(values, read[TRUTH], labels)
      means = {n: _mean(x) for n, x in found.items()}
      if self._columns:
        chosen = values[:, self._columns]
        means[MAP] = finite(mean_average_precision(chosen, labels)[0])
      methods[method] = means
    section = {
      "hash": self.hash,
      "classifier": self._record,
      "methods": methods,
    }
    if not self._columns:
      return section | {
        "statement": "no labels: the data set has no attribute that the "
        "classifier knows"
      }
    return section | {"attributes": self._by_attribute(read, labels)}

  def _by_attribute(
    self, read: Mapping[str, np.ndarray], labels: np.ndarray
  ) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for k, column in enumerate(self._columns):
      known = ~np.isnan(labels[:, k])
      truth = labels[known, k : k + 1]
      one: dict[str, Any] = {"known": int(known.sum()), "share": _mean(truth)}
      for method in (TRUTH, SYSTEM):
        values = read[method][known, column : column + 1]
        one[method] = {
          AGREEMENT: _mean(agreement(values, truth)),
          MAP: finite(mean_average_precision(values, truth)[0]),
        }
      found[self._names[column]] = one
    return found


def load_attribute_reviewer(
  loaded: Loaded, split: Split
) -> AttributeReviewer | None:
  """By the classifier that `config.eval.classifier` names; None for none.

  Args:
    loaded: the system that will be judged.
    split: that it is tried on.

  Raises:
    UserError: see `load_judge`.
  """
  judge = load_judge(loaded, field="classifier", output="attribute_logits")
  return AttributeReviewer(judge, split) if judge else None


def _mean(values: np.ndarray) -> float | None:
  """Over those that are there."""
  there = values[~np.isnan(values)]
  return float(there.mean()) if there.size else None
