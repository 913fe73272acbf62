"""The report of a segmenter: scores, a table of classes, pictures."""

import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.data.classes import ClassInfo
from sginpaint.evaluation.label_panels import LabelPanel
from sginpaint.evaluation.reading import CORRUPTED
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_reading import score_card, write_page
from sginpaint.evaluation.report_tables import (
  class_name,
  line,
  percent,
  table,
)


def write_report(
  path: str | Path,
  *,
  metrics: Mapping[str, Any],
  classes: Sequence[ClassInfo],
  panels: Sequence[LabelPanel],
  config: Mapping[str, Any],
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    metrics: contents of metrics.json.
    classes: in order of their indices.
    panels: pictures drawn blindly.
    config: all settings of training and evaluation.
  """
  cards = _cards(metrics, "", "")
  if CORRUPTED in metrics:
    cards += _cards(metrics[CORRUPTED], "", " with holes")
    cards += _cards(metrics[CORRUPTED], "hole_", " inside the holes")
  write_page(
    path,
    "Segmentation, evaluated",
    metrics,
    config,
    lead=". Scores are taken over all labelled pixels of the split together.",
    cards=cards,
    parts=[_classes(metrics, classes), _pictures(panels)],
  )


def _cards(section: Mapping[str, Any], area: str, where: str) -> list[str]:
  """Scores of an area beside those of the most common class, if it has any."""
  scores = section["metrics"]["all"]
  constant = section["baselines"]["most_common"]["all"]
  return [
    score_card(
      f"{name}{where}",
      scores[area + key],
      constant[area + key],
      "if every pixel were the most common class",
    )
    for key, name in (
      ("miou", "Mean IoU"),
      ("pixel_accuracy", "Pixel accuracy"),
      ("mean_accuracy", "Mean accuracy of classes"),
    )
    if area + key in scores
  ]


def _classes(metrics: Mapping[str, Any], classes: Sequence[ClassInfo]) -> str:
  found = metrics["classes"]
  corrupted = metrics.get(CORRUPTED, {}).get("classes")
  total = sum(c["true_pixels"] for c in found.values())
  titles = ["Class", "IoU, %", "Accuracy, %", "True, %", "Predicted, %"]
  if corrupted:
    titles += ["With holes: IoU, %", "Inside: IoU, %"]
  lines = []
  for info in classes:
    scores = found[info.name]
    cells = [
      percent(scores["iou"]),
      percent(scores["accuracy"]),
      percent(scores["true_pixels"] / total),
      percent(scores["predicted_pixels"] / total),
    ]
    if corrupted:
      own = corrupted[info.name]
      cells += [percent(own["iou"]), percent(own["hole_iou"])]
    lines.append(line(class_name(info.name, info.colour), cells))
  absent = metrics["classes_absent"]
  note = (
    "IoU: pixels that are rightly given a class / all that are it or got it."
  )
  if absent:
    note += (
      f" {absent} of {len(classes)} classes are neither in the truth nor in "
      "the prediction; they are left out of the means."
    )
  return f'<h2>Classes</h2><p class="note">{note}</p>{table(titles, lines)}'


def _pictures(panels: Sequence[LabelPanel]) -> str:
  if not panels:
    return ""
  strips = "".join(
    '<div class="strip"><div class="row">'
    + figure(p.image, f"<b>Picture</b><br>{html.escape(p.name)}")
    + figure(p.truth, "<b>Truth</b>", "truth")
    + figure(p.prediction, f"<b>Prediction</b><br>{_right(p.accuracy)}", "peek")
    + _holed(p)
    + "</div></div>"
    for p in panels
  )
  return (
    "<h2>Pictures, drawn blindly</h2>"
    '<p class="note">Chosen by the seed before anything was predicted, in the '
    "colours of the table; what the truth leaves open is nearly black. Point "
    f"at a prediction to see the truth in its place.</p>{strips}"
  )


def _holed(panel: LabelPanel) -> str:
  if panel.corrupted is None or panel.guess is None:
    return ""
  right = _right(panel.hole_accuracy)
  return figure(panel.corrupted, "<b>With its hole</b>") + figure(
    panel.guess, f"<b>Prediction</b><br>in the hole {right}", "peek"
  )


def _right(accuracy: float) -> str:
  if math.isnan(accuracy):
    return "nothing labelled"
  return f"{accuracy:.1%} right"
