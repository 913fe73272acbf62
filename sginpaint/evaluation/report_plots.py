"""Plots of the report as inline SVG: scatter, reliability diagram, curves."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from sginpaint.evaluation.report_ticks import nice_ticks

_WIDTH, _HEIGHT = 480, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 48  # margins


class _Axes:
  """Two labelled axes; places points between them."""

  def __init__(
    self,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    x_label: str,
    y_label: str,
  ):
    self._x, self._y = x, y
    self._x_label, self._y_label = html.escape(x_label), html.escape(y_label)

  def at(self, x: float, y: float) -> tuple[float, float]:
    """Pixels of a point."""
    across = (x - self._x[0]) / (self._x[1] - self._x[0])
    up = (y - self._y[0]) / (self._y[1] - self._y[0])
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    return _LEFT + across * width, _TOP + (1 - up) * height

  def svg(self, drawn: str) -> str:
    """The plot; `drawn` lies over the grid."""
    lines = []
    for tick in _within(self._x):
      x, bottom = self.at(tick, self._y[0])
      lines.append(
        f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" '
        f'y2="{bottom:.1f}"/><text x="{x:.1f}" y="{bottom + 17:.1f}" '
        f'text-anchor="middle">{tick:g}</text>'
      )
    for tick in _within(self._y):
      left, y = self.at(self._x[0], tick)
      lines.append(
        f'<line class="rule" x1="{left:.1f}" x2="{_WIDTH - _RIGHT}" '
        f'y1="{y:.1f}" y2="{y:.1f}"/><text x="{left - 8:.1f}" '
        f'y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
      )
    middle = (_HEIGHT - _BOTTOM + _TOP) / 2
    return (
      f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" '
      f'role="img" aria-label="{self._y_label} against {self._x_label}">'
      f"{''.join(lines)}{drawn}"
      f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" '
      f'text-anchor="middle">{self._x_label}</text>'
      f'<text transform="translate(14 {middle}) rotate(-90)" '
      f'text-anchor="middle">{self._y_label}</text></svg>'
    )


def scatter(
  points: Sequence[tuple[float, float]],
  *,
  color: str,
  x_label: str,
  y_label: str,
) -> str:
  """A dot per point.

  Args:
    points: at least one.
    color: of the dots.
    x_label: of the first coordinate.
    y_label: of the second.
  """
  x, y = ([p[axis] for p in points] for axis in (0, 1))
  axes = _Axes(_range(x), _range(y), x_label=x_label, y_label=y_label)
  dots = []
  for point in points:
    left, top = axes.at(*point)
    dots.append(
      f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3.5" fill="{color}" '
      f'fill-opacity="0.55"><title>{point[0]:.3f}, {point[1]:.4f}</title>'
      "</circle>"
    )
  return axes.svg("".join(dots))


def reliability_diagram(
  bins: Sequence[Mapping[str, Any]], *, color: str
) -> str:
  """Bars: how often labels are right at each confidence; dashed: as often.

  Args:
    bins: {"low", "high", "pixels", "confidence", "accuracy"} each, the last
      two None in an empty one.
    color: of the bars; the more pixels one has, the fuller.
  """
  axes = _Axes(
    (0.0, 1.0), (0.0, 1.0), x_label="confidence", y_label="share that is right"
  )
  most = max((b["pixels"] for b in bins), default=0)
  bars = []
  for b in bins:
    if not b["pixels"]:
      continue
    left, top = axes.at(b["low"], b["accuracy"])
    right, bottom = axes.at(b["high"], 0.0)
    bars.append(
      f'<rect x="{left + 0.5:.1f}" y="{top:.1f}" '
      f'width="{right - left - 1:.1f}" height="{bottom - top:.1f}" '
      f'fill="{color}" fill-opacity="{0.25 + 0.65 * b["pixels"] / most:.2f}">'
      f"<title>confidence {b['confidence']:.3f}: {b['accuracy']:.1%} of "
      f"{b['pixels']} pixels are right</title></rect>"
    )
  (x1, y1), (x2, y2) = axes.at(0, 0), axes.at(1, 1)
  diagonal = (
    f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
    'stroke="currentColor" stroke-dasharray="5 4" stroke-opacity="0.6"/>'
  )
  return axes.svg("".join(bars) + diagonal)


# Of one method: its colour, and (step, mean, its interval or None).
Line = tuple[str, Sequence[tuple[int, float, Sequence[float] | None]]]


def curves(lines: Mapping[str, Line], *, y_label: str) -> str:
  """A line per method over the steps of its training, intervals behind it.

  Args:
    lines: {name, escaped: line}, at least one point among them.
    y_label: of the means.
  """
  points = [point for _, found in lines.values() for point in found]
  ends = [v for _, mean, interval in points for v in (mean, *(interval or ()))]
  axes = _Axes(
    _range([step for step, *_ in points]),
    _range(ends),
    x_label="training step",
    y_label=y_label,
  )
  drawn = []
  for name, (color, found) in lines.items():
    band = [axes.at(s, i[0]) for s, _, i in found if i]
    band += [axes.at(s, i[1]) for s, _, i in reversed(found) if i]
    drawn.append(
      f'<polygon points="{_path(band)}" fill="{color}" fill-opacity="0.13"/>'
      f'<polyline points="{_path([axes.at(s, m) for s, m, _ in found])}" '
      f'fill="none" stroke="{color}" stroke-width="2"/>'
    )
    for step, mean, interval in found:
      x, y = axes.at(step, mean)
      if interval and len(found) == 1:  # a band of no width
        whisker = " ".join(
          f'y{k}="{axes.at(step, v)[1]:.1f}"' for k, v in enumerate(interval, 1)
        )
        drawn.append(
          f'<line x1="{x:.1f}" x2="{x:.1f}" {whisker} stroke="{color}" '
          'stroke-opacity="0.4" stroke-width="2"/>'
        )
      drawn.append(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"><title>'
        f"{name}, step {step:,}: {mean:.4f}</title></circle>"
      )
  return axes.svg("".join(drawn))


def _path(points: Sequence[tuple[float, float]]) -> str:
  return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _range(values: Sequence[float]) -> tuple[float, float]:
  """A little wider than the values."""
  low, high = min(values), max(values)
  margin = 0.06 * (high - low) or 0.05
  return low - margin, high + margin


def _within(limits: tuple[float, float]) -> list[float]:
  low, high = limits
  return [t for t in nice_ticks(low, high) if low <= t <= high + 1e-9]
