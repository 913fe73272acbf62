"""What the report calls the methods that it compares, and their colours.

The checkpoints come first, then the baselines, which all of them share.
"""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from typing import Any

from sginpaint.evaluation.results import SYSTEM, Evaluation, method_buckets

OURS = (
  *("#1f6feb", "#0f9d76", "#c2478f", "#d08700"),
  *("#7a4fd0", "#0a8fa8", "#b3402a", "#6b7d1f"),
)
_THEIRS = ("#98a2b3", "#c2c8d1", "#7b8494", "#d9dde3")
_LABELS = {"navier_stokes": "Navier-Stokes"}


@dataclasses.dataclass(frozen=True)
class Method:
  """One line of the tables and one colour of the charts.

  Attributes:
    name: escaped.
    color: CSS.
    buckets: {bucket: {measure: mean}}.
    ours: whether it is a checkpoint, not a baseline.
    intervals: {bucket: {measure: (low, high)}}.
  """

  name: str
  color: str
  buckets: Mapping[str, Mapping[str, float]]
  ours: bool
  intervals: Mapping[str, Mapping[str, Sequence[float]]] = dataclasses.field(
    default_factory=dict
  )

  @property
  def plain(self) -> str:
    """The name, not escaped."""
    return html.unescape(self.name)


# One checkpoint, its line, and its section of one analysis.
Shown = tuple[Evaluation, Method, Mapping[str, Any]]


def label(name: str) -> str:
  """`mean_color` -> `Mean color`, escaped."""
  words = _LABELS.get(name, name.replace("_", " "))
  return html.escape(words[:1].upper() + words[1:])


def methods_of(evaluations: Sequence[Evaluation]) -> list[Method]:
  """Every checkpoint, then the baselines, which all of them share."""
  return _methods(
    evaluations,
    [method_buckets(e.metrics) for e in evaluations],
    [e.metrics["intervals"] for e in evaluations],
  )


def methods_by_classes(evaluations: Sequence[Evaluation]) -> list[Method]:
  """The same by the number of classes; [] where pictures have no labels."""
  parts = [e.metrics.get("by_classes") for e in evaluations]
  found = [part for part in parts if part is not None]
  if len(found) < len(parts):
    return []
  means, intervals = ([p[k] for p in found] for k in ("means", "intervals"))
  return _methods(evaluations, means, intervals)


def _methods(
  evaluations: Sequence[Evaluation],
  means: Sequence[Mapping[str, Any]],
  intervals: Sequence[Mapping[str, Any]],
) -> list[Method]:
  """Of {method: {bucket: ...}} of each evaluation."""
  ours = [
    Method(
      html.escape(e.name),
      OURS[i % len(OURS)],
      means[i][SYSTEM],
      True,
      intervals[i][SYSTEM],
    )
    for i, e in enumerate(evaluations)
  ]
  theirs = [
    Method(
      label(name),
      _THEIRS[i % len(_THEIRS)],
      means[0][name],
      False,
      intervals[0][name],
    )
    for i, name in enumerate(evaluations[0].metrics["baselines"])
  ]
  return ours + theirs


def signed(value: float, digits: int) -> str:
  """With a true minus sign."""
  return f"{value:+.{digits}f}".replace("-", "&minus;")


def dot(method: Method) -> str:
  """A square in the colour of the method."""
  return f'<span class="dot" style="background:{method.color}"></span>'
