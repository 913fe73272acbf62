"""Retrieval by the pictures of every method, while they are evaluated.

`config.eval.retrieval_network` names the network, as `pretrained.py` says.
VGG-16 gives its second fully connected layer after the ReLU ("DF.FC2" of Li et
al., IJCNN 2019); a classifier of another kind its `features`. They are brought
to length 1 and compared by Euclidean distance. `random:<seed>` is a narrow
VGG-16 (`_SMALL`) with random values, for tests and for comparing with nothing
learnt.

Only the published VGG-16 gives a score of the usual name; see
`perceptual_metrics.label`. The features of the gallery are float32 [N, F],
made once and kept on disk; of the filled pictures only scores are kept.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from sginpaint.backbones.lpips import LPIPS
from sginpaint.backbones.vgg import VGG
from sginpaint.batch import Batch, normalize_image
from sginpaint.data.pipeline import evaluation_batches, geometry_options
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation import features, placement
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.perceptual_metrics import label
from sginpaint.evaluation.results import TRUTH, Row
from sginpaint.evaluation.retrieval import (
  average_precisions,
  normalised,
  relevant_numbers,
)
from sginpaint.files import digest
from sginpaint.pretrained import Pretrained, load_network

NAME = "retrieval"
_FIELD = "config.eval.retrieval_network"
_LAYERS = ("fc7", "features")  # the first that a network has
_SMALL = VGG(num_classes=1, widths=(16, 32, 64, 128, 128), hidden=(256, 256))


class RetrievalReviewer:
  """A network on all local devices, and the gallery as it sees it."""

  REMEMBERS: ClassVar[bool] = False

  def __init__(
    self, network: Pretrained, layer: str, *, split: Split, config: ConfigDict
  ):
    """Counts what is relevant; pictures are looked at when they are needed.

    Args:
      network: that makes features.
      layer: key of its outputs.
      split: whose pictures are the gallery.
      config: of the checkpoint and this evaluation.

    Raises:
      UserError: see `relevant_numbers`.
    """
    self.memory: list[Any] = []
    self._network, self._layer = network, layer
    self._split, self._config = split, config
    groups = config.eval.retrieval_groups
    self._relevant = relevant_numbers(split.ids, groups)
    self._name = label("retrieval_map", network)
    self._variables = placement.everywhere(network.variables)

    def look(variables, pictures):
      outputs = network.module.apply(variables, normalize_image(pictures))
      return outputs[layer].astype(jnp.float32)

    self._look = jax.jit(look)

  @property
  def hash(self) -> str:
    """Of the network's values, the layer and the ground truth."""
    relevant = self._relevant.astype(np.int64).tobytes()
    return digest(self._network.hash, self._layer, relevant)

  @property
  def measures(self) -> tuple[Measure, ...]:
    """The average precision of a picture; its mean is the mAP."""
    shown = self._name.replace("retrieval_map", "retrieval mAP", 1)
    return (Measure(self._name, None, shown, digits=4, partial=True),)

  @functools.cached_property
  def gallery(self) -> np.ndarray:
    """float32 [N, F], rows of length 1, of all clean pictures of the split."""
    path = features.path_of(
      digest(self._network.hash, self._layer),
      self._split,
      range(len(self._split)),
      self._config.data,
    )
    found = features.load(path)
    if found is None:
      found = self._looked_at()
      features.save(path, found)
    return normalised(found.values)

  def _looked_at(self) -> Features:
    parts = []
    with evaluation_batches(
      self._split,
      batch_size=placement.batch_size(self._config.eval.batch_size),
      **geometry_options(self._config.data, train=False),
    ) as batches:
      for batch in batches:
        valid = np.asarray(batch.valid)
        pictures = jax.device_put(batch.image, placement.in_parts())
        values = np.asarray(self._look(self._variables, pictures))
        parts.append((np.asarray(batch.index)[valid], values[valid]))
    return Features.of(parts)

  def review(
    self, pictures: Mapping[str, jax.Array], batch: Batch
  ) -> dict[str, dict[str, np.ndarray]]:
    """Ranks the gallery by each method's pictures; see `Reviewer`."""
    index = np.asarray(batch.index)
    # All are sent off before the first is waited for.
    seen = {
      method: self._look(self._variables, x)
      for method, x in pictures.items()
      if method != TRUTH
    }
    found = average_precisions(
      self.gallery[index],
      {method: normalised(x) for method, x in seen.items()},
      self.gallery,
      own=index,
      relevant=self._relevant[index],
    )
    return {method: {self._name: values} for method, values in found.items()}

  def finish(
    self, metrics: dict[str, Any], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Adds the section."""
    methods = {}
    for method in rows[0].scores:
      scores = np.array([row.scores[method][self._name] for row in rows])
      there = scores[~np.isnan(scores)]
      methods[method] = float(there.mean()) if there.size else None
    relevant = self._relevant[[row.index for row in rows]]
    queries = relevant[relevant > 0]
    network = self._network
    section = {
      "hash": self.hash,
      "network": {
        "name": network.name,
        "hash": network.hash,
        "official": network.official,
        "layer": self._layer,
        "image_size": self._config.data.image_size,
      },
      "measure": self._name,
      "gallery": len(self._split),
      "queries": len(queries),
      "groups": self._config.eval.retrieval_groups,
      "relevant": float(queries.mean()) if len(queries) else None,
      "methods": methods,
    }
    return metrics | {"analyses": metrics.get("analyses", {}) | {NAME: section}}


def load_retrieval_reviewer(
  config: ConfigDict, split: Split
) -> RetrievalReviewer | None:
  """By the network that `config.eval.retrieval_network` names; None for none.

  Raises:
    UserError: it has no features to compare, or see `load_network` and
      `relevant_numbers`.
  """
  spec = config.eval.retrieval_network
  network = load_network(spec, field=_FIELD, model="vgg16", default=_SMALL)
  if network is None:
    return None
  size = config.data.image_size
  outputs: Any = {}
  if not isinstance(network.module, LPIPS):  # which takes two pictures
    outputs = jax.eval_shape(
      network.module.apply, network.variables, jnp.zeros((1, size, size, 3))
    )
  layer = next((name for name in _LAYERS if name in outputs), None)
  if layer is None:
    raise UserError(
      f"{_FIELD}={spec}: {network.name} has no features of a picture; give "
      "vgg16 with its fully connected layers, or a classifier"
    )
  return RetrievalReviewer(network, layer, split=split, config=config)
