"""What the reports of a classifier and of a segmenter have in common.

One HTML file like the report of an inpainting system; nothing is loaded from
anywhere.
"""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.evaluation import report_style
from sginpaint.evaluation.report import provenance_card
from sginpaint.evaluation.report_tables import percent
from sginpaint.files import write_atomically


def write_page(
  path: str | Path,
  title: str,
  metrics: Mapping[str, Any],
  config: Mapping[str, Any],
  *,
  lead: str,
  cards: Sequence[str],
  parts: Sequence[str],
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    title: of the page.
    metrics: contents of metrics.json.
    config: all settings of training and evaluation.
    lead: text behind which pictures there are.
    cards: HTML of the scores under it.
    parts: HTML of what follows, before what was run.
  """
  where = metrics["provenance"]
  what = (
    f"{metrics['count']} pictures of {where['data']} ({where['split']}, "
    f"{where['image_size']} px){lead}"
  )
  name = f"{where['system']}, step {metrics['step']}"
  facts = {
    "step": metrics["step"],
    "protocol": metrics["protocol"],
    "masks": metrics["masks"],
    **where,
  }
  body = [
    f'<h1>{title}</h1><p class="lead">{html.escape(what)}</p>'
    f'<div class="cards">{"".join(cards)}</div>',
    *parts,
    "<h2>What was run</h2>",
    provenance_card(html.escape(name), facts, config),
  ]
  page = report_style.page(title, "\n".join(body))
  write_atomically(Path(path), page)


def score_card(title: str, score: float, constant: float, what: str) -> str:
  """A score beside that of a constant answer.

  Args:
    title: of the card.
    score: a share.
    constant: the same score of the answer that never changes.
    what: that answer, in words.
  """
  return (
    f'<div class="card"><h3>{title}</h3><div class="big">{percent(score)} '
    f'<span class="unit">%</span></div><p>{percent(constant)} % {what}</p>'
    "</div>"
  )
