"""The numbers of the report: headline cards, tables and bar charts per bucket.

Everything returns HTML text. Methods are (name, colour, {bucket: {measure:
mean}}); the checkpoints come first, then the baselines. Where pictures are
parted by the number of their classes, those groups stand for the buckets.
"""

import dataclasses
import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sginpaint.evaluation.protocols import Measure
from sginpaint.evaluation.results import (
  ALL,
  CLASS_GROUPS,
  SYSTEM,
  Evaluation,
  method_buckets,
)

_OURS = ("#1f6feb", "#0f9d76", "#c2478f", "#d08700")
_THEIRS = ("#98a2b3", "#c2c8d1", "#7b8494", "#d9dde3")
_LABELS = {"navier_stokes": "Navier-Stokes"}
LEADING = "hole_psnr"


@dataclasses.dataclass(frozen=True)
class Method:
  """One line of the tables and one colour of the charts."""

  name: str
  color: str
  buckets: Mapping[str, Mapping[str, float]]
  ours: bool
  intervals: Mapping[str, Mapping[str, Sequence[float]]] = dataclasses.field(
    default_factory=dict
  )


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
      _OURS[i % len(_OURS)],
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


def score_tabs(methods: Sequence[Method], measures: Sequence[Measure]) -> str:
  """One pane per measure: chart and table; buttons choose."""
  shown = [
    m for m in measures if any(m.name in x.buckets[ALL] for x in methods)
  ]
  leading = next((m.name for m in shown if m.name == LEADING), shown[0].name)
  buttons = "".join(
    f'<button type="button"{" data-first=1" * (m.name == leading)}>'
    f"{html.escape(m.label)}</button>"
    for m in shown
  )
  panes = "".join(
    f'<div class="pane">{bar_chart(methods, m)}'
    f'<div class="scroll">{score_table(methods, m)}</div></div>'
    for m in shown
  )
  return (
    f'<div class="tabbed card"><div class="tabs">{buttons}</div>{panes}</div>'
  )


def _value(method: Method, bucket: str, measure: Measure) -> float | None:
  return method.buckets.get(bucket, {}).get(measure.name)


def score_table(methods: Sequence[Method], measure: Measure) -> str:
  """Methods x buckets; the best of a column is bold, ties share it."""
  buckets = list(methods[0].buckets)
  arrow = "higher" if measure.higher_is_better else "lower"
  best = {}
  for bucket in buckets:
    values = [_value(m, bucket, measure) for m in methods]
    present = [round(v, measure.digits) for v in values if v is not None]
    if present:
      best[bucket] = (max if measure.higher_is_better else min)(present)
  lines = []
  for method in methods:
    cells = []
    for bucket in buckets:
      value = _value(method, bucket, measure)
      if value is None:
        cells.append("<td>&ndash;</td>")
        continue
      css = round(value, measure.digits) == best[bucket]
      cells.append(
        f"<td{' class=best' * css}>{value:.{measure.digits}f}"
        f"{_spread(method, bucket, measure)}</td>"
      )
    lines.append(
      f"<tr{' class=ours' * method.ours}><td>{dot(method)}{method.name}</td>"
      + "".join(cells)
      + "</tr>"
    )
  counts = "".join(
    f"<td>{methods[0].buckets[bucket]['count']}</td>" for bucket in buckets
  )
  head = "".join(f"<th>{_bucket_label(bucket)}</th>" for bucket in buckets)
  return (
    f"<table><thead><tr><th>{html.escape(measure.label)}, {arrow} is better"
    f"</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    f"<tfoot><tr><td>pictures</td>{counts}</tr></tfoot></table>"
  )


def _spread(method: Method, bucket: str, measure: Measure) -> str:
  interval = method.intervals.get(bucket, {}).get(measure.name)
  if interval is None:
    return ""
  half = (interval[1] - interval[0]) / 2
  return f' <span class="pm">&plusmn;{half:.{measure.digits}f}</span>'


def dot(method: Method) -> str:
  """A square in the colour of the method."""
  return f'<span class="dot" style="background:{method.color}"></span>'


def _bucket_label(bucket: str) -> str:
  if bucket == ALL:
    return "all"
  unit = "classes" if bucket in CLASS_GROUPS else "%"
  return f"{bucket.replace('-', '&ndash;')}&nbsp;{unit}"


def nice_ticks(low: float, high: float) -> list[float]:
  """Three to six round numbers; the first is not above `low`."""
  span = max(high - low, 1e-9)
  decade = 10.0 ** math.floor(math.log10(span))
  step = next(s for s in (0.2, 0.5, 1.0, 2.0, 5.0) if span <= 5 * s * decade)
  step *= decade
  first = math.floor(low / step)
  last = math.floor(high / step)
  return [round(i * step, 10) for i in range(first, last + 1)]


def bar_chart(methods: Sequence[Method], measure: Measure) -> str:
  """Grouped bars per bucket as inline SVG.

  The axis starts at 0 for errors and ratios (below it where one is negative, as
  an unbiased estimate can be), and just below the lowest bar for dB, where 0
  means nothing.
  """
  buckets = list(methods[0].buckets)
  values = [
    v for m in methods for b in buckets
    if (v := _value(m, b, measure)) is not None
  ]  # fmt: skip
  decibel = measure.name.endswith("psnr")
  bottom = min(values) - 1 if decibel else min(0.0, *values)
  ticks = nice_ticks(bottom, max(values))
  low, high = ticks[0], max(ticks[-1], *values, ticks[0] + 1e-9)
  width, height, left, top = 1000, 190, 46, 12
  group = (width - left) / len(buckets)
  bar = min(26.0, group * 0.8 / len(methods))

  def y(value: float) -> float:
    return top + height * (1 - (value - low) / (high - low))

  parts = []
  for tick in ticks:
    parts.append(
      f'<line class="rule" x1="{left}" x2="{width}" y1="{y(tick):.1f}" '
      f'y2="{y(tick):.1f}"/><text x="{left - 8}" y="{y(tick) + 4:.1f}" '
      f'text-anchor="end">{tick:g}</text>'
    )
  for g, bucket in enumerate(buckets):
    middle = left + group * (g + 0.5)
    for i, method in enumerate(methods):
      value = _value(method, bucket, measure)
      if value is None:
        continue
      x = middle + bar * (i - len(methods) / 2)
      parts.append(
        f'<rect x="{x:.1f}" y="{y(value):.1f}" width="{bar * 0.88:.1f}" '
        f'height="{max(y(low) - y(value), 0):.1f}" rx="2" '
        f'fill="{method.color}"><title>{method.name}, {bucket}: '
        f"{value:.{measure.digits}f}</title></rect>"
      )
      parts.append(_whisker(method, bucket, measure, x + bar * 0.44, y, low))
    parts.append(
      f'<text x="{middle:.1f}" y="{top + height + 20}" '
      f'text-anchor="middle">{_bucket_label(bucket)}</text>'
    )
  return (
    f'<svg class="chart" viewBox="0 0 {width} {top + height + 28}" '
    f'role="img" aria-label="{html.escape(measure.label)} per hole size" '
    f'width="100%">{"".join(parts)}</svg>'
  )


def _whisker(
  method: Method,
  bucket: str,
  measure: Measure,
  x: float,
  y: Callable[[float], float],
  low: float,
) -> str:
  """The interval of a bar as a thin line, as far as it is on the chart."""
  interval = method.intervals.get(bucket, {}).get(measure.name)
  if interval is None:
    return ""
  ends = [y(max(value, low)) for value in interval]
  return (
    f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{ends[0]:.1f}" '
    f'y2="{ends[1]:.1f}"/>'
  )
