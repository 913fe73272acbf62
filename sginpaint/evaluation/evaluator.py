"""Evaluates one checkpoint on one split: pictures in, scores and panels out.

The same seeded pairs of picture and hole (manifest.py) are filled by the system
and by the baselines and measured as the protocol says. A ragged last batch is
padded, so that one shape is compiled; the padding is dropped before anything is
counted. Several processes share the pictures out among them (sharing.py).
"""

import dataclasses
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tqdm
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation import provenance
from sginpaint.evaluation.analyses import Analyst, build_analyst
from sginpaint.evaluation.baselines import chosen_baselines
from sginpaint.evaluation.classifiers import evaluate_classifier
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery, build_gallery
from sginpaint.evaluation.gathering import Gathering, Recorder, scores_of
from sginpaint.evaluation.guidance import check_guidance
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.measuring import measured_batches
from sginpaint.evaluation.output import save
from sginpaint.evaluation.overlap import describe_overlap
from sginpaint.evaluation.pairing import describe, manifest_of
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.predictor import Predictor
from sginpaint.evaluation.protocols import Protocol, get_protocol
from sginpaint.evaluation.results import Evaluation
from sginpaint.evaluation.reviewers import Reviewer, build_reviewers
from sginpaint.evaluation.segmenters import evaluate_segmenter
from sginpaint.evaluation.served import output_names
from sginpaint.evaluation.sharing import (
  ALONE,
  Records,
  Team,
  await_file,
  delete_records,
  everybody,
  parts_of,
  records_folder,
)

_HOST_THREADS = 4


def evaluate(
  loaded: Loaded,
  split: Split,
  *,
  output_dir: str | Path,
  team: Team | None = None,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
) -> dict[str, Any]:
  """Evaluates any system and writes every file.

  What was measured is kept in `output_dir` until all is written, so that an
  interrupted evaluation goes on.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    output_dir: made where it does not exist; see `output.save`. All processes
      see the same one.
    team: who shares the work; default: all processes, which must all call.
    name: of the checkpoint in the report; default its system and step.
    description: a sentence for the report.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: see `run`, `evaluate_segmenter` and `evaluate_classifier`, which
      are for systems that make no pictures.
  """
  team = everybody() if team is None else team
  options: dict[str, Any] = {"weights": weights, "progress": progress}
  outputs = output_names(loaded)
  if "image" in outputs:
    parts = _build(loaded, split, team)
    pairs, networks = parts.manifest.hash, parts.networks()
    key = provenance.key(loaded, split, weights, pairs, networks)
    records = Records(parts.units, records_folder(output_dir, key))
    _measure(parts, loaded.config, split, records, team, progress=progress)
    if team.first:
      told = name, description
      save(_conclude(parts, records, loaded, split, weights, told), output_dir)
  elif "segmentation" in outputs:
    evaluate_segmenter(loaded, split, output_dir, team, **options)
  else:
    evaluate_classifier(loaded, split, output_dir, team, **options)
  if team.first:
    delete_records(output_dir)
  team.meet()
  path = Path(output_dir) / "metrics.json"
  await_file(path)
  return json.loads(path.read_text())


def run(
  loaded: Loaded,
  split: Split,
  *,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
) -> Evaluation:
  """Evaluates in memory, in this process; for arguments see `evaluate`.

  Raises:
    UserError: a setting is not known, the split is empty or lacks what
      `guidance` needs, a network is missing or puts out NaN, or see
      `build_analyst`.
  """
  parts = _build(loaded, split, ALONE)
  records = Records(parts.units)
  _measure(parts, loaded.config, split, records, ALONE, progress=progress)
  told = name, description
  return _conclude(parts, records, loaded, split, weights, told)


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
  recorder: Recorder
  predictor: Predictor
  unit: int

  @property
  def units(self) -> int:
    """How many units of pictures there are."""
    return len(parts_of(len(self.manifest.pairs), self.unit))

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


def _build(loaded: Loaded, split: Split, team: Team) -> _Parts:
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
  collector = Collector(
    observer, split, manifest, config, alone=team.count == 1
  )
  gallery, seen_here = (
    build_gallery(config, manifest, analyst.details) for _ in range(2)
  )
  gathering = Gathering(
    manifest,
    analyst=analyst,
    reviewers=reviewers,
    collector=collector,
    gallery=gallery,
  )
  unit = config.eval.batch_size
  recorder = Recorder(
    manifest, reviewers=reviewers, gallery=seen_here, size=unit
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
    recorder,
    predictor,
    unit,
  )


def _measure(
  parts: _Parts,
  config: ConfigDict,
  split: Split,
  records: Records,
  team: Team,
  *,
  progress: bool,
) -> None:
  """Makes every record that is missing, this process its share of them."""
  cut = parts_of(len(parts.manifest.pairs), parts.unit)
  share = team.share(len(cut))
  missing = records.missing(share)
  wanted = [i for unit in missing for i in parts.manifest.indices[cut[unit]]]
  total = sum(cut[unit].stop - cut[unit].start for unit in share)
  with (
    ThreadPoolExecutor(_HOST_THREADS) as pool,
    tqdm.tqdm(
      total=total,
      initial=total - len(wanted),
      desc="evaluate",
      unit="picture",
      disable=None if progress and team.first else True,
    ) as bar,
  ):
    left = iter(missing)
    for measured in measured_batches(
      parts.predictor, config, split, parts.manifest, pool, indices=wanted
    ):
      for record in parts.recorder(measured):
        records.write(next(left), record)
      bar.update(len(measured.index))
  team.meet()


def _conclude(
  parts: _Parts,
  records: Records,
  loaded: Loaded,
  split: Split,
  weights: str,
  told: tuple[str | None, str],
) -> Evaluation:
  """Adds up all records; `told` are name and description."""
  name, description = told
  gathering, config = parts.gathering, loaded.config
  for record in records.read():
    gathering.add(record)
  rows = gathering.rows
  manifest = parts.manifest.completed({row.index: row.ratio for row in rows})
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
