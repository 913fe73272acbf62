"""Residual blocks of the generators.

The plain block follows edge-connect (Nazeri et al. 2019): no activation after
the sum. The dense block is the one of Zhang et al., "Residual Dense Network for
Image Super-Resolution" (CVPR 2018). Layout [B, H, W, C], any range.
"""

from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.normalization import SPADE

# Every branch starts at zero, every block as the identity: deep stacks without
# norms then train at once, whatever their depth.
_LAST = nn.initializers.zeros


class ResidualBlock(nn.Module):
  """x + conv(ReLU(conv(x))), reflect padding, no normalisation.

  Attributes:
    dilation: of the first convolution.
    conv: convolution to use; carries dtype and initialiser.
  """

  dilation: int = 1
  conv: Any = nn.Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, C]."""
    conv = _reflected(self.conv, x.shape[-1])
    y = conv(kernel_dilation=self.dilation, name="conv_0")(x)
    return x + conv(name="conv_1", kernel_init=_LAST)(nn.relu(y))


class SPADEResidualBlock(nn.Module):
  """x + twice (SPADE, ReLU, 3x3 convolution), reflect padding.

  Attributes:
    hidden: hidden channels of both SPADE layers.
    dilation: of the first convolution.
    norm: parameter-free norm of both SPADE layers, "instance" or "batch".
    conv: convolution to use; carries dtype and initialiser.
  """

  hidden: int = 128
  dilation: int = 1
  norm: str = "instance"
  conv: Any = nn.Conv

  @nn.compact
  def __call__(
    self, x: chex.Array, guidance: chex.Array, *, train: bool = False
  ) -> jax.Array:
    """Maps x [B, H, W, C], guided by [B, h, w, G], to [B, H, W, C]."""
    conv = _reflected(self.conv, x.shape[-1])
    y = x
    for i, dilation in enumerate((self.dilation, 1)):
      spade = SPADE(self.hidden, self.norm, self.conv, name=f"spade_{i}")
      y = nn.relu(spade(y, guidance, train=train))
      last = {"kernel_init": _LAST} if i else {}
      y = conv(kernel_dilation=dilation, name=f"conv_{i}", **last)(y)
    return x + y


class ResidualDenseBlock(nn.Module):
  """Densely connected 3x3 convolutions, fused by a 1x1 one and added to x.

  Attributes:
    layers: number of 3x3 convolutions; each sees all that came before it.
    growth: channels each of them adds.
    conv: convolution to use; carries dtype and initialiser.
  """

  layers: int = 6
  growth: int = 32
  conv: Any = nn.Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, C]."""
    dense = x
    for i in range(self.layers):
      new = nn.relu(self.conv(self.growth, (3, 3), name=f"conv_{i}")(dense))
      dense = jnp.concatenate([dense, new], axis=-1)
    fuse = self.conv(x.shape[-1], (1, 1), kernel_init=_LAST, name="fuse")
    return x + fuse(dense)


def _reflected(conv: Any, features: int) -> Any:
  """A constructor of 3x3 convolutions with reflect padding."""

  def build(**kwargs) -> nn.Module:
    return conv(features, (3, 3), padding="REFLECT", **kwargs)

  return build
