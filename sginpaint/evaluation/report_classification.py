"""The report of a classifier: scores, and a table of its attributes.

One HTML file like the report of an inpainting system; nothing is loaded from
anywhere.
"""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sginpaint.evaluation import report_style, report_tables
from sginpaint.evaluation.reading import CORRUPTED
from sginpaint.evaluation.report import provenance_card
from sginpaint.evaluation.report_scores import label
from sginpaint.evaluation.report_tables import percent
from sginpaint.files import write_atomically


def write_report(
  path: str | Path, *, metrics: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    metrics: contents of metrics.json.
    config: all settings of training and evaluation.
  """
  title = "Attributes, evaluated"
  name = f"{metrics['provenance']['system']}, step {metrics['step']}"
  facts = {
    "step": metrics["step"],
    "protocol": metrics["protocol"],
    "masks": metrics["masks"],
    **metrics["provenance"],
  }
  body = [
    _opening(title, metrics),
    _attributes(metrics),
    "<h2>What was run</h2>",
    provenance_card(html.escape(name), facts, config),
  ]
  page = report_style.page(title, "\n".join(body))
  write_atomically(Path(path), page)


def sections(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
  """{title: part of metrics.json} of whole and, if there, corrupted ones."""
  found = {"Whole pictures": metrics}
  if CORRUPTED in metrics:
    found["With holes"] = metrics[CORRUPTED]
  return found


def _opening(title: str, metrics: Mapping[str, Any]) -> str:
  where = metrics["provenance"]
  what = (
    f"{metrics['count']} pictures of {where['data']} ({where['split']}, "
    f"{where['image_size']} px), {len(metrics['attributes'])} attributes. "
    "What is not known of a picture is left out."
  )
  cards = "".join(
    _card(title, key, name, section)
    for title, section in sections(metrics).items()
    for key, name in (("map", "Mean average precision"), ("accuracy", "Right"))
    if key in section["metrics"]["all"]
  )
  return (
    f'<h1>{title}</h1><p class="lead">{html.escape(what)}</p>'
    f'<div class="cards">{cards}</div>'
  )


def _card(title: str, key: str, name: str, section: Mapping[str, Any]) -> str:
  score = section["metrics"]["all"][key]
  constant = section["baselines"]["prevalence"]["all"][key]
  return (
    f'<div class="card"><h3>{title}: {name}</h3><div class="big">'
    f'{percent(score)} <span class="unit">%</span></div><p>'
    f"{percent(constant)} % if every picture were given the shares of the "
    "split</p></div>"
  )


def _attributes(metrics: Mapping[str, Any]) -> str:
  found = sections(metrics)
  titles = ["Attribute", "Known", "Present, %"]
  titles += [f"{title}: {what}" for title in found for what in ("AP", "right")]
  lines = []
  for name, scores in metrics["attributes"].items():
    cells = [str(scores["known"]), percent(scores["share"])]
    for section in found.values():
      own = section["attributes"][name]
      cells += [percent(own["ap"]), percent(own["accuracy"])]
    lines.append(report_tables.line(label(name), cells))
  return (
    '<h2>Attributes</h2><p class="note">AP: average precision of the ranking '
    "of the pictures, in percent. Right: share of right decisions at "
    "probability 0.5, in percent. An attribute that no picture has is in no "
    f"mean of AP.</p>{report_tables.table(titles, lines)}"
  )
