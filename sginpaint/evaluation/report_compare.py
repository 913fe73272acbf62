"""The page of a comparison: scores, differences, and where they are seen."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sginpaint.evaluation import (
  report_differences,
  report_methods,
  report_scores,
  report_style,
)
from sginpaint.evaluation.comparison import (
  Comparison,
  by_quality,
  most_different,
)
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.report import data_name, provenance_card
from sginpaint.evaluation.report_curves import Points
from sginpaint.evaluation.report_curves import section as curve_section
from sginpaint.evaluation.report_methods import OURS, Method, label
from sginpaint.evaluation.report_pictures import figure
from sginpaint.evaluation.results import ALL, LEADING, SYSTEM, Panel
from sginpaint.evaluation.stored import judges
from sginpaint.evaluation.visualize import with_hole
from sginpaint.files import write_atomically

_DIFFERENT, _BLIND, _EXTREMES = 12, 8, 3
_IN_A_LINE = 9  # pictures
_TITLES = {
  "different": (
    "Where they differ most",
    "The pictures with the widest spread of PSNR in the hole, widest first. "
    "They are no fair sample: those drawn blindly are further down.",
  ),
  "blind": (
    "Drawn blindly",
    "The first pictures of the manifest's seeded order.",
  ),
  "best": ("Easiest", "Best filled, on average over all methods."),
  "worst": ("Hardest", "Worst filled, on average over all methods."),
}


def chosen_pictures(
  comparison: Comparison, manifest: Manifest
) -> dict[str, list[int]]:
  """{section: indices of pictures in the split}, in the order shown."""
  rows = comparison.contestants[0].rows
  quality = by_quality(comparison)
  in_order = sorted(manifest.pairs, key=lambda pair: pair.place)
  return {
    "different": [
      rows[i].index for i in most_different(comparison)[:_DIFFERENT]
    ],
    "blind": [pair.index for pair in in_order[:_BLIND]],
    "worst": [rows[i].index for i in quality[::-1][:_EXTREMES]],
    "best": [rows[i].index for i in quality[:_EXTREMES]],
  }


def write_page(
  path: Path,
  comparison: Comparison,
  chosen: Mapping[str, Sequence[int]],
  *,
  panels: Mapping[str, Mapping[int, Panel]],
  curves: Mapping[str, Points],
) -> None:
  """Writes the report.

  Args:
    path: of the HTML file.
    comparison: what was found.
    chosen: see `chosen_pictures`.
    panels: {method: {index: panel}} of all chosen pictures; methods whose
      pictures are not known are left out.
    curves: {method: scores of the steps of its training}.
  """
  methods = methods_of(comparison)
  measures = list(comparison.measures)
  title = " vs ".join(c.name for c in comparison.contestants)
  parts = [
    _opening(comparison, methods, title),
    "<h2>All scores</h2>",
    _overall(comparison, methods),
    report_differences.section(comparison, methods),
    "<h2>Scores by hole size</h2>" + _note(comparison),
    report_scores.score_tabs(methods, measures),
    _by_classes(comparison),
    curve_section(curves, methods, measures),
    *(
      _pictures(name, indices, comparison, methods, panels)
      for name, indices in chosen.items()
    ),
    "<h2>What was run</h2>",
    *_origins(comparison, methods),
  ]
  page = report_style.page(html.escape(title), "\n".join(parts))
  write_atomically(path, page)


def methods_of(comparison: Comparison, part: str | None = None) -> list[Method]:
  """Lines of the tables; `part` of metrics.json in the place of the buckets."""
  methods = []
  for i, contestant in enumerate(comparison.contestants):
    metrics = contestant.metrics
    means, intervals = metrics["metrics"], metrics["intervals"][SYSTEM]
    if part is not None:
      means = metrics[part]["means"][SYSTEM]
      intervals = metrics[part]["intervals"][SYSTEM]
    color = OURS[i % len(OURS)]
    methods.append(
      Method(html.escape(contestant.name), color, means, True, intervals)
    )
  return methods


def _opening(
  comparison: Comparison, methods: Sequence[Method], title: str
) -> str:
  metrics = comparison.contestants[0].metrics
  where = metrics["provenance"]
  data = next(
    (data_name(c.config) for c in comparison.contestants if c.config),
    where["data"],
  )
  what = (
    f"{metrics['count']} pictures of {data} ({where['split']}, "
    f"{where['image_size']} px), {Path(metrics['masks']).name} holes, protocol "
    f"{metrics['protocol']}. Every method fills the same holes in the same "
    "pictures; known pixels stay as they are."
  )
  cards = "".join(
    report_differences.card(comparison, j, methods) for j in range(len(methods))
  )
  return (
    f'<h1>{html.escape(title)}</h1><p class="lead">{html.escape(what)}</p>'
    f'<div class="cards narrow">{cards}</div>'
  )


def _note(comparison: Comparison) -> str:
  protocol = comparison.contestants[0].stored.protocol
  said = (
    f"Protocol {protocol.name}: {protocol.summary}. Columns are the share of "
    "the picture that is missing; each number is a mean over pictures, with "
    "the half width of its 95 % interval (Student's t over pictures)."
  )
  return f'<p class="note">{html.escape(said)}</p>'


def _overall(comparison: Comparison, methods: Sequence[Method]) -> str:
  """A line per method, a column per measure, all pictures together."""
  best = {}
  for m in comparison.measures:
    found = [x.buckets[ALL].get(m.name) for x in methods]
    values = [round(v, m.digits) for v in found if v is not None]
    best[m.name] = (max if m.higher_is_better else min)(values)
  lines = []
  for method in methods:
    cells = []
    for m in comparison.measures:
      value = method.buckets[ALL].get(m.name)
      if value is None:
        cells.append("<td>&ndash;</td>")
        continue
      css = " class=best" * (round(value, m.digits) == best[m.name])
      cells.append(
        f"<td{css}>{value:.{m.digits}f}"
        f"{report_scores.spread(method, ALL, m)}</td>"
      )
    lines.append(
      f'<tr class="ours"><td>{report_methods.dot(method)}{method.name}</td>'
      f"{''.join(cells)}</tr>"
    )
  arrows = {True: "uarr", False: "darr"}
  head = "".join(
    f"<th>{html.escape(m.label)}&nbsp;&{arrows[m.higher_is_better]};</th>"
    for m in comparison.measures
  )
  return (
    '<p class="note">Means over all pictures with 95 % intervals; &uarr; '
    "higher is better, &darr; lower is better. Intervals of single methods "
    "overlap more than the methods do: pictures differ in how hard they are. "
    'Differences are below.</p><div class="card"><div class="scroll">'
    f'<table class="wrapped"><thead><tr><th></th>{head}</tr></thead><tbody>'
    f"{''.join(lines)}</tbody></table></div></div>"
  )


def _by_classes(comparison: Comparison) -> str:
  if not all("by_classes" in c.metrics for c in comparison.contestants):
    return ""
  return (
    '<h2>Scores by classes in the picture</h2><p class="note">How many classes '
    "cover at least 0.5 % of the picture each, hole included; pictures without "
    "labels are left out.</p>"
    + report_scores.score_tabs(
      methods_of(comparison, "by_classes"), list(comparison.measures)
    )
  )


def _pictures(
  name: str,
  indices: Sequence[int],
  comparison: Comparison,
  methods: Sequence[Method],
  panels: Mapping[str, Mapping[int, Panel]],
) -> str:
  if not indices or not panels:
    return ""
  title, note = _TITLES[name]
  strips = "".join(
    _strip({n: found[i] for n, found in panels.items()}, comparison, methods)
    for i in indices
  )
  return (
    f'<h2>{title}</h2><p class="note">{note} Point at a result to see the '
    f"truth in its place; click to lay two over each other.</p>{strips}"
  )


def _strip(
  panels: Mapping[str, Panel],
  comparison: Comparison,
  methods: Sequence[Method],
) -> str:
  """Input | each result | truth, and the intermediates of each below."""
  first = next(iter(panels.values()))
  ratio = f"<b>Input</b><br>{first.row.ratio:.0%} missing"
  figures = [figure(with_hole(first.truth, first.mask), ratio)]
  scores = {
    name: panel.row.scores[SYSTEM].get(LEADING, np.nan)
    for name, panel in panels.items()
  }
  top = max(scores.values())
  for contestant, method in zip(comparison.contestants, methods, strict=True):
    panel = panels.get(contestant.name)
    if panel is None:
      continue
    value = scores[contestant.name]
    css = ' class="up"' * (value == top and len(panels) > 1)
    told = "no hole" if np.isnan(value) else f"{value:.1f} dB"
    caption = f"<b>{method.name}</b><br><span{css}>{told}</span>"
    figures.append(figure(panel.fills[SYSTEM], caption, "peek"))
  name = html.escape(first.row.image)
  figures.append(figure(first.truth, f"<b>Truth</b><br>{name}", "truth"))
  extras = [
    figure(picture, f"<b>{label(output)}</b><br>of {html.escape(name)}")
    for name, panel in panels.items()
    for output, picture in panel.extras.items()
  ]
  lines = [figures + extras]
  if len(figures) + len(extras) > _IN_A_LINE:
    lines = [figures, extras]
  rows = "".join(
    f'<div class="row{" more" * (n > 0)}">{"".join(some)}</div>'
    for n, some in enumerate(lines)
  )
  return f'<div class="strip">{rows}</div>'


def _origins(comparison: Comparison, methods: Sequence[Method]) -> list[str]:
  cards = []
  for contestant, method in zip(comparison.contestants, methods, strict=True):
    metrics = contestant.metrics
    facts = {
      "given": contestant.source,
      "note": contestant.note or "none",
      "step": metrics["step"],
      "masks": metrics["masks"],
      "guidance": metrics["guidance"],
      **metrics["provenance"],
      **{f"network of {n}": sha for n, sha in judges(metrics).items()},
    }
    cards.append(provenance_card(method.name, facts, contestant.config))
  return cards
