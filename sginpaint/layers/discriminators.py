"""Patch discriminators: one score per receptive field, at one or many scales.

PatchGAN is Isola et al., "Image-to-Image Translation with Conditional
Adversarial Networks" (CVPR 2017); several of them on a pyramid are Wang et al.,
pix2pixHD (CVPR 2018). Layout [B, H, W, C]; scores are logits, and every
intermediate activation is returned for feature-matching losses.
"""

from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

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
    dtype: of the computation.
    kernel_init: initialiser of the kernels.
  """

  widths: Sequence[int] = (64, 128, 256, 512)
  strides: Sequence[int] = (2, 2, 2, 1)
  padding: int = 1
  spectral: bool = True
  instance_norm_from: int | None = None
  use_bias: bool = True
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
    edge = (self.padding, self.padding)
    options = {
      "features": width,
      "kernel_size": (4, 4),
      "strides": stride,
      "padding": (edge, edge),
      "use_bias": self.use_bias,
      "dtype": self.dtype,
      "kernel_init": self.kernel_init,
      "name": f"conv_{index}",
    }
    if self.spectral:
      return SpectralConv(**options)(x, train=train)
    return nn.Conv(**options)(x)


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
