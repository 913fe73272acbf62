"""The report of a segmenter: scores, a table of classes, pictures.

One HTML file like the report of an inpainting system; nothing is loaded from
anywhere.
"""

import dataclasses
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from sginpaint.data.classes import ClassInfo
from sginpaint.evaluation import report_style
from sginpaint.evaluation.reading import CORRUPTED
from sginpaint.evaluation.report import provenance_card
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_tables import (
  class_name,
  line,
  percent,
  table,
)
from sginpaint.evaluation.visualize import color_labels, grid
from sginpaint.files import write_atomically

_GRID_ROWS = 8


@dataclasses.dataclass(frozen=True)
class LabelPanel:
  """One picture with its truth and what was predicted, in class colours.

  The last three are there where the picture was also read with a hole.

  Attributes:
    name: of the picture.
    accuracy: share of its labelled pixels that are right; NaN without labels.
    image: uint8 [H, W, 3].
    truth: uint8 [H, W, 3]; ignored pixels are nearly black.
    prediction: uint8 [H, W, 3].
    corrupted: uint8 [H, W, 3], the picture with its hole.
    guess: uint8 [H, W, 3], what was predicted of it.
    hole_accuracy: as `accuracy`, inside the hole.
  """

  name: str
  accuracy: float
  image: np.ndarray
  truth: np.ndarray
  prediction: np.ndarray
  corrupted: np.ndarray | None = None
  guess: np.ndarray | None = None
  hole_accuracy: float = math.nan

  @classmethod
  def of(
    cls,
    image: np.ndarray,
    truth: np.ndarray,
    prediction: np.ndarray,
    *,
    name: str,
    accuracy: float,
    colours: np.ndarray,
  ) -> Self:
    """Colours the class indices int [H, W] by `colours` uint8 [K, 3]."""
    return cls(
      name=name,
      accuracy=accuracy,
      image=image,
      truth=color_labels(truth, colours),
      prediction=color_labels(prediction, colours),
    )

  def with_hole(
    self,
    corrupted: np.ndarray,
    guess: np.ndarray,
    *,
    accuracy: float,
    colours: np.ndarray,
  ) -> Self:
    """With what was predicted, int [H, W], of the picture with a hole."""
    return dataclasses.replace(
      self,
      corrupted=corrupted,
      guess=color_labels(guess, colours),
      hole_accuracy=accuracy,
    )


def panel_grid(panels: Sequence[LabelPanel]) -> np.ndarray:
  """uint8 picture: picture | truth | prediction, of the first panels.

  Where there are holes, also: with its hole | prediction of that.
  """
  rows, titles = [], ["picture", "truth", "prediction"]
  for p in panels[:_GRID_ROWS]:
    row = [p.image, p.truth, p.prediction]
    if p.corrupted is not None and p.guess is not None:
      row += [p.corrupted, p.guess]
    rows.append(row)
  if len(rows[0]) > len(titles):
    titles += ["with hole", "prediction"]
  return grid(rows, titles)


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
  title = "Segmentation, evaluated"
  name = f"{metrics['provenance']['system']}, step {metrics['step']}"
  facts = {
    "step": metrics["step"],
    "protocol": metrics["protocol"],
    "masks": metrics["masks"],
    **metrics["provenance"],
  }
  body = [
    _opening(title, metrics),
    _classes(metrics, classes),
    _pictures(panels),
    "<h2>What was run</h2>",
    provenance_card(html.escape(name), facts, config),
  ]
  page = report_style.page(title, "\n".join(body))
  write_atomically(Path(path), page)


def _opening(title: str, metrics: Mapping[str, Any]) -> str:
  where = metrics["provenance"]
  what = (
    f"{metrics['count']} pictures of {where['data']} ({where['split']}, "
    f"{where['image_size']} px). Scores are taken over all labelled pixels "
    "of the split together."
  )
  cards = _card(metrics, "", "")
  if CORRUPTED in metrics:
    cards += _card(metrics[CORRUPTED], "", " with holes")
    cards += _card(metrics[CORRUPTED], "hole_", " inside the holes")
  return (
    f'<h1>{title}</h1><p class="lead">{html.escape(what)}</p>'
    f'<div class="cards">{cards}</div>'
  )


def _card(section: Mapping[str, Any], area: str, where: str) -> str:
  """Scores of an area beside those of the most common class; "" without."""
  scores = section["metrics"]["all"]
  constant = section["baselines"]["most_common"]["all"]
  return "".join(
    f'<div class="card"><h3>{name}{where}</h3>'
    f'<div class="big">{percent(scores[area + key])}'
    f' <span class="unit">%</span></div><p>{percent(constant[area + key])} % '
    "if every pixel were the most common class</p></div>"
    for key, name in (
      ("miou", "Mean IoU"),
      ("pixel_accuracy", "Pixel accuracy"),
      ("mean_accuracy", "Mean accuracy of classes"),
    )
    if area + key in scores
  )


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
