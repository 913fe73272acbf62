"""The analyses that `config.eval` switches on, run over one evaluation.

`config.eval.analyses` names them; `config.eval.segmenter` adds the one that
needs a network of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.errors import UserError, check_choice
from sginpaint.evaluation.analysis import Analysis, Findings, View
from sginpaint.evaluation.calibration import Calibration
from sginpaint.evaluation.completed_segmentation import (
  CompletedSegmentation,
  MapReader,
  load_map_reader,
)
from sginpaint.evaluation.controllability import Controllability
from sginpaint.evaluation.edits import Editor
from sginpaint.evaluation.hole_segmentation import HoleSegmentation
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.results import Row, buckets_of
from sginpaint.evaluation.scales import Scales
from sginpaint.evaluation.served import output_names

ANALYSES: dict[str, type[Analysis]] = {
  a.NAME: a for a in (HoleSegmentation, Calibration, Scales, Controllability)
}
NO_LABELS = "no labels"
OTHER_CLASSES = "no labels: the data set has other classes than the training"


class Analyst:
  """Runs analyses over the batches of one evaluation and adds them up.

  Attributes:
    measures: further columns of the tables.
    keys: outputs of the system that are looked at.
    details: those that are shown of a few pictures.
    statement: why no labels are compared with; "" where they are.
    editor: draws the edits that the system shall follow, where some analysis
      wants them.
  """

  def __init__(
    self,
    analyses: Sequence[Analysis] = (),
    *,
    judge: MapReader | None = None,
    statement: str = NO_LABELS,
    editor: Editor | None = None,
  ):
    """Starts with nothing counted.

    Args:
      analyses: to run, in the order of the report.
      judge: a segmenter that is shown every method's composite.
      statement: see the class.
      editor: see the class.
    """
    self._analyses = tuple(analyses)
    self._judge = judge
    self._counts: dict[str, dict[str, dict[str, Any]]] = {}
    self.statement, self.editor = statement, editor
    self.measures: tuple[Measure, ...] = sum(
      (a.MEASURES for a in self._analyses), ()
    )
    self.keys = tuple(
      dict.fromkeys(key for a in self._analyses for key in a.keys)
    )
    self.details = tuple(
      dict.fromkeys(key for a in self._analyses for key in a.shown)
    )
    self._look = jax.jit(
      lambda view: {a.NAME: a.look(view) for a in self._analyses}
    )

  def __call__(self, view: View) -> dict[str, Findings]:
    """{analysis: what it finds in a batch}, on the devices."""
    return self._look(view) if self._analyses else {}

  def judge(self, pictures: Mapping[str, Any]) -> dict[str, jax.Array]:
    """Label maps of the segmenter, see `Judge`; {} without one."""
    return self._judge(pictures) if self._judge else {}

  def add(self, found: Mapping[str, Findings], rows: Sequence[Row]) -> None:
    """Adds up a batch.

    Args:
      found: without padding, on the host.
      rows: its pictures, in order.
    """
    members = buckets_of([row.ratio for row in rows])
    for bucket, inside in members.items():
      sums = self._counts.setdefault(bucket, {})
      for name, findings in found.items():
        new = {
          key: counts[inside].sum(axis=0, dtype=np.float64)
          for key, counts in findings.counts.items()
        }
        old = sums.get(name, {})
        sums[name] = {key: old.get(key, 0) + n for key, n in new.items()}

  def finish(
    self, metrics: dict[str, Any], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Concludes.

    Args:
      metrics: {"metrics": {bucket: scores}, ...}; the scores get new ones.
      rows: all pictures.

    Returns:
      `metrics`, with {"analyses": {name: section}} where there are any.
    """
    if not self._analyses:
      return metrics
    ordered = {bucket: self._counts[bucket] for bucket in metrics["metrics"]}
    sections = {}
    for analysis in self._analyses:
      counts = {bucket: sums[analysis.NAME] for bucket, sums in ordered.items()}
      for bucket, scores in metrics["metrics"].items():
        scores |= analysis.scores(counts[bucket])
      sections[analysis.NAME] = analysis.section(counts, rows)
    return metrics | {"analyses": sections}


def build_analyst(loaded: Loaded, split: Split) -> Analyst:
  """What `loaded.config.eval` asks for.

  Raises:
    UserError: the system lacks an output that an analysis needs; or see
      `choose_analyses` and `load_map_reader`.
  """
  kinds = choose_analyses(loaded.config)
  judge = load_map_reader(loaded)
  statement = _statement(loaded, split)
  if not kinds and judge is None:
    return Analyst(statement=statement)
  if judge:
    kinds.append(CompletedSegmentation)
  available = output_names(loaded)
  chosen = [
    kind(
      available=available,
      classes=tuple(info["name"] for info in loaded.config.data.classes),
      statement=statement,
      segmenter=judge.record if judge else {},
    )
    for kind in kinds
  ]
  for analysis in chosen:
    _check_outputs(analysis, loaded)
  editor = None
  if Controllability in kinds and not statement:
    settings = loaded.config.eval
    editor = Editor(split, seed=settings.seed, edits=settings.edits)
  return Analyst(chosen, judge=judge, statement=statement, editor=editor)


def choose_analyses(config: ConfigDict) -> list[type[Analysis]]:
  """The analyses that `config.eval` names.

  Raises:
    UserError: one is not known, or it lacks a setting that it needs.
  """
  kinds = [_known(name) for name in config.eval.analyses]
  for kind in kinds:
    if kind.NEEDS_SEGMENTER and config.eval.segmenter == "none":
      raise UserError(
        f"config.eval.analyses: {kind.NAME} needs a segmenter that reads the "
        "filled pictures; name its workdir as config.eval.segmenter"
      )
  if Controllability in kinds and config.eval.edits < 1:
    raise UserError(
      f"config.eval.edits={config.eval.edits}: give at least 1, or leave "
      f"{Controllability.NAME} out of config.eval.analyses"
    )
  return kinds


def _statement(loaded: Loaded, split: Split) -> str:
  trained = [info["name"] for info in loaded.config.data.classes]
  if not split.labelled:
    return NO_LABELS
  found = [info.name for info in split.classes]
  return "" if found == trained else OTHER_CLASSES


def _known(name: str) -> type[Analysis]:
  check_choice("eval.analyses", name, ANALYSES)
  return ANALYSES[name]


def _check_outputs(analysis: Analysis, loaded: Loaded) -> None:
  lacking = [key for key in analysis.NEEDS if key not in analysis.available]
  if lacking:
    raise UserError(
      f"config.eval.analyses: {analysis.NAME} needs the output "
      f"{lacking[0]!r}, which this {loaded.config.system} does not have; "
      "leave it out"
    )
