"""A fifth system: a generator that a label map guides, and its opponent."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from sginpaint.batch import IGNORE, Guidance, one_hot_segmentation
from sginpaint.losses import adversarial, reconstruction
from sginpaint.losses.perceptual import Preset
from sginpaint.systems import base
from tests.systems.toy.networks import Discriminator, Generator


@dataclasses.dataclass(frozen=True)
class Toy(base.System):
  """Fills what a map asks for; nothing is known of it outside its folder.

  Attributes:
    delta: extra weight of the hole.
    perceptual: which network would compare pictures.
  """

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)
  PERCEPTUAL: ClassVar[Preset | None] = Preset("vgg16", {"relu1_1": 1.0}, "l1")

  delta: float = 4.0
  perceptual: str = "none"

  @property
  def learns_from_maps(self):
    return True

  @classmethod
  def build(
    cls, *, model, objective, num_classes, num_attributes, dtype, frozen
  ):
    del num_attributes
    generator = Generator(
      **model["generator"], num_classes=num_classes, dtype=dtype
    )
    discriminator = Discriminator(**model["discriminator"])
    return cls(generator, discriminator, frozen, **objective)

  def generator_inputs(self, batch):
    told = None if batch.guidance is None else batch.guidance.segmentation
    if told is None:
      told = jnp.full(batch.image.shape[:3], IGNORE, jnp.int32)
    one_hot = one_hot_segmentation(told, self.generator.num_classes)
    return batch.image, batch.mask, one_hot

  def discriminator_inputs(self, batch):
    return (batch.image,)

  def generate(self, variables, frozen, batch, key, *, train):
    if train:
      batch = batch.replace(guidance=Guidance(segmentation=batch.segmentation))
    return super().generate(variables, frozen, batch, key, train=train)

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    real, collections = self._judge(variables, batch.image, train)
    variables = {**variables, **collections}
    fake, collections = self._judge(variables, outputs["image"], train)
    loss = adversarial.discriminator_loss(real, fake, kind="hinge")
    return {"game": loss}, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    fake, collections = self._judge(disc_variables, outputs["image"], train)
    weight = reconstruction.hole_weight(batch.mask, self.delta)
    image = reconstruction.l1(outputs["image"], batch.image, weight=weight)
    game = adversarial.generator_loss(fake, kind="hinge")
    return {"image": image, "game": game}, collections

  def _judge(self, variables, image, train):
    return base.apply_module(self.discriminator, variables, image, train=train)
