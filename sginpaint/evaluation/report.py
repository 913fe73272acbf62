"""The report of one or several evaluations: a single HTML file.

Several checkpoints are shown side by side on the same pictures under the same
holes; they must share protocol and manifest. Pictures, style and script are in
the file; nothing is loaded from anywhere.
"""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.evaluation import (
  report_analyses,
  report_curves,
  report_methods,
  report_pictures,
  report_scores,
  report_style,
)
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.report_headline import headline
from sginpaint.evaluation.report_methods import Method, label
from sginpaint.evaluation.results import ALL, SYSTEM, Evaluation
from sginpaint.files import write_atomically


def write_report(
  path: str | Path,
  *,
  evaluations: Sequence[Evaluation],
  title: str = "Inpainting, evaluated",
  lead: str = "",
  curves: Mapping[str, report_curves.Points] | None = None,
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    evaluations: at least one; their panels are matched by picture.
    title: of the page.
    lead: a paragraph under the title.
    curves: {name of an evaluation: scores of the steps of its training}.

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
  methods = report_methods.methods_of(evaluations)
  body = [
    _opening(evaluations, methods, title, lead),
    report_pictures.sliders(evaluations, methods),
    _scores(evaluations, methods),
    report_curves.section(curves or {}, methods, _measures(evaluations)),
    report_analyses.sections(evaluations, methods),
    report_pictures.samples(evaluations, methods),
    *map(report_pictures.extremes, evaluations, methods),
    "<h2>What was run</h2>",
    *map(_provenance, evaluations, methods),
  ]
  page = report_style.page(html.escape(title), "\n".join(body))
  write_atomically(Path(path), page)


def _opening(
  evaluations: Sequence[Evaluation],
  methods: Sequence[Method],
  title: str,
  lead: str,
) -> str:
  metrics = evaluations[0].metrics
  where = metrics["provenance"]
  data = data_name(evaluations[0].config)
  what = (
    f"{metrics['count']} pictures of {data} ({where['split']}, "
    f"{where['image_size']} px), {Path(metrics['masks']).name} holes, protocol "
    f"{metrics['protocol']}. Every method fills the same holes in the same "
    "pictures; known pixels stay as they are."
  )
  cards = "".join(map(headline, evaluations, methods))
  lead = f'<p class="lead">{html.escape(lead)}</p>' if lead else ""
  return (
    f'<h1>{html.escape(title)}</h1><p class="lead">{html.escape(what)}</p>'
    f'{lead}<div class="cards">{cards}</div>'
  )


def data_name(config: Mapping[str, Any]) -> str:
  """What people call the data of an evaluation: of a folder, its name."""
  data = config["data"]
  return Path(data["path"]).name if data["name"] == "folder" else data["name"]


def _scores(
  evaluations: Sequence[Evaluation], methods: Sequence[Method]
) -> str:
  protocol = evaluations[0].protocol
  metrics = evaluations[0].metrics
  notes = [
    f"Protocol {protocol.name}: {protocol.summary}. Columns are the share of "
    "the picture that is missing; each number is a mean over pictures, with "
    "the half width of its 95 % interval (Student's t over pictures)."
  ]
  if metrics["without_hole"]:
    notes.append(
      f"{metrics['without_hole']} pictures have no hole and are left out of "
      "the hole columns."
    )
  measures = _measures(evaluations)
  pooled = [
    m.label
    for m in measures
    if m.per_set and any(m.name in x.buckets[ALL] for x in methods)
  ]
  if pooled:
    notes.append(f"One number for all pictures together: {', '.join(pooled)}.")
  capped = sum(
    n for e in evaluations for n in e.metrics["capped"][SYSTEM].values()
  )
  if capped:
    notes.append(f"{capped} PSNR values are capped at 100 dB (identical).")
  for purpose, network in metrics.get("networks", {}).items():
    notes.append(
      f"Network for {purpose}: {network['name']} ({network['hash'][:12]})."
    )
    if "statement" in network:
      notes.append(network["statement"])
  notes.append("Known pixels were compared as well: no method changes any.")
  notes += _seen(evaluations)
  return (
    "<h2>Scores by hole size</h2>"
    f'<p class="note">{html.escape(" ".join(notes))}</p>'
    + report_scores.score_tabs(methods, measures)
    + _by_classes(evaluations, measures)
  )


def _measures(evaluations: Sequence[Evaluation]) -> list[Measure]:
  found = {m.name: m for e in evaluations for m in e.protocol.measures}
  return list(found.values())


def _seen(evaluations: Sequence[Evaluation]) -> list[str]:
  """What has to be said of pictures and masks that were trained with."""
  counts: dict[str, int] = {}
  for evaluation in evaluations:
    found = evaluation.metrics["provenance"]["seen_in_training"]
    for kind, n in found.items():
      counts[kind] = max(counts.get(kind, 0), n or 0)
  return [
    f"{n} of the {kind} were also trained with."
    for kind, n in counts.items()
    if n
  ]


def _by_classes(
  evaluations: Sequence[Evaluation], measures: Sequence[Measure]
) -> str:
  methods = report_methods.methods_by_classes(evaluations)
  if not methods:
    return ""
  return (
    '<h2>Scores by classes in the picture</h2><p class="note">How many classes '
    "cover at least 0.5 % of the picture each, hole included; pictures without "
    "labels are left out.</p>" + report_scores.score_tabs(methods, measures)
  )


def _provenance(evaluation: Evaluation, method: Method) -> str:
  metrics: Mapping[str, Any] = evaluation.metrics
  facts = {
    "step": metrics["step"],
    "protocol": metrics["protocol"],
    "masks": metrics["masks"],
    "guidance": metrics["guidance"],
    **metrics["provenance"],
  }
  for name, sha in facts.pop("frozen", {}).items():
    facts[f"{name}_hash"] = sha
  return provenance_card(method.name, facts, evaluation.config)


def provenance_card(
  title: str, facts: Mapping[str, Any], config: Mapping[str, Any]
) -> str:
  """What was run, as HTML.

  Args:
    title: escaped.
    facts: {name: value}, shown in this order.
    config: all settings, JSON types; folded away.
  """
  items = "".join(
    f"<dt>{label(key)}</dt><dd><code>{html.escape(str(value))}</code></dd>"
    for key, value in facts.items()
  )
  settings = html.escape(json.dumps(config, indent=2))
  return (
    f'<div class="card" style="margin-top:14px"><h3>{title}</h3>'
    f"<dl>{items}</dl><details><summary>All settings</summary>"
    f"<pre>{settings}</pre></details></div>"
  )
