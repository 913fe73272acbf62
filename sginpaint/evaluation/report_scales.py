"""What the report shows of the scales of one checkpoint."""

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from sginpaint.evaluation.gallery import RISE, TRUE_LABELS
from sginpaint.evaluation.report_methods import label, signed
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_tables import line, number, percent, table
from sginpaint.evaluation.results import Panel
from sginpaint.evaluation.scales import KINDS
from sginpaint.systems.base import name_at

_GAP = "<figure></figure>"


def scale_table(section: Mapping[str, Any]) -> str:
  """A line per scale, of the section in metrics.json."""
  lines = []
  for scores in section["scales"]:
    rise, share = scores.get("rise"), scores.get("rises_in")
    cells = [
      number(scores.get("confidence"), 3),
      "&ndash;" if rise is None else signed(rise, 3),
      "&ndash;" if share is None else f"{share:.0%}",
      percent(scores.get("miou")),
      percent(scores.get("pixel_accuracy")),
      number(scores["hole_mae"], 4),
    ]
    lines.append(line(_scale_name(scores["scale"]), cells))
  titles = (
    "Scale",
    "Confidence",
    "Rise",
    "Pictures in which it rises",
    "Mean IoU, %",
    "Pixel accuracy, %",
    "Hole MAE",
  )
  stated = section.get("statement", "")
  note = f'<p class="note">{html.escape(stated)}</p>' if stated else ""
  return table(titles, lines) + note


def scale_strip(panel: Panel, section: Mapping[str, Any]) -> str:
  """A line per kind of output, a column per scale; the truth beside them."""
  scales = [scores["scale"] for scores in section["scales"]]
  truths = {
    "image": panel.truth,
    "segmentation": panel.details.get(TRUE_LABELS),
  }
  lines = []
  for kind in (*KINDS, RISE):
    shown = [(s, panel.details.get(name_at(kind, s))) for s in scales]
    if all(picture is None for _, picture in shown):
      continue
    figures = [
      _figure(picture, f"<b>{label(kind)}</b>, {_scale_name(s)}")
      for s, picture in shown
    ]
    figures.append(_figure(truths.get(kind), "<b>Truth</b>"))
    lines.append(f'<div class="row">{"".join(figures)}</div>')
  return f'<div class="strip">{"".join(lines)}</div>'


def _scale_name(scale: int) -> str:
  return f"scale {scale}" if scale else "full size"


def _figure(picture: np.ndarray | None, caption: str) -> str:
  """Where there is no picture its place stays empty."""
  return _GAP if picture is None else figure(picture, caption)
