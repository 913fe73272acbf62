"""What a comparison shows of differences: cards, a forest plot, all pairs."""

import html
from collections.abc import Callable, Sequence

from sginpaint.evaluation.comparison import Comparison
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.paired import Difference
from sginpaint.evaluation.report_methods import Method, dot, signed
from sginpaint.evaluation.report_scores import bucket_label, tabs
from sginpaint.evaluation.report_tables import line, table
from sginpaint.evaluation.report_ticks import nice_ticks
from sginpaint.evaluation.results import ALL, LEADING

_WIDTH, _LEFT, _RIGHT, _LINE, _GAP = 1000, 130, 20, 18, 12


def card(comparison: Comparison, j: int, methods: Sequence[Method]) -> str:
  """The leading score of method `j`, and what sets it off from the first."""
  contestant, method = comparison.contestants[j], methods[j]
  score = method.buckets[ALL].get(LEADING)
  if score is None:
    return ""
  parts = [
    f'<div class="card"><h3>{dot(method)}{method.name}</h3><div class="big">'
    f'{score:.2f} <span class="unit">dB in the hole</span></div>'
  ]
  first = methods[0].name
  found = comparison.differences[0, j][ALL].get(LEADING) if j else None
  if not j:
    parts.append("<p>the others are held against it</p>")
  elif found is not None:
    told = "" if found.differs else "; not told apart"
    parts.append(
      f"<p>{_signed(found, 2, True)} dB {_ends(found, 2)} against {first}, "
      f"ahead on {found.pictures:.0%} of the pictures{told}</p>"
    )
  if contestant.note:
    parts.append(f"<p>{html.escape(contestant.note)}</p>")
  return "".join(parts) + "</div>"


def _signed(found: Difference, digits: int, higher: bool) -> str:
  """The mean, coloured by whether it is better, if it can be told."""
  css = "even"
  if found.differs:
    css = "up" if (found.mean > 0) == higher else "down"
  return f'<span class="{css}">{signed(found.mean, digits)}</span>'


def _ends(found: Difference, digits: int) -> str:
  ends = f"{signed(found.low, digits)}, {signed(found.high, digits)}"
  return f'<span class="pm">[{ends}]</span>'


def section(comparison: Comparison, methods: Sequence[Method]) -> str:
  """Differences to the first method by hole size, then all pairs."""
  if len(methods) < 2:
    return ""
  shown = [
    m
    for m in comparison.measures
    if any(
      m.name in found[ALL]
      for (i, _), found in comparison.differences.items()
      if i == 0
    )
  ]
  panes = {
    m.label: _forest(comparison, methods, m)
    + _table(comparison, methods, m)
    + _pairs(comparison, methods, m)
    for m in shown
  }
  leading = next((m.label for m in shown if m.name == LEADING), "")
  return (
    f"<h2>Differences to {methods[0].name}</h2>"
    '<p class="note">Picture by picture, then averaged: what makes a picture '
    "hard cancels. Intervals hold the middle 95 % of "
    f"{comparison.resamples:,} resamplings of the pictures (paired bootstrap). "
    "Full dots: the interval leaves 0 out. They say what other pictures would "
    "change, not what another training would; of many intervals one in twenty "
    "misses, and of few pictures they are too narrow.</p>"
    + tabs(panes, leading)
  )


def _to_first(
  comparison: Comparison, measure: Measure
) -> dict[str, dict[int, Difference]]:
  """{bucket: {method: its difference to the first}}."""
  found: dict[str, dict[int, Difference]] = {}
  for (i, j), buckets in comparison.differences.items():
    for bucket, scores in buckets.items() if i == 0 else ():
      if measure.name in scores:
        found.setdefault(bucket, {})[j] = scores[measure.name]
  return {b: found[b] for b in comparison.members if b in found}


def _forest(
  comparison: Comparison, methods: Sequence[Method], measure: Measure
) -> str:
  """A line per method in each bucket, as inline SVG."""
  found = _to_first(comparison, measure)
  ends = [
    v for some in found.values() for d in some.values() for v in (d.low, d.high)
  ]
  ticks = nice_ticks(min(0.0, *ends), max(0.0, *ends))
  low, high = min(0.0, *ends), max(0.0, *ends)
  margin = 0.04 * (high - low) or 1.0
  low, high = low - margin, high + margin

  def x(value: float) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return _LEFT + width * (value - low) / (high - low)

  drawn, top = [], 8.0
  for bucket, some in found.items():
    middle = top + _LINE * len(some) / 2
    drawn.append(
      f'<text class="bucket" x="{_LEFT - 14}" y="{middle + 4:.1f}" '
      f'text-anchor="end">{bucket_label(bucket)}</text>'
    )
    for j, difference in some.items():
      drawn.append(_mark(methods[j], difference, measure, x, top + _LINE / 2))
      top += _LINE
    top += _GAP
  rules = "".join(
    f'<line class="{"rule" if t else "zero"}" x1="{x(t):.1f}" x2="{x(t):.1f}" '
    f'y1="0" y2="{top:.1f}"/><text x="{x(t):.1f}" y="{top + 16:.1f}" '
    f'text-anchor="middle">{t:g}</text>'
    for t in ticks
    if low <= t <= high
  )
  legend = "".join(f"<span>{dot(m)}{m.name}</span>" for m in methods[1:])
  better = "right" if measure.higher_is_better else "left"
  return (
    f'<div class="legend">{legend}<span>better than {methods[0].name}: to the '
    f'{better}</span></div><svg class="chart" role="img" width="100%" '
    f'viewBox="0 0 {_WIDTH} {top + 24:.0f}" aria-label="Differences of '
    f'{html.escape(measure.label)}">{rules}{"".join(drawn)}</svg>'
  )


def _mark(
  method: Method,
  difference: Difference,
  measure: Measure,
  x: Callable[[float], float],
  y: float,
) -> str:
  fill = method.color if difference.differs else "var(--card)"
  digits = measure.digits
  return (
    f'<line x1="{x(difference.low):.1f}" x2="{x(difference.high):.1f}" '
    f'y1="{y:.1f}" y2="{y:.1f}" stroke="{method.color}" stroke-width="2"/>'
    f'<circle cx="{x(difference.mean):.1f}" cy="{y:.1f}" r="4.5" '
    f'stroke="{method.color}" stroke-width="2" fill="{fill}"><title>'
    f"{method.name}: {signed(difference.mean, digits)} "
    f"[{signed(difference.low, digits)}, {signed(difference.high, digits)}], "
    f"{difference.count} pictures</title></circle>"
  )


def _table(
  comparison: Comparison, methods: Sequence[Method], measure: Measure
) -> str:
  found = _to_first(comparison, measure)
  lines = [
    line(
      f"{dot(method)}{method.name}",
      [_cell(some.get(j), measure) for some in found.values()],
    )
    for j, method in enumerate(methods)
    if j
  ]
  titles = (html.escape(measure.label), *map(bucket_label, found))
  return table(titles, lines)


def _cell(found: Difference | None, measure: Measure) -> str:
  if found is None:
    return "&ndash;"
  higher = measure.higher_is_better
  better = found.positive if higher else 1 - found.positive
  return (
    f'<span title="better in {better:.1%} of the resamples">'
    f"{_signed(found, measure.digits, higher)}<br>"
    f"{_ends(found, measure.digits)}</span>"
  )


def _pairs(
  comparison: Comparison, methods: Sequence[Method], measure: Measure
) -> str:
  """Every method minus every other, all pictures together."""
  if len(methods) < 3:
    return ""
  lines = []
  for i, method in enumerate(methods):
    cells = []
    for j in range(len(methods)):
      found = comparison.differences.get((min(i, j), max(i, j)), {}).get(
        ALL, {}
      )
      difference = found.get(measure.name)
      cells.append(_pair(difference, measure, i < j) if i != j else "")
    lines.append(line(f"{dot(method)}{method.name}", cells))
  titles = ("Line minus column", *(m.name for m in methods))
  return (
    "<details><summary>Every pair, all pictures</summary>"
    f"{table(titles, lines)}</details>"
  )


def _pair(found: Difference | None, measure: Measure, turn: bool) -> str:
  if found is not None and turn:
    found = Difference(
      found.count,
      -found.mean,
      -found.high,
      -found.low,
      1 - found.positive,
      1 - found.pictures,
    )
  return _cell(found, measure)
