"""What an evaluation found: rows, buckets of hole size, means, CSV.

`SYSTEM` names the network among the methods; the others are baselines. Where
the true pictures are looked at like a fill, they are called `TRUTH`. Scores
are floats, NaN where a picture has no hole to measure, or lacks what a measure
that is `partial` wants.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.attributes import PRESENT
from sginpaint.evaluation.intervals import mean_interval
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.metrics import Mean, is_capped
from sginpaint.evaluation.protocols import KNOWN_CHANGED, Protocol

SYSTEM = "system"
TRUTH = "truth"
ALL = "all"
# The measure by which pictures, baselines and rows are ranked: higher = better.
LEADING = "hole_psnr"

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

# Classes per picture, as SGE-Net's table 2 parts its pictures.
CLASS_GROUPS = {"1-2": (1, 2), "3-4": (3, 4), "more": (5, IGNORE)}


@dataclasses.dataclass(frozen=True)
class Row:
  """One picture: its pair and the scores {method: {measure: value}}.

  `classes` is how many it shows, see `count_classes`; None without labels.
  """

  index: int
  image: str
  mask: str
  ratio: float
  scores: Mapping[str, Mapping[str, float]]
  classes: int | None = None


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


def count_classes(labels: np.ndarray) -> np.ndarray:
  """Classes on at least 0.5 % of a picture, int [n] of int [n, H, W].

  So that a few stray pixels of a class do not make a scene more complex.
  """
  least = PRESENT * labels[0].size
  counts = [np.bincount(m.ravel(), minlength=IGNORE + 1) for m in labels]
  return np.array([(c[:IGNORE] >= least).sum() for c in counts])


def class_groups_of(rows: Sequence[Row]) -> dict[str, np.ndarray]:
  """{name: bool [n]} of `CLASS_GROUPS` that hold a picture, `all` first.

  Empty where no picture has labels.
  """
  found = np.array([row.classes or 0 for row in rows])
  groups = {
    name: (low <= found) & (found <= high)
    for name, (low, high) in CLASS_GROUPS.items()
  }
  filled = {name: inside for name, inside in groups.items() if inside.any()}
  return {ALL: found > 0, **filled} if filled else {}


def summarize(
  rows: Sequence[Row],
  protocol: Protocol,
  members: Mapping[str, np.ndarray] | None = None,
) -> dict[str, dict[str, dict[str, float]]]:
  """Means {method: {bucket: {"count": n, measure: mean}}}.

  A measure is left out of a bucket in which no picture has it.

  Args:
    rows: of all pictures.
    protocol: what is averaged.
    members: {name: bool [n]} of other groups than the buckets.
  """
  if members is None:
    members = buckets_of([row.ratio for row in rows])
  summary: dict[str, dict[str, dict[str, float]]] = {
    method: {name: {"count": int(m.sum())} for name, m in members.items()}
    for method in rows[0].scores
  }
  for method, measure, values, counted in _columns(rows, protocol):
    for name, inside in members.items():
      mean = Mean.of(values, inside & counted)
      if mean.count:
        summary[method][name][measure] = mean.compute()
  return summary


def intervals(
  rows: Sequence[Row],
  protocol: Protocol,
  members: Mapping[str, np.ndarray] | None = None,
) -> dict[str, dict[str, dict[str, list[float]]]]:
  """`mean_interval`, [low, high], of the means of `summarize`, by their names.

  A mean of a single picture has none.
  """
  if members is None:
    members = buckets_of([row.ratio for row in rows])
  found: dict[str, dict[str, dict[str, list[float]]]] = {
    method: {name: {} for name in members} for method in rows[0].scores
  }
  for method, measure, values, counted in _columns(rows, protocol):
    for name, inside in members.items():
      interval = mean_interval(values[inside & counted])
      if interval:
        found[method][name][measure] = list(interval)
  return found


def _columns(
  rows: Sequence[Row], protocol: Protocol
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
  """(method, measure, its values [n], which pictures have it: bool [n])."""
  holes = np.array([row.ratio > 0 for row in rows])
  for method in rows[0].scores:
    for measure in protocol.per_picture:
      values = np.array([r.scores[method][measure.name] for r in rows])
      counted = holes if measure.hole else np.ones(len(rows), bool)
      if measure.partial:
        counted = counted & ~np.isnan(values)
      yield method, measure.name, values, counted


def count_changed(rows: Sequence[Row]) -> dict[str, int]:
  """{method: known pixels that it changed, over all pictures}."""
  return {
    method: int(sum(row.scores[method].get(KNOWN_CHANGED, 0) for row in rows))
    for method in rows[0].scores
  }


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


def method_buckets(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
  """{method: {bucket: scores}} of metrics.json, `SYSTEM` first."""
  return {SYSTEM: metrics["metrics"], **metrics["baselines"]}


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
  labelled = any(row.classes is not None for row in rows)
  header: list[Any] = ["index", "image", "mask", "ratio"]
  header += ["classes"] * labelled
  for method in names:
    prefix = "" if method == SYSTEM else f"{method}_"
    header += [prefix + name for name in names[method]]
  table = [header]
  for row in rows:
    cells: list[Any] = [row.index, row.image, row.mask, f"{row.ratio:.6f}"]
    cells += ["" if row.classes is None else row.classes] * labelled
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
