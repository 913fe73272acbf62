"""Training and serving of a multi-label classifier of attributes.

The network is the `generator`; there is no discriminator. The loss is ASL
(Ridnik et al., ICCV 2021) with unknown attributes (NaN) left out. With `holes`
it learns to read corrupted pictures, as the boosted GAN's attribute embedding
must: it sees grey (0 in [-1, 1]) inside the mask. With `pseudo_labels` it
learns from what another classifier says of the whole pictures.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import Batch, normalize_image
from sginpaint.errors import UserError
from sginpaint.losses.classification import asymmetric_loss
from sginpaint.systems.base import (
  Outputs,
  System,
  Terms,
  Variables,
  apply_module,
  build_network,
)
from sginpaint.systems.classifier.networks import NETWORKS
from sginpaint.systems.holes import grey_holes
from sginpaint.systems.pseudo_labels import (
  NONE,
  check_confidence,
  confident_attributes,
  read_whole,
)


@dataclasses.dataclass(frozen=True)
class Classifier(System):
  """Multi-label classification of whole or corrupted pictures.

  Attributes:
    gamma_negative: focusing exponent of absent attributes.
    gamma_positive: focusing exponent of present ones.
    margin: probability below which an absent attribute costs nothing.
    holes: whether about half of the training pictures, and all that are
      served with a mask, have grey holes.
    pseudo_labels: workdir of the classifier whose confident predictions take
      the place of the labels, or "none".
    confidence: what it must be surer of than that is a label.
  """

  gamma_negative: float = 4.0
  gamma_positive: float = 1.0
  margin: float = 0.05
  holes: bool = False
  pseudo_labels: str = NONE
  confidence: float = 0.9

  def __post_init__(self) -> None:
    check_confidence(self.confidence)

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
      num_classes: K; classifiers do not use it.
      num_attributes: A, the size of `attribute_logits`.
      dtype: "float32" or "bfloat16", of the computation.
      frozen: the network of `pseudo_labels`, where there are such.

    Raises:
      UserError: there is nothing to classify, or the network is not known.
      TypeError: a field of `model` or `objective` does not exist.
    """
    del num_classes
    if num_attributes < 1:
      raise UserError(
        "config.data has no attributes to classify; give the data set "
        "attributes.csv or labels, or name a trained classifier as "
        "config.objective.pseudo_labels"
      )
    generator = build_network(
      NETWORKS,
      model["generator"],
      num_classes=num_attributes,
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
    """Classifies `batch`.

    Returns:
      `attribute_logits` float32 [B, A] and the network's features (`layer1`..,
      `features`); and its updated collections.

    Raises:
      ValueError: `holes` in training without `batch.mask` or without `key`.
    """
    (image,) = self.generator_inputs(batch)
    if self.holes:
      image = grey_holes(key, image, batch.mask, train=train)
    outputs, collections = apply_module(
      self.generator, variables, image, train=train, key=key
    )
    outputs = dict(outputs)
    outputs["attribute_logits"] = outputs.pop("logits")
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
    """The term `classification` [B], summed over attributes."""
    targets = batch.attributes
    if self.pseudo_labels != NONE:
      whole = read_whole(self.frozen, frozen, batch)
      targets = confident_attributes(
        whole["logits"], confidence=self.confidence
      )
    loss = asymmetric_loss(
      outputs["attribute_logits"],
      targets,
      gamma_negative=self.gamma_negative,
      gamma_positive=self.gamma_positive,
      margin=self.margin,
    )
    return {"classification": loss}, {}

  def predict(
    self, variables: Variables, frozen: Mapping[str, Variables], batch: Batch
  ) -> dict[str, jax.Array]:
    """`attributes` [B, A] (probabilities), `attribute_logits`, `features`."""
    outputs, _ = self.generate(variables, frozen, batch, None, train=False)
    logits = outputs["attribute_logits"]
    return {
      "attributes": jax.nn.sigmoid(logits),
      "attribute_logits": logits,
      "features": outputs["features"],
    }
