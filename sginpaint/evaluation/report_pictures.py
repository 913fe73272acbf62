"""The pictures of the report: sliders, and strips of one picture each.

A strip shows input | result of each checkpoint | truth | intermediates | best
baseline. Everything returns HTML text; pictures are embedded, PNG up to 96 px,
where every pixel shows, JPEG above.
"""

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np

from sginpaint.evaluation.report_methods import Method, label, signed
from sginpaint.evaluation.results import (
  LEADING,
  SYSTEM,
  Evaluation,
  Panel,
  best_baseline,
)
from sginpaint.evaluation.visualize import with_hole

_PNG_UP_TO = 96
_JPEG_QUALITY = 92
_SLIDERS = 4
_SLIDER_RATIO = 0.3  # holes near this size show most


def embed(image: np.ndarray) -> str:
  """A uint8 picture as a data URI."""
  small = max(image.shape[:2]) <= _PNG_UP_TO
  kind, suffix, options = "png", ".png", []
  if not small:
    kind, suffix = "jpeg", ".jpg"
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
  data = cv2.imencode(suffix, image[..., ::-1], options)[1].tobytes()
  return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _samples_of(evaluation: Evaluation) -> list[Panel]:
  return [p for p in evaluation.panels if p.role == "sample"]


def sliders(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
  """Before and after, by the checkpoint with the best score."""
  best = max(
    range(len(evaluations)),
    key=lambda i: methods[i].buckets["all"].get(LEADING, 0.0),
  )
  panels = sorted(
    _samples_of(evaluations[best]),
    key=lambda p: abs(p.row.ratio - _SLIDER_RATIO),
  )[:_SLIDERS]
  if not panels:
    return ""
  figures = "".join(
    f'<figure><div class="slider">'
    f'<img src="{embed(with_hole(p.truth, p.mask))}" alt="input">'
    f'<img class="after" src="{embed(p.fills[SYSTEM])}" alt="result">'
    '<div class="bar"></div><input type="range" min="0" max="100" value="50" '
    'aria-label="input or result"></div><figcaption>'
    f"{p.row.ratio:.0%} missing, {_decibel(p, SYSTEM)}</figcaption></figure>"
    for p in panels
  )
  return (
    "<h2>Before and after</h2>"
    f'<p class="note">Drag the line: damaged on the left, filled by '
    f'{methods[best].name} on the right.</p><div class="sliders">{figures}'
    "</div>"
  )


def samples(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
  """A strip per picture drawn blindly, all checkpoints side by side."""
  others = [{p.row.index: p for p in _samples_of(e)} for e in evaluations]
  strips = "".join(
    _strip([by_index[p.row.index] for by_index in others], evaluations, methods)
    for p in _samples_of(evaluations[0])
    if all(p.row.index in by_index for by_index in others)
  )
  if not strips:
    return ""
  return (
    "<h2>Pictures, drawn blindly</h2>"
    '<p class="note">Chosen by the seed before anything was filled. Point at a '
    "result to see the truth in its place, click to lay two pictures over each "
    "other; the coloured number is the difference to the best baseline. "
    "Feature maps such as the prior are shown by k-means with 6 clusters, one "
    f"colour each.</p>{strips}"
  )


def extremes(evaluation: Evaluation, method: Method) -> str:
  """Strips of the best and the worst fills of one checkpoint."""
  parts = []
  for role, title in (("best", "Best fills"), ("worst", "Worst fills")):
    panels = [p for p in evaluation.panels if p.role == role]
    if panels:
      strips = "".join(_strip([p], [evaluation], [method]) for p in panels)
      parts.append(f"<h2>{title} of {method.name}</h2>{strips}")
  return "".join(parts)


def _strip(
  panels: Sequence[Panel],
  evaluations: Sequence[Evaluation],
  methods: Sequence[Method],
) -> str:
  """input | each result | truth | intermediates | best baseline."""
  first = panels[0]
  baseline = best_baseline(evaluations[0].metrics, LEADING)
  figures = [
    figure(
      with_hole(first.truth, first.mask),
      f"<b>Input</b><br>{first.row.ratio:.0%} missing",
    )
  ]
  for panel, method in zip(panels, methods, strict=False):
    caption = f"<b>{method.name}</b><br>{_decibel(panel, SYSTEM)}"
    if baseline:
      caption += _gain(panel, baseline)
    figures.append(figure(panel.fills[SYSTEM], caption, "peek"))
  figures.append(
    figure(
      first.truth, f"<b>Truth</b><br>{html.escape(first.row.image)}", "truth"
    )
  )
  owner = f"<br>of {methods[len(panels) - 1].name}" if len(panels) > 1 else ""
  figures += [
    figure(picture, f"<b>{label(name)}</b>{owner}")
    for name, picture in panels[-1].extras.items()
  ]
  if baseline:
    figures.append(
      figure(
        first.fills[baseline],
        f"<b>{label(baseline)}</b><br>{_decibel(first, baseline)}",
        "peek",
      )
    )
  return f'<div class="strip"><div class="row">{"".join(figures)}</div></div>'


def figure(image: np.ndarray, caption: str, css: str = "") -> str:
  """A picture over its caption (HTML); `css` is the class of both."""
  return (
    f'<figure class="{css}"><img loading="lazy" src="{embed(image)}" alt="">'
    f"<figcaption>{caption}</figcaption></figure>"
  )


def _decibel(panel: Panel, method: str) -> str:
  value = panel.row.scores[method].get(LEADING, float("nan"))
  return "no hole" if np.isnan(value) else f"{value:.1f} dB"


def _gain(panel: Panel, baseline: str) -> str:
  scores = panel.row.scores
  gain = scores[SYSTEM][LEADING] - scores[baseline][LEADING]
  if np.isnan(gain):
    return ""
  css = "up" if gain > 0 else "down"
  return f' <span class="{css}">{signed(gain, 1)}</span>'
