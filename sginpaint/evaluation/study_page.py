"""The page of a study: one file that needs no network and keeps the answers.

Answers stay in the browser until they are saved, as JSON or CSV, to be sent
back and counted (study_tally.py).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.evaluation.report_pictures import embed
from sginpaint.evaluation.results import SYSTEM, Panel
from sginpaint.evaluation.study import Question, hide
from sginpaint.evaluation.study_script import CSS, HTML, JS
from sginpaint.evaluation.visualize import with_hole
from sginpaint.files import write_atomically


def write_study(
  path: Path,
  questions: Sequence[Question],
  panels: Mapping[str, Mapping[int, Panel]],
  *,
  identity: str,
) -> None:
  """Writes the page.

  Args:
    path: of the HTML file.
    questions: in the order in which they are asked.
    panels: {method: {index of the picture: panel}}.
    identity: of the study.
  """
  study = {
    "study": identity,
    "questions": [_item(question, panels) for question in questions],
  }
  # `</script>` in a name would end the element.
  data = json.dumps(study).replace("<", "\\u003c")
  page = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    f"<title>Which looks better?</title><style>{CSS}</style></head>\n<body>"
    f'{HTML}<script type="application/json" id="study">{data}</script>'
    f"<script>{JS}</script></body></html>\n"
  )
  write_atomically(path, page)


def _item(
  question: Question, panels: Mapping[str, Mapping[int, Panel]]
) -> dict[str, Any]:
  left = panels[question.left][question.index]
  right = panels[question.right][question.index]
  return {
    "question": question.id,
    "image": left.row.image,
    "ratio": round(left.row.ratio, 6),
    "classes": left.row.classes or "",
    "left": hide(question.id, question.left),
    "right": hide(question.id, question.right),
    "pictures": [
      embed(left.fills[SYSTEM]),
      embed(with_hole(left.truth, left.mask)),
      embed(right.fills[SYSTEM]),
    ],
  }
