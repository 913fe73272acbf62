"""What takes part in an evaluation, built from a checkpoint and its config."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation.analyses import Analyst, build_analyst
from sginpaint.evaluation.baselines import chosen_baselines
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery, build_gallery
from sginpaint.evaluation.gathering import Gathering, Recorder, scores_of
from sginpaint.evaluation.guidance import check_guidance
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.overlap import describe_overlap
from sginpaint.evaluation.pairing import manifest_of
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.predictor import Predictor
from sginpaint.evaluation.protocols import Protocol, get_protocol
from sginpaint.evaluation.reviewers import Reviewer, build_reviewers
from sginpaint.evaluation.sharing import Team, parts_of


@dataclasses.dataclass(frozen=True)
class Parts:
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


def build_parts(loaded: Loaded, split: Split, team: Team) -> Parts:
  """Checks the settings and builds what they ask for.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    team: who shares the evaluation.

  Raises:
    UserError: see `evaluator.run`.
  """
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
  gallery, gathering, recorder = _gatherers(
    config, manifest, analyst, reviewers, collector
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
  return Parts(
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
    config.eval.batch_size,
  )


def _gatherers(
  config: ConfigDict,
  manifest: Manifest,
  analyst: Analyst,
  reviewers: Sequence[Reviewer],
  collector: Collector,
) -> tuple[Gallery, Gathering, Recorder]:
  """What adds up all pictures, and what records those measured here."""
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
  recorder = Recorder(
    manifest,
    reviewers=reviewers,
    gallery=seen_here,
    size=config.eval.batch_size,
  )
  return gallery, gathering, recorder
