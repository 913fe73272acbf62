"""Gathers the features of an evaluation and compares the sets at its end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.evaluation import features
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.perceptual_metrics import Observer
from sginpaint.evaluation.results import ALL, TRUTH, method_buckets
from sginpaint.files import digest


class Collector:
  """Features of the truth and of every method, batch by batch.

  Attributes:
    truth_is_known: the features of the true pictures were taken from disk.
  """

  def __init__(
    self,
    observer: Observer,
    split: Split,
    manifest: Manifest,
    config: ConfigDict,
    *,
    alone: bool = True,
  ):
    """Looks for the features of the true pictures on disk.

    Args:
      observer: whose network makes the features, if any.
      split: of the data set.
      manifest: which of its pictures are evaluated.
      config: of the checkpoint and this evaluation.
      alone: one process does it all. Several must agree, and the disks of
        their machines may not: they look at the true pictures anew.
    """
    self._observer = observer
    self._parts: dict[str, list[Any]] = {}
    self._real = self._path = None
    if observer.hash:
      # Pictures that are cut or mirrored otherwise have other features.
      seen = [observer.hash, *map(str, sorted(manifest.framings.items()))]
      network = seen[0] if len(seen) == 1 else digest(*seen)
      self._path = features.path_of(
        network, split, manifest.indices, config.data
      )
      self._real = features.load(self._path) if alone else None
    self.truth_is_known = self._real is not None

  def add(self, index: Sequence[int], found: Mapping[str, np.ndarray]) -> None:
    """Takes in a batch.

    Args:
      index: of its n pictures.
      found: {method: float32 [n, D]}.
    """
    for method, values in found.items():
      self._parts.setdefault(method, []).append((index, values))

  def finish(self, metrics: dict[str, Any], count: int) -> dict[str, Any]:
    """Adds what the networks say of the sets; keeps the truth's features.

    Args:
      metrics: {"metrics": {bucket: ...}, "baselines": {method: ...}, ...},
        whose bucket `all` gets the scores.
      count: of pictures.

    Returns:
      `metrics`, with {"networks": ...} where there are any.
    """
    sets = {method: Features.of(p) for method, p in self._parts.items()}
    real = sets.pop(TRUTH, self._real)
    dimensions = 0
    if self._path and real:
      if not self.truth_is_known:
        features.save(self._path, real)
      buckets = method_buckets(metrics)
      for method, new in self._observer.set_scores(real, sets).items():
        buckets[method][ALL] |= new
      dimensions = real.values.shape[1]
    networks = self._observer.describe(count, dimensions)
    return metrics | ({"networks": networks} if networks else {})
