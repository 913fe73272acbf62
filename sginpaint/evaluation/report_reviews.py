"""The reviewers' part of the report: attributes and retrieval."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sginpaint.evaluation import attribute_agreement as attributes
from sginpaint.evaluation import retrieval_review as retrieval
from sginpaint.evaluation.report_methods import Method, Shown, label
from sginpaint.evaluation.report_tables import line, number, percent, table
from sginpaint.evaluation.results import SYSTEM, TRUTH

_HASH_SHOWN = 12  # of 64 digits
_LABELLED = {
  attributes.AGREEMENT: "Right, %",
  attributes.MAP: "mAP, %",
}
_UNLABELLED = {attributes.CONSISTENCY: "As in the true picture, %"}


def judge_note(network: Mapping[str, Any], statement: str = "") -> str:
  """Who judged and who guided, as a paragraph.

  Args:
    network: record of a judge, see judges.py.
    statement: why no scores follow, where none do.
  """
  guides = ", ".join(
    f"{name} ({sha[:_HASH_SHOWN]}{', the same' * (sha == network['hash'])})"
    for name, sha in network["guides"].items()
  )
  note = (
    f"Judge: {network['name']} of {network['workdir']}, step "
    f"{network['step']} ({network['hash'][:_HASH_SHOWN]}), trained at "
    f"{network['image_size']} px. Guided the training: {guides or 'no network'}"
    f". {statement}"
  )
  return f'<p class="note below">{html.escape(note.strip())}</p>'


def _agreement(shown: Sequence[Shown]) -> str:
  return "".join(
    f'<div class="card" style="margin-top:14px"><h3>{method.name}</h3>'
    + _agreement_table(method, section)
    + judge_note(section["classifier"], section.get("statement", ""))
    + _by_attribute(method, section)
    + "</div>"
    for _, method, section in shown
  )


def _agreement_table(method: Method, section: Mapping[str, Any]) -> str:
  labelled = "attributes" in section
  columns = (_LABELLED if labelled else {}) | _UNLABELLED
  lines = [
    line(_shown_to(name, method), [percent(scores[key]) for key in columns])
    for name, scores in section["methods"].items()
  ]
  titles = ("Attributes that the classifier sees", *columns.values())
  return table(titles, lines)


def _shown_to(name: str, method: Method) -> str:
  return {TRUTH: "True picture", SYSTEM: f"Fill of {method.name}"}.get(
    name, f"Fill of {label(name)}"
  )


def _by_attribute(method: Method, section: Mapping[str, Any]) -> str:
  found = section.get("attributes", {})
  if not found:
    return ""
  lines = [
    line(
      label(name),
      [
        f"{one['known']:,}",
        percent(one["share"]),
        *(
          percent(one[who][key])
          for key in (attributes.AGREEMENT, attributes.MAP)
          for who in (TRUTH, SYSTEM)
        ),
      ],
    )
    for name, one in found.items()
  ]
  titles = (
    *("Attribute", "Known", "Present, %"),
    *("Right, true picture, %", "Right, fill, %"),
    *("AP, true picture, %", "AP, fill, %"),
  )
  return (
    f"<details><summary>Attributes, fills of {method.name}</summary>"
    f"{table(titles, lines)}</details>"
  )


def _retrieval(shown: Sequence[Shown]) -> str:
  lines: dict[str, str] = {}
  # Baselines are the same of all checkpoints, and stand below them.
  for _, method, section in shown:
    ours = section["methods"][SYSTEM]
    lines[method.name] = line(method.name, [number(ours, 4)])
  for _, _, section in shown:
    for name, score in section["methods"].items():
      if name != SYSTEM:
        lines[name] = line(label(name), [number(score, 4)])
  section = shown[0][2]
  title = section["measure"].replace("retrieval_map", "mAP", 1)
  return (
    f'<div class="card">{table(("Query filled by", title), [*lines.values()])}'
    f"{_retrieval_note(section)}</div>"
  )


def _retrieval_note(section: Mapping[str, Any]) -> str:
  network = section["network"]
  published = "published weights" if network["official"] else "not published"
  groups = section["groups"]
  how = {
    "none": "without ground truth",
    "folder": "the pictures of their folders",
  }.get(groups, f"the groups of {groups}")
  relevant = number(section["relevant"], 1)
  note = (
    f"Network: {network['name']} ({network['hash'][:_HASH_SHOWN]}, "
    f"{published}), layer {network['layer']}, pictures of "
    f"{network['image_size']} px. {section['queries']:,} queries in "
    f"{section['gallery']:,} pictures; relevant for each on average "
  )
  said = f"{html.escape(note)}{relevant}, {html.escape(how)}."
  return f'<p class="note below">{said}</p>'


SECTIONS: dict[str, tuple[str, str, Callable[[Sequence[Shown]], str]]] = {
  attributes.NAME: (
    "Attributes of the filled picture",
    "A classifier, trained by itself, names the attributes of every method's "
    "pictures at probability 0.5. Right: share of the known attributes of the "
    "data set, mean over pictures; mAP over all pictures. On the true picture "
    "the classifier shows the most it can do. The last column needs no labels.",
    _agreement,
  ),
  retrieval.NAME: (
    "What the filled picture finds",
    "All clean pictures are ranked by how near their features are to those of "
    "a query. What the clean query finds first is relevant; mean average "
    "precision of what the filled query finds. 1: the same pictures. Masked: "
    "the query with a grey hole.",
    _retrieval,
  ),
}
