"""What the answers to a study say, for the terminal and as a page."""

import html
from pathlib import Path

from sginpaint.evaluation import report_style
from sginpaint.evaluation.report_tables import line, table
from sginpaint.evaluation.results import ALL
from sginpaint.evaluation.study_tally import (
  Matrix,
  Preference,
  Tally,
  to_json,
)
from sginpaint.files import write_atomically, write_json


def to_text(found: Tally) -> str:
  """For the terminal."""
  lines = [f"{found.answers} answers of {found.raters} people"]
  for stratum, matrix in found.strata.items():
    lines.append(f"{stratum}:")
    for (one, other), p in matrix.items():
      told = "undecided"
      if p.share is not None and p.interval is not None:
        low, high = p.interval
        told = f"{p.share:.0%} [{low:.0%}, {high:.0%}]"
      lines.append(
        f"  {one} preferred to {other}: {told} ({p.wins} : {p.losses}, "
        f"{p.same} no difference)"
      )
  return "\n".join(lines)


def save(found: Tally, output_dir: str | Path) -> None:
  """Writes preferences.html and preferences.json."""
  folder = Path(output_dir)
  parts = [
    "<h1>Which looked better</h1>",
    f'<p class="lead">{found.answers} answers of {found.raters} people. Each '
    "cell: how often the method of the line was preferred to that of the "
    "column, of the decided answers, with the 95 % interval (Wilson), then "
    "answers for the line, for the column, and for neither. "
    f"{_sides(found)}</p>",
  ]
  for stratum, matrix in found.strata.items():
    name = "All pictures" if stratum == ALL else html.escape(stratum)
    parts.append(
      f'<h2>{name}</h2><div class="card">{_table(found, matrix)}</div>'
    )
  page = report_style.page("Which looked better", "\n".join(parts))
  write_atomically(folder / "preferences.html", page)
  write_json(folder / "preferences.json", to_json(found))


def _sides(found: Tally) -> str:
  if found.left is None:
    return ""
  return f"The left picture was chosen in {found.left:.0%} of them."


def _table(found: Tally, matrix: Matrix) -> str:
  lines = []
  for one in found.methods:
    cells = []
    for other in found.methods:
      preference = matrix.get((one, other))
      if preference is None and (other, one) in matrix:
        preference = matrix[other, one].turned
      cells.append(_cell(preference))
    lines.append(line(html.escape(one), cells))
  return table(("Preferred to", *map(html.escape, found.methods)), lines)


def _cell(preference: Preference | None) -> str:
  if preference is None:
    return ""
  counts = f"{preference.wins} : {preference.losses}, {preference.same} same"
  if preference.share is None or preference.interval is None:
    return f'<span class="pm">{counts}</span>'
  low, high = preference.interval
  css = "up" if low > 0.5 else "down" if high < 0.5 else "even"
  return (
    f'<span class="{css}">{preference.share:.0%}</span> <span class="pm">'
    f"[{low:.0%}, {high:.0%}]<br>{counts}</span>"
  )
