"""BiSeNet (Yu et al., ECCV 2018), as zllrunning/face-parsing.PyTorch has it.

A ResNet-18 whose stages of stride 32 and 16 are refined by attention and fused
with its stage of stride 8, which stands for the paper's spatial path. Images
come in [-1, 1], RGB, and are turned into ImageNet's mean and deviation by the
trunk. Outputs for [B, H, W, 3], any H and W (official: 512 x 512), with w =
`width`, sizes rounded up:

  segmentation_logits [B, H, W, K]        float32
  auxiliary           two [B, H, W, K]    float32; heads on the maps of stride
                                          8 and 16 before fusion, for training
  features            [B, H/8, W/8, 4 w]  what the main head reads

Submodules carry the official names; those of the context path, `cp`, stand
beside the others, and its trunk follows `resnet.py`.
"""

import functools
from collections.abc import Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.backbones import resnet
from sginpaint.backbones.resnet import ConvNorm, conv_norm_rows
from sginpaint.layers.normalization import BatchNorm, statistics_type
from sginpaint.layers.resampling import resize_bilinear, resize_nearest


def _mean(x: jax.Array) -> jax.Array:
  """[B, H, W, C] to [B, 1, 1, C] in the dtype of `x`, summed in float32."""
  wide = statistics_type(x)
  return jnp.mean(wide, (1, 2), keepdims=True).astype(x.dtype)


def _pointwise(features: int, *, dtype: Any, name: str) -> nn.Conv:
  return nn.Conv(features, (1, 1), use_bias=False, dtype=dtype, name=name)


class AttentionRefinement(nn.Module):
  """3x3 convolution whose channels are gated by their global means."""

  features: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, features]."""
    x = ConvNorm(self.features, dtype=self.dtype, name="conv")(x, train=train)
    gate = _pointwise(self.features, dtype=self.dtype, name="conv_atten")
    norm = BatchNorm(name="bn_atten")
    return x * nn.sigmoid(norm(gate(_mean(x)), train=train))


class FeatureFusion(nn.Module):
  """Joins two maps of one size; a gate adds to it channels that matter."""

  features: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, spatial: chex.Array, context: chex.Array, *, train: bool
  ) -> jax.Array:
    """Maps [B, H, W, C] and [B, H, W, D] to [B, H, W, features]."""
    x = jnp.concatenate([spatial, context], axis=-1)
    fuse = ConvNorm(self.features, kernel=1, dtype=self.dtype, name="convblk")
    x = fuse(x, train=train)
    conv = functools.partial(_pointwise, dtype=self.dtype)
    gate = nn.relu(conv(self.features // 4, name="conv1")(_mean(x)))
    gate = nn.sigmoid(conv(self.features, name="conv2")(gate))
    return x * gate + x


class Head(nn.Module):
  """3x3 convolution and a linear classifier per pixel."""

  num_classes: int
  hidden: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to logits [B, H, W, num_classes]."""
    x = ConvNorm(self.hidden, dtype=self.dtype, name="conv")(x, train=train)
    return _pointwise(self.num_classes, dtype=self.dtype, name="conv_out")(x)


class BiSeNet(nn.Module):
  """The whole network; the defaults are the official one.

  Attributes:
    num_classes: K.
    width: channels of the stem, of which all others are multiples.
    layers: basic blocks of the trunk's four stages.
    dtype: of the computation; parameters, statistics and logits stay float32.
  """

  num_classes: int
  width: int = 64
  layers: tuple[int, ...] = (2, 2, 2, 2)
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, Any]:
    """Classifies every pixel.

    Args:
      image: [B, H, W, 3] in [-1, 1].
      train: whether batch statistics are used and `batch_stats` updated.

    Returns:
      The arrays of the module's docstring.
    """
    trunk = resnet.ResNet(
      None, self.width, self.layers, "basic", self.dtype, name="resnet"
    )
    maps = trunk(image, train=train)
    context8, context16 = self._context(maps, train=train)
    fuse = FeatureFusion(4 * self.width, self.dtype, name="ffm")
    features = fuse(maps["layer2"], context8, train=train)
    main, *auxiliary = (
      Head(self.num_classes, hidden, self.dtype, name=name)(x, train=train)
      for name, hidden, x in (
        ("conv_out", 4 * self.width, features),
        ("conv_out16", self.width, context8),
        ("conv_out32", self.width, context16),
      )
    )

    def enlarge(logits: jax.Array) -> jax.Array:
      size = (image.shape[1], image.shape[2])
      return resize_bilinear(statistics_type(logits), size, align_corners=True)

    return {
      "segmentation_logits": enlarge(main),
      "auxiliary": [enlarge(logits) for logits in auxiliary],
      "features": features,
    }

  def _context(
    self, maps: Mapping[str, jax.Array], *, train: bool
  ) -> tuple[jax.Array, jax.Array]:
    """Context at strides 8 and 16, both [B, ., ., 2 * width]."""
    conv = functools.partial(ConvNorm, 2 * self.width, dtype=self.dtype)
    refine = functools.partial(
      AttentionRefinement, 2 * self.width, dtype=self.dtype
    )
    stride8, stride16, stride32 = (maps[f"layer{i}"] for i in (2, 3, 4))
    x = conv(kernel=1, name="conv_avg")(_mean(stride32), train=train)
    x = x + refine(name="arm32")(stride32, train=train)
    x = resize_nearest(x, (stride16.shape[1], stride16.shape[2]))
    context16 = conv(name="conv_head32")(x, train=train)
    x = context16 + refine(name="arm16")(stride16, train=train)
    x = resize_nearest(x, (stride8.shape[1], stride8.shape[2]))
    return conv(name="conv_head16")(x, train=train), context16


def build(shapes: Mapping[str, tuple[int, ...]]) -> BiSeNet:
  """The network that tensors of these shapes belong to."""
  return BiSeNet(
    num_classes=shapes["conv_out.conv_out.weight"][0],
    width=shapes["cp.resnet.conv1.weight"][0],
    layers=tuple(
      resnet.blocks_of(shapes, f"cp.resnet.layer{i}") for i in range(1, 5)
    ),
  )


TORCH: dict[str, Any] = {
  "layers": (
    *resnet.rows("cp.resnet.", "resnet/"),
    *conv_norm_rows("cp.arm{}.conv", "arm{}/conv"),
    ("cp.arm{}.conv_atten", "arm{}/conv_atten", "conv"),
    ("cp.arm{}.bn_atten", "arm{}/bn_atten", "batch_norm"),
    *conv_norm_rows("cp.conv_avg", "conv_avg"),
    *conv_norm_rows("cp.conv_head{}", "conv_head{}"),
    *conv_norm_rows("ffm.convblk", "ffm/convblk"),
    ("ffm.conv{}", "ffm/conv{}", "conv"),
    *conv_norm_rows("conv_out.conv", "conv_out/conv"),
    ("conv_out.conv_out", "conv_out/conv_out", "conv"),
    *conv_norm_rows("conv_out{}.conv", "conv_out{}/conv"),
    ("conv_out{}.conv_out", "conv_out{}/conv_out", "conv"),
  ),
  "build": build,
  "inputs": ((1, 32, 32, 3),),
  "prefix": "",
}
