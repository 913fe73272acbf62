"""Patch discriminators: one score per receptive field, at one or many scales.

PatchGAN is Isola et al., "Image-to-Image Translation with Conditional
Adversarial Networks" (CVPR 2017); several of them on a pyramid are Wang et al.,
pix2pixHD (CVPR 2018). Layout [B, H, W, C]; scores are logits, and every
intermediate activation is returned for feature-matching losses. `SPADE_TORCH`
names the tensors of the one published with SPADE.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.convolution import Conv
from sginpaint.layers.normalization import instance_norm
from sginpaint.layers.spectral_norm import SpectralConv

Scores = tuple[jax.Array, list[jax.Array]]
_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
  """4x4 convolutions with LeakyReLU 0.2, ending in one channel of logits.

  Attributes:
    widths: channels of every layer but the last.
    strides: their strides; the last convolution has stride 1.
    padding: zeros on each side, at every layer.
    spectral: divide kernels by their spectral norm.
    instance_norm_from: first layer (counted from 0) that is instance
      normalised before its activation; None for none. The last never is.
    use_bias: of every convolution.
    plain_ends: the first and the last convolution have a bias and no spectral
      norm whatever the fields above say (SPADE).
    last_padding: zeros (before, after) at the last layer; None for `padding`.
    last_bias: of the last convolution, where the others have one.
    dtype: of the computation.
    kernel_init: initialiser of the kernels.
  """

  widths: Sequence[int] = (64, 128, 256, 512)
  strides: Sequence[int] = (2, 2, 2, 1)
  padding: int = 1
  spectral: bool = True
  instance_norm_from: int | None = None
  use_bias: bool = True
  plain_ends: bool = False
  last_padding: tuple[int, int] | None = None
  last_bias: bool = True
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.normal(0.02)

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool = False) -> Scores:
    """Scores every patch.

    Args:
      x: [B, H, W, C].
      train: one power iteration of the spectral norms, whose collection
        "spectral_norm" must then be mutable.

    Returns:
      Logits [B, h, w, 1] in float32, and the outputs of all layers, logits
      last.
    """
    chex.assert_rank(x, 4)
    features = []
    layers = zip(self.widths, self.strides, strict=True)
    for i, (width, stride) in enumerate(layers):
      x = self._conv(x, i, width, stride, train)
      if self.instance_norm_from is not None and i >= self.instance_norm_from:
        x = instance_norm(x)
      x = nn.leaky_relu(x, _SLOPE)
      features.append(x)
    logits = self._conv(x, len(self.widths), 1, 1, train).astype(jnp.float32)
    return logits, [*features, logits]

  def _conv(
    self, x: chex.Array, index: int, width: int, stride: int, train: bool
  ) -> jax.Array:
    last = index == len(self.widths)
    plain = self.plain_ends and (last or not index)
    edge = (self.padding, self.padding)
    if last and self.last_padding is not None:
      edge = self.last_padding
    use_bias = (self.use_bias or plain) and (self.last_bias or not last)
    options = {
      "features": width,
      "kernel_size": (4, 4),
      "strides": stride,
      "padding": (edge, edge),
      "use_bias": use_bias,
      "dtype": self.dtype,
      "kernel_init": self.kernel_init,
      "name": f"plain_{index}" if plain else f"conv_{index}",
    }
    if self.spectral and not plain:
      return SpectralConv(**options)(x, train=train)
    return Conv(**options)(x)


class MultiScalePatchGAN(nn.Module):
  """Patch discriminators of the same shape on a pyramid of the input.

  Attributes:
    scales: number of discriminators; each next one sees the input halved by a
      3x3 average pool that does not count its padding.
    discriminator: constructor of one, `discriminator(name=...)`.
  """

  scales: int = 3
  discriminator: Any = PatchDiscriminator

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool = False) -> list[Scores]:
    """Scores [B, H, W, C] at every scale, the finest first."""
    results = []
    for i in range(self.scales):
      if i:
        x = halve(x)
      scale = self.discriminator(name=f"scale_{i}")
      results.append(scale(x, train=train))
    return results


def halve(x: chex.Array) -> jax.Array:
  """3x3 average pool, stride 2, padding 1 that the mean does not count."""
  pad = ((1, 1), (1, 1))
  return nn.avg_pool(x, (3, 3), (2, 2), pad, count_include_pad=False)


_SPADE_FIRST = "discriminator_0.model0.0.weight"


def build_spade_discriminator(
  shapes: Mapping[str, tuple[int, ...]],
) -> MultiScalePatchGAN:
  """The discriminator of SPADE that tensors of these shapes belong to.

  It takes the one-hot label map and the picture in [-1, 1], joined in this
  order along the channels.
  """
  spectral = "discriminator_0.model{}.0.0.weight_orig"
  widths = [shapes[_SPADE_FIRST][0]]
  for i in range(1, _count(shapes, r"discriminator_0\.model(\d+)\.") - 1):
    widths.append(shapes[spectral.format(i)][0])
  return MultiScalePatchGAN(
    scales=_count(shapes, r"discriminator_(\d+)\."),
    discriminator=functools.partial(
      PatchDiscriminator,
      widths=tuple(widths),
      strides=(2,) * (len(widths) - 1) + (1,),
      padding=2,
      instance_norm_from=1,
      use_bias=False,
      plain_ends=True,
    ),
  )


def _count(shapes: Mapping[str, Any], pattern: str) -> int:
  """One more than the largest index that the pattern finds in the names."""
  found = (re.match(pattern, name) for name in shapes)
  return 1 + max(int(match[1]) for match in found if match)


SPADE_TORCH: dict[str, Any] = {
  "layers": (
    ("discriminator_{}.model{}.0", "scale_{}/plain_{}", "conv"),
    ("discriminator_{}.model{}.0.0", "scale_{}/conv_{}", "spectral_conv"),
  ),
  "build": build_spade_discriminator,
  "inputs": ((1, 32, 32, _SPADE_FIRST),),
  "prefix": "discriminator",
}
