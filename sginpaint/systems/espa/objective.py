"""ESPA's training in three stages (Yu et al., eqs. 4-9), and its serving.

Stage 1 trains the autoencoder, stage 2 the semantic decoder on its features and
the true segmentation, stage 3 both, on the sum of both losses. Losses are on
the raw pictures, means where the paper writes norms. Eq. 8 as printed has the
two targets of least squares swapped; here real is 1, and the discriminator's
two halves are averaged.

Served, the guiding map is what the frozen segmenter says of the composited
coarse result, or, where a person says so, another class. Without segmenter the
map is what a person says; elsewhere it says nothing.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import IGNORE, Batch, composite
from sginpaint.errors import UserError
from sginpaint.losses import adversarial, reconstruction
from sginpaint.losses.perceptual import PRESETS, Preset, perceptual_loss
from sginpaint.systems import base
from sginpaint.systems.espa.discriminator import Discriminator
from sginpaint.systems.espa.networks import Generator

_PRESET = PRESETS["espa"]
_LEAST_SQUARES: adversarial.Kind = "least_squares"


@dataclasses.dataclass(frozen=True)
class ESPA(base.System):
  """Coarse autoencoder, then a decoder that a label map guides; three stages.

  This class is stages 2 and 3.

  Attributes:
    stage: 2 holds the autoencoder, 3 trains it too. Which parameters an
      optimiser may touch, `config.optimizer.frozen` says besides.
    perceptual: which network the perceptual loss asks; training loads it as
      `frozen["perceptual"]`. "none" makes the term 0.
    segmenter: which one predicts the guiding map, `frozen["segmenter"]`;
      "none": nothing is predicted, and the map must be given (`needs_map`).
  """

  SERVED: ClassVar[tuple[str, ...]] = ("segmenter",)
  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)
  PERCEPTUAL: ClassVar[Preset | None] = _PRESET

  stage: int = 2
  perceptual: str = "none"
  segmenter: str = "none"

  @property
  def needs_map(self) -> bool:
    """Without segmenter."""
    return self.segmenter == "none"

  @property
  def learns_from_maps(self) -> bool:
    """They guide the training of the decoder."""
    return True

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
  ) -> "ESPA":
    """Builds the networks from config sections; see the base class.

    Raises:
      UserError: the stage is unknown or not one of such a generator, or there
        are no classes.
    """
    del num_attributes
    stage, decoder = objective["stage"], model["generator"].get("decoder")
    if stage not in (1, 2, 3) or (stage == 1) != (decoder is None):
      raise UserError(
        f"config.objective.stage={stage}: with model.generator.decoder "
        f"{'absent' if decoder is None else 'given'}; stage 1 has none, "
        "stages 2 and 3 have one"
      )
    if stage > 1 and num_classes < 1:
      raise UserError(
        "config.data has no classes to guide by; give the data set labels, "
        "or use configs/espa_stage1.py"
      )
    system = cls if stage > 1 else FirstStage
    return system(
      generator=Generator(
        **model["generator"], num_classes=num_classes, dtype=dtype
      ),
      discriminator=(
        Discriminator(**model["discriminator"], dtype=dtype)
        if stage > 1
        else None
      ),
      frozen=frozen,
      **objective,
    )

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """Picture, mask and the true segmentation: training knows it."""
    return batch.image, batch.mask, batch.segmentation

  def discriminator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    return (batch.image,)

  def generate(self, variables, frozen, batch, key, *, train):
    """The outputs of `networks.Generator`; stage 2 holds the autoencoder."""
    if self.stage == 2:  # no gradient is computed that nobody wants
      held = jax.lax.stop_gradient(variables["params"]["autoencoder"])
      params = {**variables["params"], "autoencoder": held}
      variables = {**variables, "params": params}
    return super().generate(variables, frozen, batch, key, train=train)

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 8 on the real and on the raw final picture."""
    del frozen
    real, collections = self._judge(variables, batch.image, key, train)
    variables = {**variables, **collections}
    fake, collections = self._judge(variables, outputs["image"], key, train)
    loss = adversarial.discriminator_loss(real, fake, kind=_LEAST_SQUARES)
    return {"adversarial": loss}, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 9, in stage 3 with eq. 6 for the coarse picture."""
    terms = self._likeness(frozen, batch, outputs["image"])
    if self.stage == 3:
      coarse = self._likeness(frozen, batch, outputs["coarse"])
      terms |= {f"coarse_{name}": term for name, term in coarse.items()}
    fake, collections = self._judge(
      disc_variables, outputs["image"], key, train
    )
    terms["adversarial"] = adversarial.generator_loss(fake, kind=_LEAST_SQUARES)
    return terms, collections

  def predict(self, variables, frozen, batch):
    """What is served: `complete` of what `prepare` says.

    Returns:
      "image" and "coarse" [B, H, W, 3] in [-1, 1], raw; "features"
      [B, H/4, W/4, C]; with a segmenter "segmentation" int32 [B, H, W], its
      own reading of the coarse result also where somebody said otherwise, and
      "confidence" and "segmentation_logits".
    """
    prepared = self.prepare(variables, frozen, batch)
    return self.complete(variables, frozen, batch, prepared)

  def prepare(self, variables, frozen, batch):
    """Stage 1, and the segmenter on its composited result."""
    outputs = self.generator.apply(
      variables, batch.image, batch.mask, method="encode"
    )
    if self.segmenter == "none":
      return outputs
    seen = composite(outputs["coarse"], batch.image, batch.mask)
    logits = self.frozen["segmenter"].apply(
      frozen["segmenter"], seen, train=False
    )["segmentation_logits"]
    return outputs | {
      "segmentation": jnp.argmax(logits, axis=-1).astype(jnp.int32),
      "confidence": jnp.max(jax.nn.softmax(logits), axis=-1),
      "segmentation_logits": logits,
    }

  def complete(self, variables, frozen, batch, prepared):
    """The semantic decoder (eq. 7) on the features that were kept."""
    del frozen
    unsaid = jnp.full(prepared["coarse"].shape[:3], IGNORE, jnp.int32)
    predicted = prepared.get("segmentation", unsaid)
    said = batch.guidance and batch.guidance.segmentation
    if said is not None:
      predicted = jnp.where(said == IGNORE, predicted, said)
    image = self.generator.apply(
      variables, prepared["features"], predicted, method="decode"
    )
    return {**prepared, "image": image}

  def _judge(self, variables, image, key, train):
    (logits, _), collections = base.apply_module(
      self.discriminator, variables, image, train=train, key=key
    )
    return logits, collections

  def _likeness(self, frozen, batch: Batch, picture: jax.Array) -> base.Terms:
    """Eqs. 4 and 5."""
    return {
      "image": reconstruction.l1(picture, batch.image),
      "perceptual": self._perceptual(frozen, picture, batch.image),
    }

  def _perceptual(self, frozen, picture, truth: chex.Array) -> jax.Array:
    if self.perceptual == "none":
      return jnp.zeros(len(truth))
    network: Any = self.frozen["perceptual"]
    seen, wanted = (
      network.apply(frozen["perceptual"], x, train=False)
      for x in (picture, truth)
    )
    return perceptual_loss(
      seen, wanted, layers=_PRESET.layers, kind=_PRESET.kind
    )


@dataclasses.dataclass(frozen=True)
class FirstStage(ESPA):
  """Stage 1: the coarse picture is the picture, and no map can guide it."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ()

  @property
  def needs_map(self) -> bool:
    """It takes none."""
    return False

  @property
  def learns_from_maps(self) -> bool:
    """It sees pictures only."""
    return False

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    return batch.image, batch.mask

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 6."""
    del disc_variables, key, train
    return self._likeness(frozen, batch, outputs["image"]), {}

  def complete(self, variables, frozen, batch, prepared):
    """The coarse picture, and what the segmenter says of it."""
    del variables, frozen, batch
    return {**prepared, "image": prepared["coarse"]}
