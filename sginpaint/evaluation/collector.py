"""Gathers the features of an evaluation and compares the sets at its end."""

from typing import Any

from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.data.transforms import describe_preprocessing
from sginpaint.evaluation import features
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.perceptual_metrics import Observer
from sginpaint.evaluation.predictor import Measured
from sginpaint.evaluation.results import ALL, SYSTEM, TRUTH


class Collector:
  """Features of the truth and of every method, batch by batch.

  Attributes:
    truth_is_known: the features of the true pictures were on disk.
  """

  def __init__(
    self,
    observer: Observer,
    split: Split,
    manifest: Manifest,
    config: ConfigDict,
  ):
    """Looks for the features of the true pictures on disk.

    Args:
      observer: whose network makes the features, if any.
      split: of the data set.
      manifest: which of its pictures are evaluated.
      config: of the checkpoint and this evaluation.
    """
    self._observer = observer
    self._parts: dict[str, list[Any]] = {}
    self._real = self._path = None
    if observer.hash:
      self._path = features.real_path(
        network=observer.hash,
        fingerprint=split.fingerprint,
        indices=manifest.indices,
        preprocessing=describe_preprocessing(
          resize=config.data.resize,
          crop="center",
          crop_size=config.data.crop_size,
          size=config.data.image_size,
        ),
      )
      self._real = features.load(self._path)
    self.truth_is_known = self._real is not None

  def add(self, measured: Measured) -> None:
    """Takes in a batch; its padding is gone already."""
    for method, values in measured.features.items():
      self._parts.setdefault(method, []).append((measured.index, values))

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
      buckets = {SYSTEM: metrics["metrics"], **metrics["baselines"]}
      for method, new in self._observer.set_scores(real, sets).items():
        buckets[method][ALL] |= new
      dimensions = real.values.shape[1]
    networks = self._observer.describe(count, dimensions)
    return metrics | ({"networks": networks} if networks else {})
