"""Several methods on the same pictures under the same holes, side by side.

A method is an evaluation, of a checkpoint, of a baseline or of a folder of
pictures. What differs between two of them is told by a paired bootstrap over
pictures (paired.py), for every measure, in every bucket of hole sizes.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint.errors import UserError
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.paired import RESAMPLES, Difference, bootstrap
from sginpaint.evaluation.results import (
  ALL,
  LEADING,
  SYSTEM,
  Row,
  buckets_of,
  class_groups_of,
  csv_text,
)
from sginpaint.evaluation.stored import Stored, judges

_CLASSES = "classes "  # before the name of a class group


@dataclasses.dataclass(frozen=True)
class Contestant:
  """One method.

  Attributes:
    name: for people, no other has it.
    source: what was given on the command line.
    stored: its evaluation.
    note: a sentence on it.
    config: settings of its training and evaluation, JSON types.
  """

  name: str
  source: str
  stored: Stored
  note: str = ""
  config: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  @property
  def metrics(self) -> Mapping[str, Any]:
    """Contents of its metrics.json."""
    return self.stored.metrics

  @property
  def rows(self) -> Sequence[Row]:
    """Its pictures, in the order of the split."""
    return self.stored.rows

  def values(self, measure: Measure) -> np.ndarray:
    """[n], NaN where a picture lacks it."""
    return np.array(
      [row.scores[SYSTEM].get(measure.name, math.nan) for row in self.rows]
    )


@dataclasses.dataclass(frozen=True)
class Comparison:
  """What was found.

  Attributes:
    contestants: in the order given; others are held against the first.
    measures: that any of them has.
    members: {bucket: bool [n]}, and of class groups, `ALL` first.
    differences: {(i, j): {bucket: {measure: second minus first}}}, i < j;
      only what both have.
    seed: of the resampling.
    resamples: how many.
  """

  contestants: Sequence[Contestant]
  measures: Sequence[Measure]
  members: Mapping[str, np.ndarray]
  differences: Mapping[tuple[int, int], Mapping[str, Mapping[str, Difference]]]
  seed: int
  resamples: int

  def to_json(self) -> dict[str, Any]:
    """comparison.json."""
    first = self.contestants[0].metrics
    origin = first["provenance"]
    return {
      "protocol": first["protocol"],
      "count": first["count"],
      "masks": first["masks"],
      **{name: origin.get(name) for name in _PAIRS},
      "bootstrap": {"seed": self.seed, "resamples": self.resamples},
      "methods": [
        {
          "name": c.name,
          "source": c.source,
          "note": c.note,
          "step": c.metrics["step"],
          "metrics": c.metrics["metrics"],
          "intervals": c.metrics["intervals"][SYSTEM],
          "provenance": c.metrics["provenance"],
          "judges": judges(c.metrics),
        }
        for c in self.contestants
      ],
      "differences": [
        {
          "of": self.contestants[j].name,
          "minus": self.contestants[i].name,
          "buckets": {
            bucket: {name: d.to_json() for name, d in found.items()}
            for bucket, found in buckets.items()
          },
        }
        for (i, j), buckets in self.differences.items()
      ],
    }

  def to_csv(self) -> str:
    """A line per picture, a column per method and measure."""
    measures = [m for m in self.measures if not m.per_set]
    header: list[Any] = ["index", "image", "mask", "ratio"]
    header += [
      f"{c.name}: {m.name}" for c in self.contestants for m in measures
    ]
    columns = [c.values(m) for c in self.contestants for m in measures]
    table = [header]
    for n, row in enumerate(self.contestants[0].rows):
      cells: list[Any] = [row.index, row.image, row.mask, f"{row.ratio:.6f}"]
      cells += ["" if math.isnan(v[n]) else f"{v[n]:.6f}" for v in columns]
      table.append(cells)
    return csv_text(table)


# Of `provenance`: what the pairs of picture and hole were.
_PAIRS = (
  *("data", "split", "split_fingerprint", "image_size", "resize", "crop_size"),
  *("manifest_hash", "mask_set_hash"),
)


def compare(
  contestants: Sequence[Contestant],
  *,
  seed: int = 0,
  resamples: int = RESAMPLES,
) -> Comparison:
  """Holds all against each other.

  Args:
    contestants: at least one.
    seed: of the resampling.
    resamples: how many.

  Raises:
    UserError: they were not measured by the same formulas on the same pictures
      under the same holes.
  """
  check_alike(contestants)
  measures = {
    m.name: m for c in contestants for m in c.stored.protocol.measures
  }
  shown = [
    m
    for m in measures.values()
    if any(m.name in c.metrics["metrics"][ALL] for c in contestants)
  ]
  members = _members(contestants[0].rows)
  each = [m for m in shown if not m.per_set]
  values = [np.stack([c.values(m) for m in each], axis=1) for c in contestants]
  differences: dict[tuple[int, int], dict[str, dict[str, Difference]]] = {}
  for i in range(len(contestants)):
    for j in range(i + 1, len(contestants)):
      change = values[j] - values[i]
      differences[i, j] = {
        bucket: {
          m.name: found
          for m, found in zip(
            each,
            bootstrap(change[inside], seed=seed, resamples=resamples),
            strict=True,
          )
          if found is not None
        }
        for bucket, inside in members.items()
      }
  return Comparison(contestants, shown, members, differences, seed, resamples)


def _members(rows: Sequence[Row]) -> dict[str, np.ndarray]:
  groups = class_groups_of(rows)
  groups.pop(ALL, None)
  named = {f"{_CLASSES}{name}": inside for name, inside in groups.items()}
  return buckets_of([row.ratio for row in rows]) | named


def check_alike(contestants: Sequence[Contestant]) -> None:
  """Raises UserError where two evaluations cannot stand in one table."""
  first = contestants[0]
  for other in contestants[1:]:
    for what, mend in _SHARED.items():
      expected, found = _fact(first, what), _fact(other, what)
      if expected != found:
        raise UserError(
          f"{other.source}: {what} is {_short(found)}, but {_short(expected)} "
          f"of {first.source}; {mend}"
        )

  networks: dict[str, tuple[str, str]] = {}
  for one in contestants:  # that any two share
    for what, found in judges(one.metrics).items():
      expected, source = networks.setdefault(what, (found, one.source))
      if found != expected:
        raise UserError(
          f"{one.source}: network of {what} is {_short(found)}, but "
          f"{_short(expected)} of {source}; evaluate both with one"
        )


_SHARED = {
  "protocol": "evaluate both with one --protocol",
  "guidance": "evaluate both with one --config.eval.guidance",
  "split_fingerprint": "evaluate both on the same pictures",
  "manifest_hash": "evaluate both with one --manifest",
}


def _fact(contestant: Contestant, what: str) -> Any:
  metrics = contestant.metrics
  return (metrics | metrics["provenance"]).get(what)


def _short(value: Any) -> str:
  text = str(value)
  return text[:12] if len(text) > 32 else text  # of a hash


def most_different(comparison: Comparison) -> list[int]:
  """Positions of the pictures, those first on which methods differ most.

  By how far apart the highest and the lowest `LEADING` are; pictures that a
  method lacks it of are left out.
  """
  spread = np.ptp(_leading(comparison), axis=0)
  order = np.argsort(-np.nan_to_num(spread, nan=-1.0), kind="stable")
  return [int(i) for i in order if not math.isnan(spread[i])]


def by_quality(comparison: Comparison) -> list[int]:
  """Positions of the pictures, best filled first on average over methods."""
  mean = _leading(comparison).mean(axis=0)
  order = np.argsort(-np.nan_to_num(mean, nan=-np.inf), kind="stable")
  return [int(i) for i in order if not math.isnan(mean[i])]


def _leading(comparison: Comparison) -> np.ndarray:
  """[methods, n]."""
  measures = {m.name: m for m in comparison.measures}
  leading = measures.get(LEADING, comparison.measures[0])
  return np.stack([c.values(leading) for c in comparison.contestants])
