"""The report of one or several evaluations: a single HTML file.

Several checkpoints are shown side by side on the same pictures under the same
holes; they must share protocol and manifest. Pictures are embedded (PNG up to
96 px, where every pixel shows, JPEG above), nothing is loaded from anywhere.
"""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sginpaint.evaluation import report_scores, report_style
from sginpaint.evaluation.report_scores import LEADING, Method, label
from sginpaint.evaluation.results import (
  SYSTEM,
  Evaluation,
  Panel,
  best_baseline,
  write_atomically,
)
from sginpaint.evaluation.visualize import with_hole

_PNG_UP_TO = 96
_JPEG_QUALITY = 92
_SLIDERS = 3
_SLIDER_RATIO = 0.3  # holes near this size show most


def write_report(
  path: str | Path,
  *,
  evaluations: Sequence[Evaluation],
  title: str = "Inpainting, evaluated",
  lead: str = "",
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file; its folder exists.
    evaluations: at least one; their panels are matched by picture.
    title: of the page.
    lead: a paragraph under the title.

  Raises:
    ValueError: the evaluations differ in protocol or in their pairs.
  """
  protocols = {e.protocol.name for e in evaluations}
  manifests = {e.manifest.hash for e in evaluations}
  if len(protocols) != 1 or len(manifests) != 1:
    raise ValueError(
      "evaluations in one report need one protocol and the same pairs of "
      f"pictures and masks; got protocols {sorted(protocols)} and "
      f"{len(manifests)} manifests"
    )
  methods = report_scores.methods_of(evaluations)
  body = [
    _opening(evaluations, methods, title, lead),
    _sliders(evaluations, methods),
    _scores(evaluations, methods),
    _samples(evaluations, methods),
    *(_extremes(e, m) for e, m in zip(evaluations, methods, strict=False)),
    "<h2>What was run</h2>",
    *(_provenance(e, m) for e, m in zip(evaluations, methods, strict=False)),
  ]
  page = report_style.page(html.escape(title), "\n".join(body))
  write_atomically(Path(path), page)


def embed(image: np.ndarray) -> str:
  """A uint8 picture as a data URI."""
  small = max(image.shape[:2]) <= _PNG_UP_TO
  kind, suffix, options = "png", ".png", []
  if not small:
    kind, suffix = "jpeg", ".jpg"
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
  data = cv2.imencode(suffix, image[..., ::-1], options)[1].tobytes()
  return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _opening(
  evaluations: Sequence[Evaluation],
  methods: Sequence[Method],
  title: str,
  lead: str,
) -> str:
  metrics = evaluations[0].metrics
  where = metrics["provenance"]
  what = (
    f"{metrics['count']} pictures of {where['data']} ({where['split']}, "
    f"{where['image_size']} px), {Path(metrics['masks']).name} holes, protocol "
    f"{metrics['protocol']}. Every method fills the same holes in the same "
    "pictures; known pixels stay as they are."
  )
  cards = "".join(map(report_scores.headline, evaluations, methods))
  lead = f'<p class="lead">{html.escape(lead)}</p>' if lead else ""
  return (
    f'<h1>{html.escape(title)}</h1><p class="lead">{html.escape(what)}</p>'
    f'{lead}<div class="cards">{cards}</div>'
  )


def _samples_of(evaluation: Evaluation) -> list[Panel]:
  return [p for p in evaluation.panels if p.role == "sample"]


def _sliders(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
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


def _scores(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
  protocol = evaluations[0].protocol
  metrics = evaluations[0].metrics
  notes = [
    f"Protocol {protocol.name}: {protocol.summary}. Columns are the share of "
    "the picture that is missing; each number is a mean over pictures."
  ]
  if metrics["without_hole"]:
    notes.append(
      f"{metrics['without_hole']} pictures have no hole and are left out of "
      "the hole columns."
    )
  capped = sum(n for e in evaluations for n in e.metrics["capped"][SYSTEM].values())
  if capped:
    notes.append(f"{capped} PSNR values are capped at 100 dB (identical).")
  return (
    "<h2>Scores by hole size</h2>"
    f'<p class="note">{html.escape(" ".join(notes))}</p>'
    + report_scores.score_tabs(methods, protocol.measures)
  )


def _samples(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
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
    "result to see the truth in its place.</p>" + strips
  )


def _extremes(evaluation: Evaluation, method: Method) -> str:
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
    _figure(
      with_hole(first.truth, first.mask),
      f"<b>Input</b><br>{first.row.ratio:.0%} missing",
    )
  ]
  for panel, method in zip(panels, methods, strict=False):
    caption = f"<b>{method.name}</b><br>{_decibel(panel, SYSTEM)}"
    if baseline:
      caption += _gain(panel, baseline)
    figures.append(_figure(panel.fills[SYSTEM], caption, "peek"))
  figures.append(
    _figure(
      first.truth, f"<b>Truth</b><br>{html.escape(first.row.image)}", "truth"
    )
  )
  last = panels[-1]
  figures += [
    _figure(picture, f"<b>{label(name)}</b>{_explain(name)}")
    for name, picture in last.extras.items()
  ]
  if baseline:
    figures.append(
      _figure(
        first.fills[baseline],
        f"<b>{label(baseline)}</b><br>{_decibel(first, baseline)}",
        "peek",
      )
    )
  return f'<div class="strip"><div class="row">{"".join(figures)}</div></div>'


def _figure(image: np.ndarray, caption: str, css: str = "") -> str:
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
  return f' <span class="{"up" if gain > 0 else "down"}">{gain:+.1f}</span>'


def _explain(name: str) -> str:
  if name in ("prior", "features"):
    return "<br>k-means, 6 clusters"
  return ""


def _provenance(evaluation: Evaluation, method: Method) -> str:
  metrics: Mapping[str, Any] = evaluation.metrics
  facts = {
    "step": metrics["step"],
    "protocol": metrics["protocol"],
    "masks": metrics["masks"],
    "guidance": metrics["guidance"],
    **metrics["provenance"],
  }
  items = "".join(
    f"<dt>{label(key)}</dt><dd><code>{html.escape(str(value))}</code></dd>"
    for key, value in facts.items()
  )
  config = html.escape(json.dumps(evaluation.config, indent=2))
  return (
    f'<div class="card" style="margin-top:14px"><h3>{method.name}</h3>'
    f"<dl>{items}</dl><details><summary>All settings</summary>"
    f"<pre>{config}</pre></details></div>"
  )
