"""LPIPS, a distance between pictures that resembles people's judgement.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric" (CVPR 2018), version 0.1 of the authors' code: AlexNet or VGG-16, whose
activations are made unit vectors at every position, and one non-negative weight
per channel for their squared differences. Pictures are [B, H, W, 3] in [-1, 1];
the network's own shift and scale are applied here. 0 = alike.

The official weights are two files, the trunk from torchvision and the heads
(`linN.model.1.weight`) from the authors; `convert` takes both in one dict and
leaves the trunk's classifier aside.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.backbones import alexnet, vgg
from sginpaint.layers.normalization import statistics_type

Net = Literal["alex", "vgg"]

_head_init = nn.initializers.constant(1.0)
# ImageNet's mean and deviation as the authors rounded them, in [-1, 1].
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10
LAYERS: Mapping[Net, tuple[str, ...]] = {
  "alex": ("relu1", "relu2", "relu3", "relu4", "relu5"),
  "vgg": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
}


def unit_vectors(x: chex.Array) -> jax.Array:
  """[B, H, W, C] divided by its length along C; zeros stay zeros.

  The code of the authors has no gradient (NaN) where all channels are zero,
  here it is 0.
  """
  x = statistics_type(x)
  square = jnp.sum(jnp.square(x), axis=-1, keepdims=True)
  positive = square > 0.0
  length = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)
  return x / (length + _EPSILON)


class LPIPS(nn.Module):
  """The distance, with its trunk.

  Attributes:
    net: which trunk.
    widths: channels of its five layers (alex) or stages (vgg).
    dtype: of the trunk's computation; distances are float32.
  """

  net: Net = "alex"
  widths: Sequence[int] = (64, 192, 384, 256, 256)
  dtype: Any = jnp.float32

  def setup(self) -> None:
    """Makes the trunk and one head per map."""
    self.trunk: nn.Module = (
      vgg.VGG(widths=self.widths, normalize=False, dtype=self.dtype)
      if self.net == "vgg"
      else alexnet.AlexNet(widths=self.widths, dtype=self.dtype)
    )
    self.heads = [
      nn.Conv(
        1, (1, 1), use_bias=False, kernel_init=_head_init, precision="highest"
      )
      for _ in LAYERS[self.net]
    ]

  def activations(self, image: chex.Array) -> list[jax.Array]:
    """The five maps [B, h, w, C] of the trunk, not yet made unit vectors.

    Args:
      image: [B, H, W, 3] in [-1, 1].

    Raises:
      ValueError: the picture is too small for the last of them.
    """
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    image = statistics_type(image)
    maps = self.trunk((image - jnp.asarray(_SHIFT)) / jnp.asarray(_SCALE))
    chosen = [maps[name] for name in LAYERS[self.net]]
    if not chosen[-1].size:
      raise ValueError(
        f"a picture of {image.shape[1:3]} is too small for LPIPS"
      )
    return chosen

  def terms(self, first: chex.Array, second: chex.Array) -> jax.Array:
    """What each layer adds to the distance: float32 [B, 5]."""
    chex.assert_equal_shape([first, second])
    terms = []
    pairs = zip(
      self.heads, self.activations(first), self.activations(second), strict=True
    )
    for head, a, b in pairs:
      difference = jnp.square(unit_vectors(a) - unit_vectors(b))
      terms.append(jnp.mean(head(difference), axis=(1, 2, 3)))
    return jnp.stack(terms, axis=-1)

  def __call__(self, first: chex.Array, second: chex.Array) -> jax.Array:
    """Distances of pictures.

    Args:
      first: [B, H, W, 3] in [-1, 1].
      second: [B, H, W, 3], likewise.

    Returns:
      float32 [B]; of equal pictures 0, up to rounding.

    Raises:
      ValueError: they are smaller than the trunk can see.
    """
    return jnp.sum(self.terms(first, second), axis=-1)


def build(shapes: Mapping[str, tuple[int, ...]], *, net: Net) -> LPIPS:
  """The distance whose tensors have these shapes."""
  if net == "vgg":
    return LPIPS(net, vgg.read_widths(shapes, vgg.VGG16))
  return LPIPS(net, alexnet.read_widths(shapes))


def _torch(net: Net) -> dict[str, Any]:
  """Names of torchvision's trunk and of the authors' heads."""
  trunk = (
    vgg.convolution_rows(vgg.VGG16, "trunk/")
    if net == "vgg"
    else alexnet.convolution_rows("trunk/")
  )
  return {
    "layers": (*trunk, ("lin{}.model.1", "heads_{}", "conv")),
    "build": functools.partial(build, net=net),
    "inputs": ((1, 32, 32, 3), (1, 32, 32, 3)),
    "prefix": "lpips",
    "ignored": ("classifier.*",),
  }


TORCH_ALEX = _torch("alex")
TORCH_VGG = _torch("vgg")
