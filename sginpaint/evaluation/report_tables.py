"""Tables of the report, and the numbers in them, as HTML text."""

from collections.abc import Sequence

from sginpaint.evaluation.report_methods import label


def percent(value: float | None) -> str:
  """A share in percent; None is a dash."""
  return "&ndash;" if value is None else f"{100 * value:.1f}"


def number(value: float | None, digits: int) -> str:
  """With that many digits behind the point; None is a dash."""
  return "&ndash;" if value is None else f"{value:.{digits}f}"


def line(name: str, cells: Sequence[str]) -> str:
  """A line of a table; `name` and `cells` are escaped."""
  inner = "".join(f"<td>{cell}</td>" for cell in cells)
  return f"<tr><td>{name}</td>{inner}</tr>"


def class_name(name: str, colour: Sequence[int]) -> str:
  """A class behind a dot of its colour, RGB."""
  css = "#{:02x}{:02x}{:02x}".format(*colour)
  return f'<span class="dot" style="background:{css}"></span>{label(name)}'


def table(titles: Sequence[str], lines: Sequence[str]) -> str:
  """A table of `line`s under their titles."""
  head = "".join(f"<th>{title}</th>" for title in titles)
  return (
    f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
    f"<tbody>{''.join(lines)}</tbody></table></div>"
  )
