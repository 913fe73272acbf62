"""A system of two tiny networks, so that training tests compile in a second."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp

from sginpaint.systems import base


class ToyGenerator(nn.Module):
  """Picture with hole and mask to picture; counts its training calls."""

  @nn.compact
  def __call__(self, image, mask, *, train=False):
    calls = self.variable("counter", "calls", lambda: jnp.zeros((), jnp.int32))
    if train:
      calls.value += 1
    x = jnp.concatenate([image * (1 - mask), mask], axis=-1)
    x = nn.relu(nn.Conv(4, (3, 3), name="first")(x))
    return {"image": nn.tanh(nn.Conv(3, (3, 3), name="last")(x))}


class ToyDiscriminator(nn.Module):
  """Picture to one logit per patch; counts its training calls."""

  @nn.compact
  def __call__(self, image, *, train=False):
    calls = self.variable("counter", "calls", lambda: jnp.zeros((), jnp.int32))
    if train:
      calls.value += 1
    return nn.Conv(1, (4, 4), strides=2, name="only")(image)


@dataclasses.dataclass(frozen=True)
class ToySystem(base.System):
  """L1 and a least-squares game."""

  @classmethod
  def build(cls, *, adversarial: bool = True):
    return cls(
      generator=ToyGenerator(),
      discriminator=ToyDiscriminator() if adversarial else None,
    )

  def generator_inputs(self, batch):
    return batch.image, batch.mask

  def discriminator_inputs(self, batch):
    return (batch.image,)

  def generate(self, variables, frozen, batch, key, *, train):
    return base.apply_module(
      self.generator, variables, batch.image, batch.mask, train=train
    )

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    real, collections = base.apply_module(
      self.discriminator, variables, batch.image, train=train
    )
    fake, collections = base.apply_module(
      self.discriminator,
      {**variables, **collections},
      outputs["image"],
      train=train,
    )
    real, fake = ((real - 1) ** 2).mean((1, 2, 3)), (fake**2).mean((1, 2, 3))
    return {"game": real + fake}, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    terms = {"l1": jnp.abs(outputs["image"] - batch.image).mean((1, 2, 3))}
    if self.discriminator is None:
      return terms, {}
    logits, collections = base.apply_module(
      self.discriminator, disc_variables, outputs["image"], train=train
    )
    return terms | {"game": ((logits - 1) ** 2).mean((1, 2, 3))}, collections

  def predict(self, variables, frozen, batch):
    return self.generate(variables, frozen, batch, None, train=False)[0]
