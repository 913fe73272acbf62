"""SGE-Net's training objective (Liao et al., ECCV 2020, eqs. 7-10).

Terms are sums over the five scales, of means over pixels where the paper writes
norms; pictures and logits are enlarged to full size first, bilinearly. X in
eqs. 7-8 must be the ground truth. Eq. 8 as printed ends in 1 - log D; this is
the usual game, with the non-saturating generator, on the raw final picture: the
means over the discriminator's scales, and of its two halves. Nothing is
composited in a loss. Pictures without labels (all 255) add no segmentation
loss.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import IGNORE, Batch, Guidance
from sginpaint.errors import UserError
from sginpaint.layers.resampling import resize_bilinear
from sginpaint.losses import adversarial, reconstruction
from sginpaint.losses.perceptual import PRESETS, Preset, perceptual_loss
from sginpaint.losses.segmentation import cross_entropy
from sginpaint.systems import base
from sginpaint.systems.base import name_at
from sginpaint.systems.sge_net.discriminator import Discriminator
from sginpaint.systems.sge_net.networks import SCALES, Generator

_PRESET = PRESETS["sge_net"]


@dataclasses.dataclass(frozen=True)
class SGENet(base.System):
  """Pictures and segmentations at five scales, judged by patches.

  Attributes:
    told: share of the training examples that their own labels guide, as at use
      a person's map may. The paper has none: its maps are read off the very
      features that they modulate, so that the decoder need not heed them.
    perceptual: which network the perceptual loss asks; training loads it as
      `frozen["perceptual"]`. "none" makes the term 0.
  """

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)
  PERCEPTUAL: ClassVar[Preset | None] = _PRESET

  told: float = 0.0
  perceptual: str = "none"

  @property
  def learns_from_maps(self) -> bool:
    """Wherever it predicts them."""
    return self.generator.segmentation

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
  ) -> "SGENet":
    """Builds the networks from config sections; see the base class.

    Raises:
      UserError: there are no classes to predict.
    """
    del num_attributes
    generator = Generator(
      **model["generator"], num_classes=num_classes, dtype=dtype
    )
    if generator.segmentation and num_classes < 1:
      raise UserError(
        "config.data has no classes to segment; give the data set labels, "
        "or use configs/basic_net_no_segmentation.py"
      )
    system = cls if generator.guided else BasicNet
    _check_told(system, objective)
    return system(
      generator=generator,
      discriminator=Discriminator(**model["discriminator"], dtype=dtype),
      frozen=frozen,
      **objective,
    )

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """Picture and mask and, where somebody gives it, the segmentation."""
    if batch.guidance is None or batch.guidance.segmentation is None:
      return batch.image, batch.mask
    return batch.image, batch.mask, batch.guidance.segmentation

  def discriminator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    return (batch.image,)

  def generate(self, variables, frozen, batch, key, *, train):
    """The outputs of `networks.Generator`, and its collections.

    Raises:
      ValueError: `told` in training without `key` or without labels.
    """
    if train and self.told:
      if key is None or batch.segmentation is None:
        raise ValueError("SGENet.told needs a key and batch.segmentation")
      told = jax.random.bernoulli(key, self.told, (len(batch.image), 1, 1))
      labels = jnp.where(told, batch.segmentation, IGNORE)
      batch = batch.replace(guidance=Guidance(segmentation=labels))
    return super().generate(variables, frozen, batch, key, train=train)

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 8 on the real and on the raw predicted picture."""
    del frozen
    real, collections = self._judge(variables, batch.image, key, train)
    variables = {**variables, **collections}
    fake, collections = self._judge(variables, outputs["image"], key, train)
    right = adversarial.mean_over_scales(adversarial.real_loss, real)
    wrong = adversarial.mean_over_scales(adversarial.fake_loss, fake)
    return {"adversarial": 0.5 * (right + wrong)}, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    """Eqs. 7 (its two parts apart), 8 and, where it is predicted, 9."""
    fake, collections = self._judge(
      disc_variables, outputs["image"], key, train
    )
    size = batch.image.shape[1:3]
    pictures = [
      resize_bilinear(outputs[name_at("image", scale)], size)
      for scale in SCALES
    ]
    terms = {
      "image": _total(reconstruction.l1(p, batch.image) for p in pictures),
      "perceptual": self._perceptual(frozen, pictures, batch.image),
      "adversarial": adversarial.mean_over_scales(
        adversarial.generator_loss, fake
      ),
    }
    if "segmentation_logits" in outputs:
      if batch.segmentation is None:
        raise ValueError("SGE-Net's loss needs batch.segmentation")
      terms["segmentation"] = _total(
        cross_entropy(
          resize_bilinear(outputs[name_at("segmentation_logits", scale)], size),
          batch.segmentation,
        )
        for scale in SCALES
      )
    return terms, collections

  def predict(self, variables, frozen, batch):
    """What is served.

    Returns:
      The outputs of `networks.Generator`, with "segmentation" int32 [B, H, W]
      (and "segmentation_4" ... at their scales) in place of the logits of
      coarser scales; and "scales", the raw pictures of all five, coarse to
      fine. The segmentation is the network's own, also where it was guided.
    """
    outputs, _ = self.generate(variables, frozen, batch, None, train=False)
    served = dict(outputs)
    served["scales"] = tuple(outputs[name_at("image", s)] for s in SCALES)
    for scale in SCALES if "segmentation_logits" in outputs else ():
      name = name_at("segmentation_logits", scale)
      found = jnp.argmax(outputs[name], axis=-1).astype(jnp.int32)
      served[name_at("segmentation", scale)] = found
      if scale:
        del served[name]
    return served

  def _judge(self, variables, image, key, train):
    return base.apply_module(
      self.discriminator, variables, image, train=train, key=key
    )

  def _perceptual(self, frozen, pictures, truth: chex.Array) -> jax.Array:
    if self.perceptual == "none":
      return jnp.zeros(len(truth))
    if "perceptual" not in self.frozen:
      raise ValueError(
        f"SGE-Net's loss needs the frozen network {self.perceptual!r}"
      )
    network = self.frozen["perceptual"]

    def see(picture: chex.Array) -> Any:
      return network.apply(frozen["perceptual"], picture, train=False)

    wanted = see(truth)
    return _total(
      perceptual_loss(see(p), wanted, layers=_PRESET.layers) for p in pictures
    )


def _check_told(system: type[SGENet], objective: Mapping[str, Any]) -> None:
  told = objective.get("told", 0.0)
  if not 0 <= told <= 1 or (told and not system.GUIDANCE):
    raise UserError(
      f"config.objective.told={told}: give a share in 0..1, and 0 where "
      "guided=False"
    )


@dataclasses.dataclass(frozen=True)
class BasicNet(SGENet):
  """Without SGIM: no segmentation can guide it."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ()


def _total(terms) -> jax.Array:
  return jnp.sum(jnp.stack(list(terms)), axis=0)
