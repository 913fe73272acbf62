"""Scores of a fixed subset, again and again, while a system trains.

The pairs of picture and hole are those of an evaluation of
`config.eval.in_loop_count` pictures: the same each time. Baselines, analyses
and further networks are left to `evaluate`. Systems that make pictures are
compiled once; classifiers and segmenters at each call, which the compilation
cache makes short.
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.gathering import rows_of, scores_of
from sginpaint.evaluation.guidance import check_guidance
from sginpaint.evaluation.measuring import measured_batches
from sginpaint.evaluation.pairing import manifest_of
from sginpaint.evaluation.predictor import Predictor
from sginpaint.evaluation.protocols import get_protocol
from sginpaint.evaluation.results import ALL
from sginpaint.evaluation.served import output_names
from sginpaint.evaluation.sharing import ALONE
from sginpaint.systems.base import Variables

_COUNT = "count"  # stands among the scores


def lower_is_better(config: ConfigDict) -> frozenset[str]:
  """Names of scores of which the lowest is the best."""
  measures = get_protocol(config.eval.protocol).measures
  return frozenset(m.name for m in measures if not m.higher_is_better)


class InLoop:
  """Evaluates a system with one set of weights after another."""

  def __init__(self, loaded: Loaded, split: Split):
    """Draws the pairs.

    Args:
      loaded: the system with any weights; its config says how.
      split: of which pictures are taken.

    Raises:
      UserError: a setting is not known, or the split lacks what `guidance`
        needs.
    """
    config = _plain(loaded.config)
    self._loaded = dataclasses.replace(loaded, config=config)
    self._split = split
    self._predictor = None
    if "image" not in output_names(self._loaded):
      return
    check_guidance(loaded.system, split, config)
    self._protocol = get_protocol(config.eval.protocol)
    self._manifest = manifest_of(split, config, count=config.eval.count)
    self._predictor = Predictor(
      self._loaded, self._protocol, guidance=config.eval.guidance
    )

  def __call__(
    self, variables: Variables, frozen: Mapping[str, Variables]
  ) -> dict[str, float]:
    """{score: mean over the pictures}, of the generator's variables.

    Raises:
      UserError: the network puts out NaN.
    """
    loaded = dataclasses.replace(
      self._loaded, variables=dict(variables), frozen=dict(frozen)
    )
    scores = self._score(loaded)
    return {n: float(v) for n, v in scores.items() if n != _COUNT}

  def _score(self, loaded: Loaded) -> Mapping[str, Any]:
    if self._predictor is None:
      with tempfile.TemporaryDirectory() as folder:
        metrics = evaluator.evaluate(
          loaded, self._split, output_dir=folder, team=ALONE, progress=False
        )
      scores = dict(metrics["metrics"][ALL])
      if "corrupted" in metrics:
        found = metrics["corrupted"]["metrics"][ALL]
        scores |= {f"corrupted_{n}": v for n, v in found.items() if n != _COUNT}
      return scores
    self._predictor.use(loaded.variables, loaded.frozen)
    rows = []
    with ThreadPoolExecutor(1) as pool:
      for measured in measured_batches(
        self._predictor, loaded.config, self._split, self._manifest, pool
      ):
        rows += rows_of(measured, self._manifest)
    return scores_of(rows, self._protocol)["metrics"][ALL]


def _plain(config: ConfigDict) -> ConfigDict:
  """A copy that asks for the scores of the protocol alone."""
  plain = ConfigDict(config.to_dict())
  plain.eval.update(
    {
      "count": config.eval.in_loop_count,
      "manifest": "",  # of a split that may be another
      "baselines": (),
      "analyses": (),
      "outputs": (),
      "panels": 0,
    }
  )
  return plain
