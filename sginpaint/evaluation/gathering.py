"""What is kept of the pictures of an evaluation, and how it is added up.

A unit of pictures (sharing.py) leaves behind its rows, what the analyses and
the reviewers found, its features and the pictures worth showing: its record.
`Recorder` makes the records of a batch, on whichever process measured it;
`Gathering` adds those of all units up, in order.
"""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint.errors import UserError
from sginpaint.evaluation import results
from sginpaint.evaluation.analyses import Analyst
from sginpaint.evaluation.analysis import Findings
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.predictor import Measured
from sginpaint.evaluation.protocols import KNOWN_CHANGED, Protocol
from sginpaint.evaluation.results import (
  SYSTEM,
  Panel,
  Row,
  count_classes,
)
from sginpaint.evaluation.reviewers import Reviewer
from sginpaint.evaluation.sharing import parts_of


class Recorder:
  """Makes the records of measured batches."""

  def __init__(
    self,
    manifest: Manifest,
    *,
    reviewers: Sequence[Reviewer],
    gallery: Gallery,
    size: int,
  ):
    """Starts empty.

    Args:
      manifest: the pairs of the evaluation.
      reviewers: whose memory of a batch goes into its records.
      gallery: that sees the pictures of this process alone, and so wants
        whatever one that sees all of them would want.
      size: pictures of a unit.
    """
    self._manifest, self._reviewers = manifest, tuple(reviewers)
    self._gallery, self._size = gallery, size

  def __call__(self, measured: Measured) -> list[dict[str, Any]]:
    """One record per unit, which `Gathering.add` takes.

    Raises:
      UserError: a method changed a known pixel.
    """
    rows = rows_of(measured, self._manifest)
    _check_known(rows)
    panels = self._gallery.offer(measured, rows)
    tables = {
      "found": {
        name: {"counts": dict(f.counts), "values": dict(f.values)}
        for name, f in measured.found.items()
      },
      "features": dict(measured.features),
      "memories": [r.memory.pop() for r in self._reviewers if r.memory],
    }
    return [
      {
        "rows": [dataclasses.asdict(row) for row in rows[part]],
        "holes": np.packbits(measured.mask[part] > 0.5),
        "panels": {
          str(i - part.start): _fields_of(panels[i])
          for i in range(part.start, part.stop)
          if i in panels
        },
      }
      | _cut(tables, part)
      for part in parts_of(len(rows), self._size)
    ]


class Gathering:
  """Adds up records.

  Attributes:
    manifest: the pairs of the evaluation.
    rows: of all pictures so far.
  """

  def __init__(
    self,
    manifest: Manifest,
    *,
    analyst: Analyst,
    reviewers: Sequence[Reviewer],
    collector: Collector,
    gallery: Gallery,
  ):
    """Starts empty; every part is added to, and asked for its end elsewhere."""
    self.manifest, self._analyst = manifest, analyst
    self._reviewers = tuple(r for r in reviewers if r.REMEMBERS)
    self._collector, self._gallery = collector, gallery
    self._holes = hashlib.sha256()
    self.rows: list[Row] = []

  def add(self, record: Mapping[str, Any]) -> None:
    """Takes in the record of the next unit."""
    rows = [Row(**fields) for fields in record["rows"]]
    panels = {
      int(i): Panel(row=rows[int(i)], **fields)
      for i, fields in record["panels"].items()
    }
    self._gallery.offer_again(rows, panels)
    found = {name: Findings(**f) for name, f in record["found"].items()}
    for reviewer, memory in zip(
      self._reviewers, record["memories"], strict=True
    ):
      reviewer.memory.append(memory)
    self._collector.add([row.index for row in rows], record["features"])
    self._analyst.add(found, rows)
    self.rows += rows
    self._holes.update(record["holes"].tobytes())

  @property
  def holes(self) -> str:
    """sha256 of the masks as they were used, in order."""
    return self._holes.hexdigest()


def rows_of(measured: Measured, manifest: Manifest) -> list[Row]:
  """One row per picture of a measured batch."""
  ratios = measured.mask.astype(np.float64).mean(axis=(1, 2, 3))
  pairs = [manifest.pair(int(index)) for index in measured.index]
  labels = measured.labels
  counts = None if labels is None else count_classes(labels).tolist()
  return [
    Row(
      index=pair.index,
      image=pair.image,
      mask=pair.mask,
      ratio=float(ratios[i]),
      scores={
        method: {name: float(values[i]) for name, values in scores.items()}
        for method, scores in measured.scores.items()
      },
      classes=None if counts is None else counts[i],
    )
    for i, pair in enumerate(pairs)
  ]


def scores_of(rows: list[Row], protocol: Protocol) -> dict[str, Any]:
  """The part of metrics.json that follows from the rows."""
  summary = results.summarize(rows, protocol)
  scores: dict[str, Any] = {
    "metrics": summary.pop(SYSTEM),
    "baselines": summary,
    "capped": results.count_capped(rows, protocol),
    "without_hole": sum(row.ratio == 0 for row in rows),
    "known_changed": results.count_changed(rows),
    "intervals": results.intervals(rows, protocol),
  }
  groups = results.class_groups_of(rows)
  if groups:
    scores["by_classes"] = {
      "means": results.summarize(rows, protocol, groups),
      "intervals": results.intervals(rows, protocol, groups),
    }
  return scores


def _check_known(rows: Sequence[Row]) -> None:
  for row in rows:
    for method, scores in row.scores.items():
      if changed := scores[KNOWN_CHANGED]:
        raise UserError(
          f"picture {row.image}: {method} changes {changed:.0f} known pixels, "
          "which a fill must leave alone; its scores would count them"
        )


def _cut(tree: Any, part: slice) -> Any:
  """The same rows of every array; dicts keep their order."""
  if isinstance(tree, dict):
    return {name: _cut(value, part) for name, value in tree.items()}
  if isinstance(tree, list):
    return [_cut(value, part) for value in tree]
  return np.asarray(tree)[part]


def _fields_of(panel: Panel) -> dict[str, Any]:
  """All but the row, which is in the record already."""
  fields = {f.name: getattr(panel, f.name) for f in dataclasses.fields(panel)}
  del fields["row"]
  return {
    name: dict(value) if isinstance(value, Mapping) else value
    for name, value in fields.items()
  }
