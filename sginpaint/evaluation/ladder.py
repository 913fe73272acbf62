"""The table of a ladder: systems one above the other, each under some seeds.

A score is the mean over seeds, its spread their sample standard deviation. A
row is compared with the one above it under the same seed, where data order,
training masks and initial key are the same, so that the spread of the
difference is smaller than that of the scores.
"""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint.evaluation.intervals import standard_error
from sginpaint.evaluation.results import ALL, LEADING

TRUE_MAP = " (true map)"  # behind the name of a system that is told it


@dataclasses.dataclass(frozen=True)
class Score:
  """One evaluated checkpoint.

  Attributes:
    metrics: contents of its metrics.json.
    parameters: numbers in its generator.
    pictures: {picture: `LEADING`}; empty where pictures have no such score.
  """

  metrics: Mapping[str, Any]
  parameters: int
  pictures: Mapping[str, float]

  @property
  def measures(self) -> dict[str, float]:
    """The means over all pictures."""
    return _numbers(self.metrics["metrics"][ALL])


@dataclasses.dataclass(frozen=True)
class Entry:
  """What a row is made of.

  Attributes:
    name: of the row.
    above: name of the entry that it is compared with, if any.
    scores: {seed: score}.
  """

  name: str
  above: str | None
  scores: Mapping[int, Score]


@dataclasses.dataclass(frozen=True)
class Spread:
  """Values under several seeds, at least one.

  Attributes:
    mean: of the values.
    deviation: sample standard deviation; None of a single value.
    values: {seed: value}; empty where no seed matters.
  """

  mean: float
  deviation: float | None
  values: Mapping[int, float]

  @classmethod
  def of(cls, values: Mapping[int, float]) -> "Spread":
    """Mean and spread of {seed: value}."""
    found = list(values.values())
    deviation = statistics.stdev(found) if len(found) > 1 else None
    return cls(statistics.fmean(found), deviation, dict(values))


@dataclasses.dataclass(frozen=True)
class Row:
  """One line of the table.

  Attributes:
    name: of the config, or of a baseline.
    parameters: of the generator; None for a baseline.
    steps: of the training; None for a baseline.
    seeds: that were evaluated; none for a baseline.
    scores: {measure: its spread}; a row may lack some.
    difference: of `Table.compared` from the row above, over the seeds of both.
    picture_error: standard error of that difference over pictures, each the
      mean over those seeds.
  """

  name: str
  parameters: int | None
  steps: int | None
  seeds: tuple[int, ...]
  scores: Mapping[str, Spread]
  difference: Spread | None = None
  picture_error: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
  """All rows that were tried on the same pictures under the same holes.

  Attributes:
    masks: as `metrics.json` names them.
    guidance: likewise, of all rows but those that are told the true map.
    protocol: what the measures mean.
    count: of pictures.
    data: name of the data set.
    split: of it.
    manifest_hash: of the pairs of picture and hole; None without holes.
    compared: the measure of `Row.difference`.
    measures: in the order of the columns.
    rows: the systems, then the baselines.
  """

  masks: str
  guidance: str
  protocol: str
  count: int
  data: str
  split: str
  manifest_hash: str | None
  compared: str
  measures: tuple[str, ...]
  rows: tuple[Row, ...]


def true_map(name: str) -> str:
  """The row of the checkpoints of row `name`, told the true segmentation."""
  return f"{name}{TRUE_MAP}"


def build_table(entries: Sequence[Entry]) -> Table:
  """Means, spreads and differences.

  Args:
    entries: in the order of the rows, each with a score at least.

  Raises:
    ValueError: they were not tried on the same pictures under the same holes,
      or not measured by the same protocol.
  """
  metrics = [s.metrics for entry in entries for s in entry.scores.values()]
  measures = _in_order(s.measures for e in entries for s in e.scores.values())
  compared = LEADING if LEADING in measures else measures[0]
  by_name = {entry.name: entry for entry in entries}
  rows = [
    _row(entry, by_name.get(entry.above or ""), compared) for entry in entries
  ]
  return Table(
    **_facts(metrics),
    guidance=metrics[0]["guidance"],
    compared=compared,
    measures=measures,
    rows=(*rows, *_baselines(metrics[0])),
  )


def _in_order(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
  return tuple(dict.fromkeys(name for some in names for name in some))


def _numbers(scores: Mapping[str, Any]) -> dict[str, float]:
  return {
    name: float(value)
    for name, value in scores.items()
    if name != "count" and isinstance(value, int | float)
  }


def _facts(metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
  """What all evaluations of a table have in common."""
  first: dict[str, Any] = {}
  for one in metrics:
    origin = one["provenance"]
    facts = {name: one[name] for name in ("masks", "protocol", "count")}
    facts |= {name: origin[name] for name in ("data", "split")}
    facts["manifest_hash"] = origin.get("manifest_hash")
    first = first or facts
    for name, value in facts.items():
      if value != first[name]:
        raise ValueError(
          f"rows differ in {name}: {first[name]!r} and {value!r}"
        )
  return first


def _row(entry: Entry, above: Entry | None, compared: str) -> Row:
  seeds = sorted(entry.scores)
  scores = [entry.scores[seed] for seed in seeds]
  found = {
    name: {
      seed: score.measures[name]
      for seed, score in zip(seeds, scores, strict=True)
      if name in score.measures
    }
    for name in _in_order(score.measures for score in scores)
  }
  return Row(
    name=entry.name,
    parameters=scores[0].parameters,
    steps=scores[0].metrics["step"],
    seeds=tuple(seeds),
    scores={name: Spread.of(values) for name, values in found.items()},
    **(_compare(entry, above, compared) if above else {}),
  )


def _compare(entry: Entry, above: Entry, measure: str) -> dict[str, Any]:
  """`difference` and `picture_error` of a row, as far as they are known."""
  pairs = {
    seed: (score, above.scores[seed])
    for seed, score in sorted(entry.scores.items())
    if seed in above.scores
  }
  differences = {
    seed: high.measures[measure] - low.measures[measure]
    for seed, (high, low) in pairs.items()
    if measure in high.measures and measure in low.measures
  }
  if not differences:
    return {}
  by_picture: dict[str, list[float]] = {}
  for high, low in pairs.values():
    for name in high.pictures.keys() & low.pictures.keys():
      change = high.pictures[name] - low.pictures[name]
      by_picture.setdefault(name, []).append(change)
  means = [statistics.fmean(changes) for changes in by_picture.values()]
  error = standard_error(np.array(means)) if len(means) > 1 else None
  return {"difference": Spread.of(differences), "picture_error": error}


def _baselines(metrics: Mapping[str, Any]) -> list[Row]:
  # They see no seed of the training: those of any evaluation are those of all.
  return [
    Row(
      name=name,
      parameters=None,
      steps=None,
      seeds=(),
      scores={
        measure: Spread(value, None, {})
        for measure, value in _numbers(buckets[ALL]).items()
      },
    )
    for name, buckets in metrics["baselines"].items()
  ]
