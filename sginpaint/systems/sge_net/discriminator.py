"""SGE-Net's discriminator (Liao et al., ECCV 2020, eq. 8)."""

import functools
from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.errors import UserError
from sginpaint.layers.discriminators import (
  MultiScalePatchGAN,
  PatchDiscriminator,
)


class Discriminator(nn.Module):
  """Patch discriminators on a pyramid (eq. 8); they see the picture alone.

  Attributes:
    widths: channels of the layers of each; the last has stride 1.
    scales: of the pyramid.
    deviation: of the normal distribution that kernels are drawn from.
    dtype: of the computation.
  """

  widths: Sequence[int] = (64, 128, 256, 512)
  scales: int = 3
  deviation: float = 0.02
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> list[jax.Array]:
    """Scores a picture [B, H, W, 3] in [-1, 1].

    Args:
      image: the picture.
      train: one power iteration of the spectral norms, whose collection
        "spectral_norm" must then be mutable.

    Returns:
      float32 logits [B, h, w, 1] of each scale, the finest first.

    Raises:
      UserError: no patch is left of the picture at the coarsest scale.
    """
    results = MultiScalePatchGAN(
      scales=self.scales,
      discriminator=functools.partial(
        PatchDiscriminator,
        widths=tuple(self.widths),
        strides=(2,) * (len(self.widths) - 1) + (1,),
        instance_norm_from=1,
        kernel_init=nn.initializers.normal(self.deviation),
        dtype=self.dtype,
      ),
      name="patches",
    )(image, train=train)
    logits = [scores for scores, _ in results]
    if not logits[-1].size:
      raise UserError(
        f"config.model.discriminator.scales={self.scales}: too much for "
        f"pictures of {image.shape[1]}x{image.shape[2]}; give less"
      )
    return logits
