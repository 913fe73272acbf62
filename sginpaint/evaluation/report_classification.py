"""The report of a classifier: scores, and a table of its attributes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sginpaint.evaluation import report_tables
from sginpaint.evaluation.reading import CORRUPTED
from sginpaint.evaluation.report_methods import label
from sginpaint.evaluation.report_reading import score_card, write_page
from sginpaint.evaluation.report_tables import percent


def write_report(
  path: str | Path, *, metrics: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    metrics: contents of metrics.json.
    config: all settings of training and evaluation.
  """
  cards = [
    score_card(
      f"{title}: {name}",
      section["metrics"]["all"][key],
      section["baselines"]["prevalence"]["all"][key],
      "if every picture were given the shares of the split",
    )
    for title, section in _sections(metrics).items()
    for key, name in (("map", "Mean average precision"), ("accuracy", "Right"))
    if key in section["metrics"]["all"]
  ]
  write_page(
    path,
    "Attributes, evaluated",
    metrics,
    config,
    lead=f", {len(metrics['attributes'])} attributes. What is not known of a "
    "picture is left out.",
    cards=cards,
    parts=[_attributes(metrics)],
  )


def _sections(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
  """{title: part of metrics.json} of whole and, if there, corrupted ones."""
  found = {"Whole pictures": metrics}
  if CORRUPTED in metrics:
    found["With holes"] = metrics[CORRUPTED]
  return found


def _attributes(metrics: Mapping[str, Any]) -> str:
  found = _sections(metrics)
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
