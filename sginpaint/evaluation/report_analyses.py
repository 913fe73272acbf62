"""The analyses' part of the report: labels, confidence, scales.

Every function takes the evaluations that have an analysis and returns HTML
text; what is said follows from metrics.json, the rows and the panels.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sginpaint.evaluation.calibration import Calibration, points
from sginpaint.evaluation.completed_segmentation import (
  OWN_MAP,
  CompletedSegmentation,
)
from sginpaint.evaluation.controllability import Controllability
from sginpaint.evaluation.gallery import JUDGED, TRUE_LABELS
from sginpaint.evaluation.hole_segmentation import NEAREST, HoleSegmentation
from sginpaint.evaluation.report_controllability import edit_strip, edit_table
from sginpaint.evaluation.report_methods import (
  Method,
  Shown,
  dot,
  label,
  signed,
)
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.report_plots import reliability_diagram, scatter
from sginpaint.evaluation.report_reviews import SECTIONS, judge_note
from sginpaint.evaluation.report_scales import scale_strip, scale_table
from sginpaint.evaluation.report_tables import class_name, line, percent, table
from sginpaint.evaluation.results import ALL, SYSTEM, TRUTH, Evaluation, Panel
from sginpaint.evaluation.scales import Scales

_SCORES = ("miou", "pixel_accuracy", "mean_accuracy")
_TITLES = ("Mean IoU, %", "Pixel accuracy, %", "Mean accuracy, %")


def sections(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
  """All analyses of all checkpoints, "" where none was switched on.

  Args:
    evaluations: of the report.
    methods: the lines of the tables, those of the evaluations first.
  """
  parts = []
  for name, (title, note, show) in (_SECTIONS | SECTIONS).items():
    shown: list[Shown] = [
      (e, m, e.metrics["analyses"][name])
      for e, m in zip(evaluations, methods, strict=False)
      if name in e.metrics.get("analyses", {})
    ]
    if shown:
      parts.append(f'<h2>{title}</h2><p class="note">{note}</p>{show(shown)}')
  return "".join(parts)


def _hole_segmentation(shown: Sequence[Shown]) -> str:
  lines, nearest, cards = [], [], []
  for evaluation, method, section in shown:
    if "statement" in section:
      stated = html.escape(section["statement"])
      lines.append(line(f"{dot(method)}{method.name}", [stated]))
      continue
    scores = section["buckets"][ALL]
    lines.append(line(f"{dot(method)}{method.name}", _cells(scores[SYSTEM])))
    nearest = [line("Nearest known label", _cells(scores[NEAREST]))]
    cards.append(
      f"<details><summary>Classes, by {method.name}</summary>"
      f"{_classes(evaluation, section)}</details>"
    )
  overall = table(("In the hole", *_TITLES), [*lines, *nearest])
  return f'<div class="card">{overall}{"".join(cards)}</div>'


def _classes(evaluation: Evaluation, section: Mapping[str, Any]) -> str:
  colours = _colours(evaluation)
  pixels = max(section["buckets"][ALL]["pixels"], 1)
  lines = []
  for name, scores in section["classes"].items():
    cells = (
      scores["iou"],
      scores["nearest_label_iou"],
      scores["accuracy"],
      scores["true_pixels"] / pixels,
      scores["predicted_pixels"] / pixels,
    )
    lines.append(
      line(class_name(name, colours[name]), [percent(value) for value in cells])
    )
  titles = (
    "Class",
    "IoU, %",
    "IoU of nearest label, %",
    "Accuracy, %",
    "True, %",
    "Predicted, %",
  )
  return table(titles, lines)


def _colours(evaluation: Evaluation) -> dict[str, Sequence[int]]:
  classes = evaluation.config["data"]["classes"]
  return {info["name"]: info["colour"] for info in classes}


def _calibration(shown: Sequence[Shown]) -> str:
  return "".join(
    _card(
      method,
      f'<div class="cards">{_scatter(evaluation, method, section)}'
      f"{_diagram(method, section)}</div>",
    )
    for evaluation, method, section in shown
  )


def _card(method: Method, body: str) -> str:
  return (
    f'<div class="card" style="margin-top:14px"><h3>{method.name}</h3>'
    f"{body}</div>"
  )


def _scatter(
  evaluation: Evaluation, method: Method, section: Mapping[str, Any]
) -> str:
  if not section["pictures"]:
    return "<div><p>No picture has a hole.</p></div>"
  values = [
    f"{name} {signed(section[key], 3)}"
    for key, name in (("pearson", "Pearson"), ("spearman", "Spearman"))
    if section[key] is not None
  ]
  plot = scatter(
    points(evaluation.rows),
    color=method.color,
    x_label="mean confidence in the hole",
    y_label="mean absolute error in the hole",
  )
  said = ", ".join(values) or "none: too few pictures, or all alike"
  return (
    f"<div>{plot}<p>Correlation over {section['pictures']} pictures: {said}. "
    "Below 0: the surer, the nearer to the truth.</p></div>"
  )


def _diagram(method: Method, section: Mapping[str, Any]) -> str:
  if "statement" in section:
    return f"<div><p>{html.escape(section['statement'])}</p></div>"
  if not section["pixels"]:
    return "<div><p>No pixel of the holes is labelled.</p></div>"
  plot = reliability_diagram(section["bins"], color=method.color)
  return (
    f"<div>{plot}<p>Expected calibration error "
    f"{100 * section['ece']:.1f} % over {section['pixels']:,} hole pixels. "
    "Bars below the dashed line: surer than right. Full colour: where most "
    "pixels are.</p></div>"
  )


def _scales(shown: Sequence[Shown]) -> str:
  return "".join(
    _card(method, scale_table(section))
    + "".join(scale_strip(p, section) for p in _detailed(evaluation))
    for evaluation, method, section in shown
  )


def _detailed(evaluation: Evaluation) -> list[Panel]:
  """A picture may be there twice, as a sample and as one of the best."""
  return [p for p in evaluation.panels if p.details and p.role == "sample"]


def _controllability(shown: Sequence[Shown]) -> str:
  return "".join(
    _card(method, _network(section) + edit_table(section, _colours(evaluation)))
    + "".join(edit_strip(p) for p in _detailed(evaluation))
    for evaluation, method, section in shown
  )


def _completed_segmentation(shown: Sequence[Shown]) -> str:
  return "".join(
    _card(method, _judged_table(method, section))
    + "".join(_judged_strip(p, method) for p in _detailed(evaluation))
    for evaluation, method, section in shown
  )


def _network(section: Mapping[str, Any]) -> str:
  return judge_note(section["segmenter"], section.get("statement", ""))


def _judged_table(method: Method, section: Mapping[str, Any]) -> str:
  if "statement" in section:
    return _network(section)
  lines = [
    line(_judged_name(name, method), _cells(scores))
    for name, scores in section["buckets"][ALL].items()
  ]
  scores = table(("Labels in the hole", *_TITLES), lines)
  return scores + _network(section)


def _judged_name(name: str, method: Method) -> str:
  return {
    TRUTH: "Segmenter on the true picture",
    OWN_MAP: f"Own map of {method.name}",
    SYSTEM: f"Segmenter on the fill of {method.name}",
  }.get(name, f"Segmenter on the fill of {label(name)}")


def _judged_strip(panel: Panel, method: Method) -> str:
  named = {
    name.removeprefix(JUDGED): picture
    for name, picture in panel.details.items()
    if name.startswith(JUDGED)
  }
  if "segmentation" in panel.details:
    named[OWN_MAP] = panel.details["segmentation"]
  figures = [figure(panel.fills[SYSTEM], f"<b>Fill of {method.name}</b>")]
  if TRUE_LABELS in panel.details:
    figures.append(figure(panel.details[TRUE_LABELS], "<b>True labels</b>"))
  figures += [
    figure(picture, f"<b>{_judged_name(name, method)}</b>")
    for name, picture in named.items()
  ]
  return f'<div class="strip"><div class="row">{"".join(figures)}</div></div>'


def _cells(scores: Mapping[str, Any]) -> list[str]:
  return [percent(scores[name]) for name in _SCORES]


_SECTIONS: dict[str, tuple[str, str, Callable[[Sequence[Shown]], str]]] = {
  HoleSegmentation.NAME: (
    "Labels of the hole",
    "The map that the system predicts itself, over all labelled hole pixels "
    "of all pictures together. It has to beat copying the label of the nearest "
    "labelled pixel outside the hole.",
    _hole_segmentation,
  ),
  Calibration.NAME: (
    "Confidence and truth",
    "Left: one dot per picture. Right: of the hole pixels to which the system "
    "gives its label with some confidence, how many it labels rightly.",
    _calibration,
  ),
  Scales.NAME: (
    "From coarse to fine",
    "Means over the hole; at a coarse scale every cell that touches it. "
    "Pictures are enlarged bilinearly and label maps by repeating cells, and "
    "then compared at full size. Pictures below are the raw predictions, not "
    "pasted into the known pixels; confidence and reliability run from dark "
    "blue (0) to yellow (1), the rise of the confidence since the scale before "
    "from blue (-1) over white to red (+1). How much is called unreliable at a "
    "scale may be a setting; where it lies is not.",
    _scales,
  ),
  Controllability.NAME: (
    "Doing what the map says",
    "Random edits: a region of the hole (outlined) shall show another class "
    "than the true one. A segmenter, trained by itself, reads the filled "
    "picture; scores are shares of the region's pixels that it reads as that "
    "class, means over edits, beside those of the same regions without the "
    "edit. Majority: edits in which these are more than half of the region.",
    _controllability,
  ),
  CompletedSegmentation.NAME: (
    "Filling first, segmenting then",
    "A segmenter, trained by itself, labels the hole after it was filled; the "
    "system labels it while filling. On the true picture the segmenter shows "
    "the most it can do.",
    _completed_segmentation,
  ),
}
