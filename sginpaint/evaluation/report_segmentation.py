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
from sginpaint.evaluation.report import provenance_card
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_scores import label
from sginpaint.evaluation.report_tables import percent
from sginpaint.evaluation.visualize import color_labels, grid
from sginpaint.files import write_atomically

_GRID_ROWS = 8


@dataclasses.dataclass(frozen=True)
class LabelPanel:
  """One picture with its truth and what was predicted, in class colours.

  Attributes:
    name: of the picture.
    accuracy: share of its labelled pixels that are right; NaN without labels.
    image: uint8 [H, W, 3].
    truth: uint8 [H, W, 3]; ignored pixels are nearly black.
    prediction: uint8 [H, W, 3].
  """

  name: str
  accuracy: float
  image: np.ndarray
  truth: np.ndarray
  prediction: np.ndarray

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


def panel_grid(panels: Sequence[LabelPanel]) -> np.ndarray:
  """uint8 picture: picture | truth | prediction, of the first panels."""
  rows = [[p.image, p.truth, p.prediction] for p in panels[:_GRID_ROWS]]
  return grid(rows, ["picture", "truth", "prediction"])


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
  scores = metrics["metrics"]["all"]
  constant = metrics["baselines"]["most_common"]["all"]
  what = (
    f"{metrics['count']} pictures of {where['data']} ({where['split']}, "
    f"{where['image_size']} px). Scores are taken over all labelled pixels "
    "of the split together."
  )
  cards = "".join(
    f'<div class="card"><h3>{name}</h3><div class="big">{100 * scores[key]:.1f}'
    f' <span class="unit">%</span></div><p>{100 * constant[key]:.1f} % if '
    "every pixel were the most common class</p></div>"
    for key, name in (
      ("miou", "Mean IoU"),
      ("pixel_accuracy", "Pixel accuracy"),
      ("mean_accuracy", "Mean accuracy of classes"),
    )
  )
  return (
    f'<h1>{title}</h1><p class="lead">{html.escape(what)}</p>'
    f'<div class="cards">{cards}</div>'
  )


def _classes(metrics: Mapping[str, Any], classes: Sequence[ClassInfo]) -> str:
  found = metrics["classes"]
  total = sum(c["true_pixels"] for c in found.values())
  lines = []
  for info in classes:
    scores = found[info.name]
    cells = (
      percent(scores["iou"]),
      percent(scores["accuracy"]),
      percent(scores["true_pixels"] / total),
      percent(scores["predicted_pixels"] / total),
    )
    colour = "#{:02x}{:02x}{:02x}".format(*info.colour)
    lines.append(
      f'<tr><td><span class="dot" style="background:{colour}"></span>'
      f"{label(info.name)}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
    )
  absent = metrics["classes_absent"]
  note = (
    "IoU: pixels that are rightly given a class / all that are it or got it."
  )
  if absent:
    note += (
      f" {absent} of {len(classes)} classes are neither in the truth nor in "
      "the prediction; they are left out of the means."
    )
  head = "".join(
    f"<th>{text}</th>"
    for text in ("Class", "IoU, %", "Accuracy, %", "True, %", "Predicted, %")
  )
  return (
    f'<h2>Classes</h2><p class="note">{note}</p><div class="scroll"><table>'
    f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    "</div>"
  )


def _pictures(panels: Sequence[LabelPanel]) -> str:
  if not panels:
    return ""
  strips = "".join(
    '<div class="strip"><div class="row">'
    + figure(p.image, f"<b>Picture</b><br>{html.escape(p.name)}")
    + figure(p.truth, "<b>Truth</b>", "truth")
    + figure(p.prediction, f"<b>Prediction</b><br>{_right(p)}", "peek")
    + "</div></div>"
    for p in panels
  )
  return (
    "<h2>Pictures, drawn blindly</h2>"
    '<p class="note">Chosen by the seed before anything was predicted, in the '
    "colours of the table; what the truth leaves open is nearly black. Point "
    f"at a prediction to see the truth in its place.</p>{strips}"
  )


def _right(panel: LabelPanel) -> str:
  if math.isnan(panel.accuracy):
    return "nothing labelled"
  return f"{panel.accuracy:.1%} right"
