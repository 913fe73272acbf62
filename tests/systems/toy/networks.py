"""Two networks made of the shared layers."""

from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp

from sginpaint.layers.discriminators import PatchDiscriminator
from sginpaint.layers.encoder_decoder import Decoder, Encoder, Stage


class Generator(nn.Module):
  """Picture with hole, mask and one-hot map to picture.

  Attributes:
    width: channels outside; twice as many inside.
    num_classes: K.
    dtype: of the computation.
  """

  width: int
  num_classes: int
  dtype: str = "float32"

  @nn.compact
  def __call__(self, image, mask, told, *, train=False):
    x = jnp.concatenate([image * (1 - mask), mask, told], axis=-1)
    stages = (Stage(self.width, 3), Stage(2 * self.width, 4, 2, padding=1))
    *_, x = Encoder(stages, name="encoder")(x.astype(self.dtype))
    decoder = Decoder((self.width,), output=Stage(3, 3), name="decoder")
    return {"image": nn.tanh(decoder(x)).astype(jnp.float32)}


class Discriminator(nn.Module):
  """Picture to one logit a patch."""

  widths: Sequence[int]

  @nn.compact
  def __call__(self, image, *, train=False):
    strides = (2,) * len(self.widths)
    patch = PatchDiscriminator(self.widths, strides, name="patch")
    return patch(image, train=train)[0]
