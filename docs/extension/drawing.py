"""Block diagrams as SVG: boxes on a grid, arrows between their sides.

Colours and fonts are classes that `_static/site.css` fills in, so that one
drawing serves the light and the dark page.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

CELL = (176, 96)  # pixels from box to box
_LINE = 15  # pixels from one line of a box to the next
_MARGIN = 14
_LEGEND = (
  ("stage", "trained network"),
  ("guidance", "meaning that guides"),
  ("data", "picture or features"),
  ("training", "in training only"),
)


@dataclasses.dataclass(frozen=True)
class Box:
  """A labelled rectangle.

  Attributes:
    x: column of its centre.
    y: row of its centre.
    title: first line, bold.
    lines: the others.
    kind: of `_LEGEND`.
    width: pixels.
  """

  x: float
  y: float
  title: str
  lines: Sequence[str] = ()
  kind: str = "stage"
  width: int = 142

  @property
  def height(self) -> int:
    """Pixels, as many as its lines need."""
    return _LINE * (1 + len(self.lines)) + 16

  def side(self, name: str, shift: float = 0) -> tuple[float, float]:
    """Middle of the side `left`, `right`, `top` or `bottom`, moved along it."""
    x, y = self.x * CELL[0], self.y * CELL[1]
    across = {"left": -1, "right": 1}.get(name, 0) * self.width / 2
    down = {"top": -1, "bottom": 1}.get(name, 0) * self.height / 2
    along = (shift, 0) if across == 0 else (0, shift)
    return x + across + along[0], y + down + along[1]


@dataclasses.dataclass(frozen=True)
class Arrow:
  """From a side of one box to a side of another, by right angles.

  Attributes:
    start: name of a box and its side, "encoder.right".
    end: likewise.
    label: beside its longest part.
    kind: "" or "guidance" or "training".
    shift: pixels that its ends are moved along their sides.
    turn: where it turns, as a share of the way.
    label_at: pixels that the label is moved by.
  """

  start: str
  end: str
  label: str = ""
  kind: str = ""
  shift: tuple[float, float] = (0, 0)
  turn: float = 0.5
  label_at: tuple[float, float] = (0, 0)


def draw(
  boxes: Mapping[str, Box], arrows: Sequence[Arrow], *, title: str
) -> str:
  """The SVG element.

  Args:
    boxes: by the names that arrows call them.
    arrows: drawn below the boxes.
    title: for those who cannot see it.

  Raises:
    KeyError: an arrow names no box.
  """
  corners = [b.side(s) for b in boxes.values() for s in ("left", "right")]
  heights = [b.side(s)[1] for b in boxes.values() for s in ("top", "bottom")]
  left = min(x for x, _ in corners) - _MARGIN
  top = min(heights) - _MARGIN
  width = max(x for x, _ in corners) + _MARGIN - left
  height = max(heights) + 3 * _MARGIN + 10 - top
  parts = [
    f'<svg class="network" role="img" viewBox="{left:.0f} {top:.0f} '
    f'{width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg">',
    f"<title>{escape(title)}</title>",
    *_heads(),
    *(_arrow(arrow, boxes) for arrow in arrows),
    *(_box(box) for box in boxes.values()),
    *(_label(arrow, boxes) for arrow in arrows if arrow.label),
    _legend(left + _MARGIN, top + height - _MARGIN - 4, boxes),
    "</svg>",
  ]
  return "\n".join(parts) + "\n"


def _heads() -> list[str]:
  """Arrow heads, one of each colour."""
  return [
    f'<marker id="head-{kind}" class="{kind}" viewBox="0 0 8 8" refX="7" '
    'refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker>'
    for kind in ("plain", "guidance", "training")
  ]


def _points(
  arrow: Arrow, boxes: Mapping[str, Box]
) -> list[tuple[float, float]]:
  ends = []
  for end, shift in zip((arrow.start, arrow.end), arrow.shift, strict=True):
    name, side = end.split(".")
    ends.append(boxes[name].side(side, shift))
  (x, y), (u, v) = ends
  flat_start = arrow.start.endswith((".left", ".right"))
  flat_end = arrow.end.endswith((".left", ".right"))
  if flat_start != flat_end:
    return [(x, y), (u, y) if flat_start else (x, v), (u, v)]
  if flat_start:
    turn = x + (u - x) * arrow.turn
    return [(x, y), (turn, y), (turn, v), (u, v)]
  turn = y + (v - y) * arrow.turn
  return [(x, y), (x, turn), (u, turn), (u, v)]


def _arrow(arrow: Arrow, boxes: Mapping[str, Box]) -> str:
  path = " ".join(f"{x:.0f},{y:.0f}" for x, y in _points(arrow, boxes))
  kind = arrow.kind or "plain"
  return (
    f'<polyline class="arrow {kind}" points="{path}" '
    f'marker-end="url(#head-{kind})"/>'
  )


def _label(arrow: Arrow, boxes: Mapping[str, Box]) -> str:
  points = _points(arrow, boxes)
  pieces = list(zip(points, points[1:], strict=False))
  (x, y), (u, v) = max(
    pieces, key=lambda p: abs(p[0][0] - p[1][0]) + abs(p[0][1] - p[1][1])
  )
  flat = abs(u - x) > abs(v - y)
  place = ((x + u) / 2, y - 6) if flat else (x + 6, (y + v) / 2 + 4)
  anchor = "middle" if flat else "start"
  at_x, at_y = (p + d for p, d in zip(place, arrow.label_at, strict=True))
  return (
    f'<text class="label {arrow.kind or "plain"}" x="{at_x:.0f}" '
    f'y="{at_y:.0f}" text-anchor="{anchor}">{escape(arrow.label)}</text>'
  )


def _box(box: Box) -> str:
  x, y = box.side("left")[0], box.side("top")[1]
  middle = box.x * CELL[0]
  text = [
    f'<text class="title" x="{middle:.0f}" y="{y + 20:.0f}" '
    f'text-anchor="middle">{escape(box.title)}</text>'
  ]
  for i, line in enumerate(box.lines, 1):
    text.append(
      f'<text x="{middle:.0f}" y="{y + 20 + i * _LINE:.0f}" '
      f'text-anchor="middle">{escape(line)}</text>'
    )
  return (
    f'<g class="box {box.kind}"><rect x="{x:.0f}" y="{y:.0f}" '
    f'width="{box.width}" height="{box.height}" rx="6"/>{"".join(text)}</g>'
  )


def _legend(x: float, y: float, boxes: Mapping[str, Box]) -> str:
  kinds = {box.kind for box in boxes.values()}
  parts = []
  for kind, text in _LEGEND:
    if kind in kinds:
      parts.append(
        f'<g class="box {kind}"><rect x="{x:.0f}" y="{y - 10:.0f}" width="18" '
        f'height="12" rx="3"/><text x="{x + 24:.0f}" y="{y:.0f}">{text}'
        "</text></g>"
      )
      x += 52 + 6.2 * len(text)
  return "".join(parts)
