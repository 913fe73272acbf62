"""What an evaluation found: rows, buckets of hole size, means, CSV.

`SYSTEM` names the network among the methods; the others are baselines. Where
the true pictures are looked at like a fill, they are called `TRUTH`. Scores
are floats, NaN where a picture has no hole to measure.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.metrics import Mean, is_capped
from sginpaint.evaluation.protocols import Protocol

SYSTEM = "system"
TRUTH = "truth"
ALL = "all"

# Percent of the picture; a ratio on an edge belongs to the bucket above it,
# but for the last edges of the masks in use (0.6) and of the picture (1).
BUCKETS = (
  (0, 10),
  (10, 20),
  (20, 30),
  (30, 40),
  (40, 50),
  (50, 60),
  (60, 100),
  (20, 40),
  (40, 60),
)
_CLOSED = (0.6, 1.0)


@dataclasses.dataclass(frozen=True)
class Row:
  """One picture: its pair and the scores {method: {measure: value}}."""

  index: int
  image: str
  mask: str
  ratio: float
  scores: Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Panel:
  """One picture worth looking at.

  Attributes:
    row: its scores.
    truth: uint8 [H, W, 3].
    mask: float [H, W, 1], 1 = hole.
    fills: {method: uint8 composite [H, W, 3]}, `SYSTEM` among them.
    extras: {output name: uint8 [H, W, 3]} intermediates, coloured.
    details: the same of all that the analyses show of a few pictures.
    role: "sample" (drawn blindly), "best" or "worst".
  """

  row: Row
  truth: np.ndarray
  mask: np.ndarray
  fills: Mapping[str, np.ndarray]
  extras: Mapping[str, np.ndarray]
  details: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
  role: str = "sample"


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """All that is known of one evaluated checkpoint; the report's input.

  Attributes:
    name: of the checkpoint, for people.
    description: a sentence on what it is.
    protocol: what the columns mean.
    metrics: contents of metrics.json.
    rows: one per picture, in the order of the split.
    panels: for the report and the grid.
    manifest: the pairs.
    config: the settings of training and evaluation, JSON types.
  """

  name: str
  description: str
  protocol: Protocol
  metrics: Mapping[str, Any]
  rows: Sequence[Row]
  panels: Sequence[Panel]
  manifest: Manifest
  config: Mapping[str, Any]


def in_bucket(ratio: float, low: int, high: int) -> bool:
  """Whether a hole ratio lies in a bucket given in percent."""
  top = high / 100
  return low / 100 <= ratio < top or (ratio == top and top in _CLOSED)


def buckets_of(ratios: Sequence[float]) -> dict[str, np.ndarray]:
  """{name: bool [n]} of the buckets that hold a picture, `all` first."""
  members = {ALL: np.ones(len(ratios), bool)}
  for low, high in BUCKETS:
    inside = np.array([in_bucket(r, low, high) for r in ratios], bool)
    if inside.any():
      members[f"{low}-{high}"] = inside
  return members


def summarize(
  rows: Sequence[Row], protocol: Protocol
) -> dict[str, dict[str, dict[str, float]]]:
  """Means {method: {bucket: {"count": n, measure: mean}}}.

  A hole measure is left out of a bucket in which no picture has a hole.
  """
  methods = list(rows[0].scores)
  members = buckets_of([row.ratio for row in rows])
  holes = np.array([row.ratio > 0 for row in rows])
  summary: dict[str, dict[str, dict[str, float]]] = {m: {} for m in methods}
  for method in methods:
    for bucket, inside in members.items():
      means: dict[str, float] = {"count": int(inside.sum())}
      for measure in protocol.per_picture:
        values = np.array([r.scores[method][measure.name] for r in rows])
        mean = Mean.of(values, inside & holes if measure.hole else inside)
        if mean.count:
          means[measure.name] = mean.compute()
      summary[method][bucket] = means
  return summary


def count_capped(
  rows: Sequence[Row], protocol: Protocol
) -> dict[str, dict[str, int]]:
  """{method: {measure: pictures whose PSNR reached the cap}}."""
  names = [m.name for m in protocol.measures if m.name.endswith("psnr")]
  return {
    method: {
      name: sum(bool(is_capped(r.scores[method][name])) for r in rows)
      for name in names
    }
    for method in rows[0].scores
  }


def best_baseline(metrics: Mapping[str, Any], measure: str) -> str | None:
  """The baseline with the highest mean of `measure` over all pictures."""
  scores = {
    name: buckets[ALL][measure]
    for name, buckets in metrics["baselines"].items()
    if measure in buckets[ALL]
  }
  return max(scores, key=lambda name: scores[name]) if scores else None


def to_csv(rows: Sequence[Row], protocol: Protocol) -> str:
  """per_image.csv: pair, ratio, the system's scores, then the baselines'.

  Behind a method's measures stands what else was found of its pictures. A score
  that a picture does not have is an empty cell.
  """
  measured = [m.name for m in protocol.per_picture]
  names = {
    method: list(dict.fromkeys((*measured, *scores)))
    for method, scores in rows[0].scores.items()
  }
  header: list[Any] = ["index", "image", "mask", "ratio"]
  for method in names:
    prefix = "" if method == SYSTEM else f"{method}_"
    header += [prefix + name for name in names[method]]
  table = [header]
  for row in rows:
    cells: list[Any] = [row.index, row.image, row.mask, f"{row.ratio:.6f}"]
    for method in names:
      values = (row.scores[method][name] for name in names[method])
      cells += ["" if math.isnan(v) else f"{v:.6f}" for v in values]
    table.append(cells)
  return csv_text(table)


def csv_text(table: Iterable[Sequence[Any]]) -> str:
  """Lines of cells as the text of a CSV file."""
  text = io.StringIO()
  csv.writer(text, lineterminator="\n").writerows(table)
  return text.getvalue()
