"""What the report shows of the random edits of one checkpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from sginpaint.evaluation.controllability import (
  EDITED,
  EDITS,
  MAJORITY,
  UNGUIDED,
  UNGUIDED_MAJORITY,
)
from sginpaint.evaluation.gallery import (
  EDIT_FILL,
  EDIT_READ,
  EDIT_TOLD,
  JUDGED,
)
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_tables import class_name, line, percent, table
from sginpaint.evaluation.results import SYSTEM, Panel
from sginpaint.evaluation.visualize import with_hole

_COLUMNS = {
  EDITED: "Edited class, %",
  UNGUIDED: "Without the edit, %",
  MAJORITY: "Majority, %",
  UNGUIDED_MAJORITY: "Majority without, %",
}


def edit_table(
  section: Mapping[str, Any], colours: Mapping[str, Sequence[int]]
) -> str:
  """A line for all edits and one per class asked for, "" without any.

  Args:
    section: of metrics.json.
    colours: {class: RGB}.
  """
  if EDITS not in section:
    return ""
  lines = [line("All", _cells(section))]
  lines += [
    line(class_name(name, colours[name]), _cells(scores))
    for name, scores in section["by_class"].items()
  ]
  return table(("Class asked for", "Edits", *_COLUMNS.values()), lines)


def _cells(scores: Mapping[str, Any]) -> list[str]:
  # A system that takes no map has no score of the first kind.
  shown = [percent(scores.get(name)) for name in _COLUMNS]
  return [f"{scores[EDITS]:,}", *shown]


def edit_strip(panel: Panel) -> str:
  """The first edit of a picture; "" where there is none.

  Args:
    panel: with the details of an edit.
  """
  details = panel.details
  if EDIT_TOLD not in details:
    return ""
  shown = (
    ("Input", with_hole(panel.truth, panel.mask)),
    ("Map that is asked for", details[EDIT_TOLD]),
    ("Fill", details.get(EDIT_FILL)),
    ("Segmenter on it", details.get(EDIT_READ)),
    ("Fill without the edit", panel.fills[SYSTEM]),
    ("Segmenter on it", details[JUDGED + SYSTEM]),
  )
  figures = "".join(
    figure(picture, f"<b>{name}</b>")
    for name, picture in shown
    if picture is not None
  )
  return f'<div class="strip"><div class="row">{figures}</div></div>'
