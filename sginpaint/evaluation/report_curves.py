"""Scores over the steps of a training, of the evaluations in its workdir."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.report_methods import Method
from sginpaint.evaluation.report_plots import Line, curves
from sginpaint.evaluation.report_scores import tabs
from sginpaint.evaluation.results import ALL, LEADING, SYSTEM
from sginpaint.evaluation.stored import evaluations_in, judges

# (step, {measure: mean}, {measure: [low, high]}), step by step.
Points = Sequence[
  tuple[int, Mapping[str, float], Mapping[str, Sequence[float]]]
]
_SHARED = ("protocol", "guidance", "masks", "count")
_ORIGIN = ("system", "weights", "split_fingerprint", "manifest_hash")


def points(root: Path, metrics: Mapping[str, Any]) -> Points:
  """All that `root`/<step> holds of one training, measured alike.

  Args:
    root: a folder of evaluations, `eval` of a workdir.
    metrics: contents of a metrics.json, which is a point itself; the others
      have its pairs and protocol.
  """
  found: dict[int, Mapping[str, Any]] = {
    m["step"]: m
    for folder, m in evaluations_in([root])
    if folder.name == str(m.get("step")) and _alike(m, metrics)
  }
  found[metrics["step"]] = metrics
  return [
    (step, m["metrics"][ALL], m["intervals"][SYSTEM][ALL])
    for step, m in sorted(found.items())
  ]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
  if "intervals" not in one:  # of a system that makes no pictures
    return False
  networks = judges(other)
  if any(networks.get(what, h) != h for what, h in judges(one).items()):
    return False
  return all(one.get(f) == other.get(f) for f in _SHARED) and all(
    one["provenance"].get(f) == other["provenance"].get(f) for f in _ORIGIN
  )


def section(
  found: Mapping[str, Points],
  methods: Sequence[Method],
  measures: Sequence[Measure],
) -> str:
  """A chart per measure, as HTML; "" where no training has two steps.

  Args:
    found: {name of a method: its points}.
    methods: for names and colours.
    measures: that may be shown.
  """
  longest = max(map(len, found.values()), default=0)
  if longest < 2:
    return ""
  shown = [m for m in measures if any(_has(p, m) for p in found.values())]
  panes = {m.label: _chart(found, methods, m) for m in shown}
  leading = next((m.label for m in shown if m.name == LEADING), "")
  return (
    '<h2>Over the training</h2><p class="note">Every checkpoint that was '
    "evaluated on the same pictures under the same holes, all hole sizes "
    "together, with 95 % intervals over pictures.</p>" + tabs(panes, leading)
  )


def _has(some: Points, measure: Measure) -> bool:
  return any(measure.name in means for _, means, _ in some)


def _chart(
  found: Mapping[str, Points], methods: Sequence[Method], measure: Measure
) -> str:
  lines: dict[str, Line] = {}
  for method in methods:
    some = found.get(method.plain, ())
    if _has(some, measure):
      lines[method.name] = (
        method.color,
        [
          (step, means[measure.name], intervals.get(measure.name))
          for step, means, intervals in some
          if measure.name in means
        ],
      )
  legend = "".join(
    f'<span><span class="dot" style="background:{color}"></span>{name}</span>'
    for name, (color, _) in lines.items()
  )
  return (
    f'<div class="legend">{legend}</div><div class="curve">'
    f"{curves(lines, y_label=measure.label)}</div>"
  )
