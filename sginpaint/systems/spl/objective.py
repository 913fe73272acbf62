"""SPL's training objective (Zhang et al., IJCAI 2021, eqs. 5 and 9-12).

Departures, all in line with the official code: the generator's adversarial
loss is the non-saturating one (eq. 10 as printed has the wrong sign); losses
are means, not norms; the discriminator's two halves are averaged. The paper's
delta is 5, its code has 2: `objective.delta`, 5 by default.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import chex
import flax.linen as nn
import jax

from sginpaint.batch import Batch
from sginpaint.losses import adversarial, distillation, reconstruction
from sginpaint.systems import base
from sginpaint.systems.spl import networks


@dataclasses.dataclass(frozen=True)
class SPL(base.System):
  """Generator, PatchGAN and the prior distilled from a classifier.

  Attributes:
    alpha: extra weight of the hole in the prior loss (eq. 5).
    delta: extra weight of the hole in the image loss (eq. 9).
    teacher_layer: output of `frozen["teacher"]` that is taught, when the
      features are not precomputed.
  """

  alpha: float = 3.0
  delta: float = 5.0
  teacher_layer: str = "layer2"

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
  ) -> "SPL":
    """Builds the networks from config sections; labels are not used."""
    del num_classes, num_attributes
    return cls(
      generator=networks.Generator(**model["generator"], dtype=dtype),
      discriminator=networks.Discriminator(
        **model["discriminator"], dtype=dtype
      ),
      frozen=frozen,
      **objective,
    )

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    return batch.image, batch.mask

  def discriminator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    return (batch.image,)

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 11 on the real and on the raw predicted picture."""
    del frozen
    real, collections = self._judge(variables, batch.image, key, train)
    variables = {**variables, **collections}
    fake, collections = self._judge(variables, outputs["image"], key, train)
    return {
      "adversarial": adversarial.discriminator_loss(real, fake, kind="bce")
    }, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    """Eqs. 9, 10 and, where the network predicts priors, 5."""
    fake, collections = self._judge(
      disc_variables, outputs["image"], key, train
    )
    terms = {
      # The paper's pictures are in [0, 1], ours in [-1, 1]: half the distance.
      "image": 0.5
      * reconstruction.l1(
        outputs["image"],
        batch.image,
        weight=reconstruction.hole_weight(batch.mask, self.delta),
      ),
      "adversarial": adversarial.generator_loss(fake, kind="bce"),
    }
    if "prior" in outputs:
      terms["prior"] = distillation.prior_loss(
        outputs["prior"],
        self._teacher_features(frozen, batch),
        batch.mask,
        alpha=self.alpha,
      )
    return terms, collections

  def _judge(self, variables, image, key, train):
    (logits, _), collections = base.apply_module(
      self.discriminator, variables, image, train=train, key=key
    )
    return logits, collections

  def _teacher_features(self, frozen, batch: Batch) -> jax.Array:
    if batch.teacher_features is not None:
      return batch.teacher_features
    if batch.teacher_image is None:
      raise ValueError(
        "SPL with prior_channels > 0 needs batch.teacher_features, or "
        "batch.teacher_image and a frozen teacher"
      )
    outputs: Any = self.frozen["teacher"].apply(
      frozen["teacher"], batch.teacher_image, train=False
    )
    return jax.lax.stop_gradient(outputs[self.teacher_layer])
