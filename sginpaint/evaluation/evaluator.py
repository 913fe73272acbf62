"""Evaluates one checkpoint on one split: pictures in, scores and panels out.

The same seeded pairs of picture and hole (manifest.py) are filled by the system
and by the baselines and measured as the protocol says. A ragged last batch is
padded, so that one shape is compiled; the padding is dropped before anything is
counted.
"""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tqdm

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation import provenance, results
from sginpaint.evaluation.analyses import Analyst, build_analyst
from sginpaint.evaluation.baselines import chosen_baselines
from sginpaint.evaluation.classifiers import evaluate_classifier
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery, build_gallery
from sginpaint.evaluation.gathering import Gathering, Records, delete_records
from sginpaint.evaluation.guidance import (
  check_guidance,
)
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.measuring import measured_batches
from sginpaint.evaluation.output import save
from sginpaint.evaluation.overlap import describe_overlap
from sginpaint.evaluation.pairing import describe, manifest_of
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.predictor import Predictor
from sginpaint.evaluation.protocols import Protocol, get_protocol
from sginpaint.evaluation.results import SYSTEM, Evaluation, Row
from sginpaint.evaluation.reviewers import Reviewer, build_reviewers
from sginpaint.evaluation.segmenters import evaluate_segmenter
from sginpaint.evaluation.served import output_names

_HOST_THREADS = 4


def evaluate(
  loaded: Loaded, split: Split, *, output_dir: str | Path, **options: Any
) -> dict[str, Any]:
  """Evaluates any system and writes every file.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    output_dir: made where it does not exist; see `output.save`.
    **options: of `run`, or of `evaluate_segmenter` or `evaluate_classifier`
      for a system that makes no pictures.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: see `run`.
  """
  outputs = output_names(loaded)
  if "image" not in outputs:
    labels_pixels = "segmentation" in outputs
    other = evaluate_segmenter if labels_pixels else evaluate_classifier
    return other(loaded, split, output_dir=output_dir, **options)
  evaluation = run(loaded, split, partial_dir=output_dir, **options)
  save(evaluation, output_dir)
  delete_records(output_dir)
  return dict(evaluation.metrics)


def run(
  loaded: Loaded,
  split: Split,
  *,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
  partial_dir: str | Path | None = None,
) -> Evaluation:
  """Evaluates in memory.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    name: of the checkpoint in the report; default its system and step.
    description: a sentence for the report.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.
    partial_dir: where every batch is kept until `evaluate` has written all;
      what is found there of the same evaluation is not done again. None =
      nothing is written.

  Raises:
    UserError: a setting is not known, the split is empty or lacks what
      `guidance` needs, a network is missing or puts out NaN, or see
      `build_analyst`.
  """
  config = loaded.config
  parts = _build(loaded, split)
  manifest, gathering = parts.manifest, parts.gathering
  records = None
  if partial_dir is not None:
    key = provenance.key(
      loaded, split, weights, manifest.hash, parts.networks()
    )
    records = Records(partial_dir, key)
  _gather(parts.predictor, config, split, gathering, records, progress=progress)
  rows = gathering.rows
  manifest = manifest.completed({row.index: row.ratio for row in rows})
  return Evaluation(
    name=name or f"{config.system}, step {loaded.step}",
    description=description,
    protocol=parts.protocol,
    metrics={
      "protocol": parts.protocol.name,
      "step": loaded.step,
      "count": len(rows),
      "masks": manifest.masks,
      "guidance": config.eval.guidance,
      **parts.conclude(),
      "provenance": provenance.describe(loaded, split, weights)
      | describe(manifest, gathering.holes)
      | {"seen_in_training": parts.seen},
    },
    rows=rows,
    panels=parts.gallery.panels(),
    manifest=manifest,
    config=config.to_dict(),
  )


@dataclasses.dataclass(frozen=True)
class _Parts:
  """What takes part in an evaluation."""

  protocol: Protocol
  manifest: Manifest
  seen: dict[str, int | None]
  observer: Observer
  analyst: Analyst
  reviewers: Sequence[Reviewer]
  collector: Collector
  gallery: Gallery
  gathering: Gathering
  predictor: Predictor

  def networks(self) -> list[Any]:
    """Names those that measure, as JSON holds them."""
    described = self.observer.describe(0, 0)
    hashes = [reviewer.hash for reviewer in self.reviewers]
    return [described, self.collector.truth_is_known, *hashes]

  def conclude(self) -> dict[str, Any]:
    """The scores of metrics.json, once everything is gathered."""
    rows = self.gathering.rows
    scores = self.analyst.finish(scores_of(rows, self.protocol), rows)
    for reviewer in self.reviewers:
      scores = reviewer.finish(scores, rows)
    return self.collector.finish(scores, len(rows))


def _build(loaded: Loaded, split: Split) -> _Parts:
  """Checks the settings and builds what they ask for; see `run`."""
  config = loaded.config
  protocol = get_protocol(config.eval.protocol)
  chosen_baselines(config)
  check_guidance(loaded.system, split, config)
  analyst = build_analyst(loaded, split)
  reviewers = build_reviewers(loaded, split)
  manifest = manifest_of(split, config, count=config.eval.count)
  protocol.check(config, split, manifest)
  observer = Observer(*load_networks(config))
  reviewed = sum((reviewer.measures for reviewer in reviewers), ())
  protocol = protocol.extended(
    (*analyst.measures, *reviewed, *observer.measures)
  )
  collector = Collector(observer, split, manifest, config)
  gallery = build_gallery(config, manifest, analyst.details)
  gathering = Gathering(
    manifest,
    analyst=analyst,
    reviewers=reviewers,
    collector=collector,
    gallery=gallery,
  )
  predictor = Predictor(
    loaded,
    protocol,
    outputs=tuple(config.eval.outputs),
    guidance=config.eval.guidance,
    observer=observer,
    analyst=analyst,
    reviewers=reviewers,
    look_at_truth=not collector.truth_is_known,
  )
  return _Parts(
    protocol,
    manifest,
    describe_overlap(split, manifest, config),
    observer,
    analyst,
    reviewers,
    collector,
    gallery,
    gathering,
    predictor,
  )


def _gather(
  predictor: Predictor,
  config: Any,
  split: Split,
  gathering: Gathering,
  records: Records | None,
  *,
  progress: bool,
) -> None:
  """Measures every pair that `records` does not know yet."""
  manifest = gathering.manifest
  done = 0
  for record in records.read() if records else ():
    gathering.restore(record)
    done += 1
  with (
    ThreadPoolExecutor(_HOST_THREADS) as pool,
    tqdm.tqdm(
      total=len(manifest.pairs),
      initial=len(gathering.rows),
      desc="evaluate",
      unit="picture",
      disable=None if progress else True,
    ) as bar,
  ):
    left = measured_batches(
      predictor, config, split, manifest, pool, skip=len(gathering.rows)
    )
    for number, measured in enumerate(left, done):
      record = gathering.add(measured)
      if records:
        records.write(number, record)
      bar.update(len(measured.index))


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
