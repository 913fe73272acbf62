"""Training and serving of a network that gives every pixel a class.

The network is the `generator`; there is no discriminator. As in the published
trainings the losses of all heads have weight 1: BiSeNet's main head and its two
auxiliary ones by OHEM cross-entropy, DeepLab's logits of each scale and their
maximum by cross-entropy, against labels of the size of the logits. Pixels of
class 255 cost nothing, classes are not balanced. With `holes` the network
learns to read corrupted pictures, grey inside the mask; with `pseudo_labels`
from what another segmenter says of the whole ones.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import Batch, normalize_image
from sginpaint.errors import UserError, check_choice
from sginpaint.losses.segmentation import cross_entropy, ohem_cross_entropy
from sginpaint.systems.base import (
  Outputs,
  System,
  Terms,
  Variables,
  apply_module,
  build_network,
)
from sginpaint.systems.holes import grey_holes
from sginpaint.systems.pseudo_labels import (
  NONE,
  check_confidence,
  confident_classes,
  read_whole,
)
from sginpaint.systems.segmenter.networks import NETWORKS

LOSSES = ("ohem", "cross_entropy")


@dataclasses.dataclass(frozen=True)
class Segmenter(System):
  """Classification of every pixel of whole or corrupted pictures.

  Attributes:
    loss: "ohem" (hard pixels only) or "cross_entropy".
    threshold: of OHEM: probability of the true class above which a pixel is
      not hard; a sixteenth of the pixels counts in any case.
    holes: whether about half of the training pictures, and all that are
      served with a mask, have grey holes.
    pseudo_labels: workdir of the segmenter whose confident predictions take
      the place of the labels, or "none".
    confidence: what it must be surer of than that is a label.
  """

  loss: str = "ohem"
  threshold: float = 0.7
  holes: bool = False
  pseudo_labels: str = NONE
  confidence: float = 0.9

  def __post_init__(self) -> None:
    check_confidence(self.confidence)
    check_choice("objective.loss", self.loss, LOSSES)

  @property
  def learns_from_maps(self) -> bool:
    """Yes, unless a trained segmenter makes them."""
    return self.pseudo_labels == NONE

  @classmethod
  def build(
    cls,
    *,
    model: Mapping[str, Any],
    objective: Mapping[str, Any],
    num_classes: int,
    num_attributes: int,
    dtype: str,
    frozen: Mapping[str, nn.Module],
  ) -> Self:
    """Builds the system from the fields of a config.

    Args:
      model: {"generator": a name of `NETWORKS`, and its fields}.
      objective: the fields of this class.
      num_classes: K, the last axis of `segmentation_logits`.
      num_attributes: A; segmenters do not use it.
      dtype: "float32" or "bfloat16", of the computation.
      frozen: the network of `pseudo_labels`, where there are such.

    Raises:
      UserError: the data has no classes, or the network or the loss is not
        known.
      TypeError: a field of `model` or `objective` does not exist.
    """
    del num_attributes
    if num_classes < 1:
      raise UserError(
        "config.data has no classes to segment; give the data set labels, or "
        "name a trained segmenter as config.objective.pseudo_labels"
      )
    generator = build_network(
      NETWORKS,
      model["generator"],
      num_classes=num_classes,
      dtype=jnp.dtype(dtype),
    )
    return cls(generator=generator, frozen=frozen, **objective)

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """The pictures, float in [-1, 1]."""
    return (normalize_image(batch.image),)

  def generate(
    self,
    variables: Variables,
    frozen: Mapping[str, Variables],
    batch: Batch,
    key: jax.Array | None,
    *,
    train: bool,
  ) -> tuple[Outputs, dict[str, Any]]:
    """Segments `batch`.

    Returns:
      `segmentation_logits` float32 [B, H, W, K], `auxiliary_<i>` and whatever
      else the network names; and its updated collections.

    Raises:
      ValueError: `holes` in training without `batch.mask` or without `key`.
    """
    (image,) = self.generator_inputs(batch)
    if self.holes:
      image = grey_holes(key, image, batch.mask, train=train)
    results, collections = apply_module(
      self.generator, variables, image, train=train, key=key
    )
    outputs = dict(results)
    for i, logits in enumerate(outputs.pop("auxiliary")):
      outputs[f"auxiliary_{i}"] = logits
    return outputs, collections

  def generator_terms(
    self,
    disc_variables: Variables | None,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
    *,
    train: bool,
  ) -> tuple[Terms, dict[str, Any]]:
    """The terms `segmentation` and `auxiliary` [B], the latter summed."""
    labels = batch.segmentation
    if not self.learns_from_maps:
      read = read_whole(self.frozen, frozen, batch)
      labels = confident_classes(
        read["segmentation_logits"], confidence=self.confidence
      )
    whole = outputs["segmentation_logits"]
    auxiliary = jnp.zeros(whole.shape[0])
    for name, logits in outputs.items():
      if name.startswith("auxiliary_"):
        auxiliary += self._loss(logits, labels)
    main = self._loss(outputs.get("coarse_logits", whole), labels)
    return {"segmentation": main, "auxiliary": auxiliary}, {}

  def _loss(self, logits: jax.Array, labels: chex.Array) -> jax.Array:
    labels = labels_at(labels, logits.shape[1], logits.shape[2])
    if self.loss == "cross_entropy":
      return cross_entropy(logits, labels)
    return ohem_cross_entropy(logits, labels, threshold=self.threshold)

  def predict(
    self, variables: Variables, frozen: Mapping[str, Variables], batch: Batch
  ) -> dict[str, jax.Array]:
    """What is served.

    Returns:
      `segmentation` int32 [B, H, W], `confidence` float32 [B, H, W] (the
      probability of that class) and `segmentation_logits` [B, H, W, K].
    """
    outputs, _ = self.generate(variables, frozen, batch, None, train=False)
    logits = outputs["segmentation_logits"]
    return {
      "segmentation": jnp.argmax(logits, axis=-1).astype(jnp.int32),
      "confidence": jnp.max(jax.nn.softmax(logits), axis=-1),
      "segmentation_logits": logits,
    }


def labels_at(labels: chex.Array, height: int, width: int) -> chex.Array:
  """Class indices [B, H, W] at another size, sampled at pixel centres."""
  if labels.shape[1:] == (height, width):
    return labels
  rows, columns = (
    (2 * np.arange(target) + 1) * source // (2 * target)
    for source, target in zip(labels.shape[1:], (height, width), strict=True)
  )
  return labels[:, rows][:, :, columns]
