"""Residual blocks of the generators.

The plain block follows edge-connect (Nazeri et al. 2019), with its norms or
without: no activation after the sum. The dense block is the one of Zhang et
al., "Residual Dense Network for Image Super-Resolution" (CVPR 2018). Of SPADE
blocks there are SPL's, which is the plain block with norms, and that of SPADE's
own authors (Park et al., CVPR 2019). Layout [B, H, W, C], any range.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.convolution import Conv, ConvParams, conv_general_dilated
from sginpaint.layers.normalization import SPADE
from sginpaint.layers.spectral_norm import SpectralConv

# Every branch starts at zero, every block as the identity: deep stacks without
# norms then train at once, whatever their depth.
_LAST = nn.initializers.zeros


class ResidualBlock(nn.Module):
  """x + conv(ReLU(conv(x))), reflect padding, and norms where wanted.

  Attributes:
    dilation: of the first convolution.
    norm: constructor of a norm behind each convolution, or None.
    conv: convolution to use; carries dtype and initialiser.
  """

  dilation: int = 1
  norm: Callable[..., nn.Module] | None = None
  conv: Any = Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, C]."""
    conv = _reflected(self.conv, x.shape[-1])
    y = conv(kernel_dilation=self.dilation, name="conv_0")(x)
    if self.norm is None:
      return x + conv(name="conv_1", kernel_init=_LAST)(nn.relu(y))
    y = nn.relu(self.norm(name="norm_0")(y))
    # Not from zero: a norm makes one of whatever first leaves zero.
    return x + self.norm(name="norm_1")(conv(name="conv_1")(y))


class SPADEResidualBlock(nn.Module):
  """SPL's: x + twice (SPADE, ReLU, 3x3 convolution), reflect padding.

  Attributes:
    hidden: hidden channels of both SPADE layers.
    dilation: of the first convolution.
    norm: parameter-free norm of both SPADE layers, "instance" or "batch".
    conv: convolution to use; carries dtype and initialiser.
  """

  hidden: int = 128
  dilation: int = 1
  norm: str = "instance"
  conv: Any = Conv

  @nn.compact
  def __call__(
    self, x: chex.Array, guidance: chex.Array, *, train: bool = False
  ) -> jax.Array:
    """Maps x [B, H, W, C], guided by [B, h, w, G], to [B, H, W, C]."""
    conv = _reflected(self.conv, x.shape[-1])
    y = x
    for i, dilation in enumerate((self.dilation, 1)):
      spade = SPADE(self.hidden, self.norm, conv=self.conv, name=f"spade_{i}")
      y = nn.relu(spade(y, guidance, train=train))
      last = {"kernel_init": _LAST} if i else {}
      y = conv(kernel_dilation=dilation, name=f"conv_{i}", **last)(y)
    return x + y


class SPADEResNetBlock(nn.Module):
  """SPADE's own: twice (SPADE, LeakyReLU 0.2, spectral 3x3 convolution) + x.

  As in the authors' code (NVlabs/SPADE): zero padding, the narrower of the two
  widths between the convolutions, and, where the block changes the width, a
  shortcut of SPADE and a spectral 1x1 convolution without bias or activation.

  Attributes:
    features: channels out.
    hidden: hidden channels of the SPADE layers.
    norm: their parameter-free norm, "instance" or "batch".
    dtype: of the computation.
    kernel_init: initialiser of all kernels.
  """

  features: int
  hidden: int = 128
  norm: str = "instance"
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(
    self, x: chex.Array, guidance: chex.Array, *, train: bool = False
  ) -> jax.Array:
    """Maps x [B, H, W, C], guided by [B, h, w, G], to [B, H, W, features].

    In training the collection "spectral_norm", and with `norm="batch"` also
    "batch_stats", must be mutable.
    """
    options = {"dtype": self.dtype, "kernel_init": self.kernel_init}
    conv: Any = functools.partial(SpectralConv, **options)

    def spade(x: jax.Array, name: str) -> jax.Array:
      plain = functools.partial(Conv, **options)
      layer = SPADE(self.hidden, self.norm, conv=plain, name=f"spade_{name}")
      return layer(x, guidance, train=train)

    y, middle = x, min(x.shape[-1], self.features)
    for i, width in enumerate((middle, self.features)):
      y = nn.leaky_relu(spade(y, str(i)), 0.2)
      y = conv(width, (3, 3), name=f"conv_{i}")(y, train=train)
    if x.shape[-1] != self.features:
      shortcut = conv(
        self.features, (1, 1), use_bias=False, name="conv_shortcut"
      )
      x = shortcut(spade(x, "shortcut"), train=train)
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
  conv: Any = Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, C]."""
    kernels, biases = zip(
      *(
        ConvParams(self.conv, self.growth, (3, 3), name=f"conv_{i}")(
          x.shape[-1] + i * self.growth
        )
        for i in range(self.layers)
      ),
      strict=True,
    )
    fuse = self.conv(x.shape[-1], (1, 1), kernel_init=_LAST, name="fuse")
    return x + fuse(self._dense(x, kernels, biases))

  def _dense(
    self, x: jax.Array, kernels: Sequence[Any], biases: Sequence[Any]
  ) -> jax.Array:
    """x and the output of every 3x3 convolution, joined.

    Each map is convolved once for all the layers that see it, in place of the
    joined maps once for each layer: wider products, and nothing is copied.
    """
    maps, sums = [x.astype(kernels[0].dtype)], jnp.concatenate(biases)
    begin = 0
    for i in range(self.layers):
      end = x.shape[-1] + i * self.growth
      seen = [kernel[:, :, begin:end] for kernel in kernels[i:]]
      sums = sums + conv_general_dilated(
        maps[-1], jnp.concatenate(seen, axis=-1), (1, 1), "SAME"
      )
      maps.append(nn.relu(sums[..., : self.growth]))
      sums, begin = sums[..., self.growth :], end
    return jnp.concatenate(maps, axis=-1)


def _reflected(conv: Any, features: int) -> Any:
  """A constructor of 3x3 convolutions with reflect padding."""

  def build(**kwargs) -> nn.Module:
    return conv(features, (3, 3), padding="REFLECT", **kwargs)

  return build
