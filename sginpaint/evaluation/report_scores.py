"""The numbers of the report: tables and bar charts per bucket, as HTML text.

Where pictures are parted by the number of their classes, those groups stand for
the buckets.
"""

import html
from collections.abc import Callable, Mapping, Sequence

from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.report_methods import Method, dot
from sginpaint.evaluation.report_ticks import nice_ticks
from sginpaint.evaluation.results import ALL, CLASS_GROUPS, LEADING


def score_tabs(methods: Sequence[Method], measures: Sequence[Measure]) -> str:
  """One pane per measure: chart and table; buttons choose."""
  shown = [
    m for m in measures if any(m.name in x.buckets[ALL] for x in methods)
  ]
  leading = next((m.label for m in shown if m.name == LEADING), "")
  panes = {
    m.label: f"{bar_chart(methods, m)}"
    f'<div class="scroll">{score_table(methods, m)}</div>'
    for m in shown
  }
  return tabs(panes, leading)


def tabs(panes: Mapping[str, str], first: str = "") -> str:
  """A button per pane of HTML in a card; `first` is shown at the start."""
  buttons = "".join(
    f'<button type="button"{" data-first=1" * (name == first)}>'
    f"{html.escape(name)}</button>"
    for name in panes
  )
  inner = "".join(f'<div class="pane">{pane}</div>' for pane in panes.values())
  return (
    f'<div class="tabbed card"><div class="tabs">{buttons}</div>{inner}</div>'
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
        f"{spread(method, bucket, measure)}</td>"
      )
    lines.append(
      f"<tr{' class=ours' * method.ours}><td>{dot(method)}{method.name}</td>"
      + "".join(cells)
      + "</tr>"
    )
  counts = "".join(
    f"<td>{methods[0].buckets[bucket]['count']}</td>" for bucket in buckets
  )
  head = "".join(f"<th>{bucket_label(bucket)}</th>" for bucket in buckets)
  return (
    f"<table><thead><tr><th>{html.escape(measure.label)}, {arrow} is better"
    f"</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    f"<tfoot><tr><td>pictures</td>{counts}</tr></tfoot></table>"
  )


def spread(method: Method, bucket: str, measure: Measure) -> str:
  """Half the width of the interval, as HTML; "" without one."""
  interval = method.intervals.get(bucket, {}).get(measure.name)
  if interval is None:
    return ""
  half = (interval[1] - interval[0]) / 2
  return f' <span class="pm">&plusmn;{half:.{measure.digits}f}</span>'


def bucket_label(bucket: str) -> str:
  """`20-40` -> `20–40 %`, as HTML."""
  if bucket == ALL:
    return "all"
  bucket = bucket.removeprefix("classes ")  # as in comparison.py
  unit = "classes" if bucket in CLASS_GROUPS else "%"
  return f"{bucket.replace('-', '&ndash;')}&nbsp;{unit}"


def _axis(
  methods: Sequence[Method], measure: Measure
) -> tuple[list[float], float, float]:
  """(ticks, lower end, upper end) of `bar_chart`."""
  buckets = list(methods[0].buckets)
  values = [
    v for m in methods for b in buckets
    if (v := _value(m, b, measure)) is not None
  ]  # fmt: skip
  tops = [
    i[measure.name][1]
    for m in methods
    for bucket, i in m.intervals.items()
    if measure.name in i and bucket in buckets
  ]
  decibel = measure.name.endswith("psnr")
  bottom = min(values) - 1 if decibel else min(0.0, *values)
  # Of two or three pictures an interval may dwarf all bars: then it is cut.
  reach = 1.4 * max(values) - 0.4 * bottom
  peak = min(max([*values, *tops]), reach)
  ticks = nice_ticks(bottom, peak)
  return ticks, ticks[0], max(ticks[-1], peak, ticks[0] + 1e-9)


def bar_chart(methods: Sequence[Method], measure: Measure) -> str:
  """Grouped bars per bucket as inline SVG.

  The axis starts at 0 for errors and ratios (below it where one is negative, as
  an unbiased estimate can be), and just below the lowest bar for dB, where 0
  means nothing.
  """
  buckets = list(methods[0].buckets)
  ticks, low, high = _axis(methods, measure)
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
      f'text-anchor="middle">{bucket_label(bucket)}</text>'
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
