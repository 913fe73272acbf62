"""TResNet (Ridnik et al., WACV 2021; code Alibaba-MIIL/TResNet), NHWC.

The multi-label classifier whose second stage teaches SPL what a picture means:
a ResNet with a space-to-depth stem, anti-aliased strides, InPlaceABN
(Rota Bulo et al., CVPR 2018) and squeeze-and-excitation. Images come in
[-1, 1] and are turned into the official [0, 1] here; no ImageNet statistics.
Outputs, for TResNet-L on [B, H, W, 3]:

  layer1 [B, H/4, W/4, 76]      basic blocks
  layer2 [B, H/8, W/8, 152]     basic blocks; what SPL learns
  layer3 [B, H/16, W/16, 1216]  bottlenecks
  layer4 [B, H/32, W/32, 2432]  bottlenecks without squeeze-and-excitation
  features [B, 2432]            global mean of layer4
  logits [B, num_classes]       float32

Submodules carry the official names with `.` between blocks written `_`:
`body.layer2.0.conv1` is `layer2_0/conv1`, each holding `conv` and `norm`.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.backbones.inplace_abn import InPlaceABN
from sginpaint.layers.normalization import statistics_type

_BOTTLENECK = 512  # channels between in the head of the Open Images weights

_kernel_init = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


def space_to_depth(x: chex.Array, block: int = 4) -> jax.Array:
  """[B, H, W, C] to [B, H/b, W/b, b*b*C]: offset in the block major, C minor.

  Raises:
    ValueError: H or W is not a multiple of `block`.
  """
  batch, height, width, channels = x.shape
  if height % block or width % block:
    raise ValueError(f"{height}x{width} pixels: sides must divide by {block}")
  x = x.reshape(batch, height // block, block, width // block, block, channels)
  x = x.transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(batch, height // block, width // block, -1)


def blur_pool(x: chex.Array) -> jax.Array:
  """Halves [B, H, W, C] (rounding up) after a [1, 2, 1] x [1, 2, 1] / 16 blur.

  Borders are reflected without repeating the edge pixel (Zhang, ICML 2019).
  """
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
  # Sums of strided slices: XLA's depthwise convolution is slow on CPUs.
  rows = x[:, :-2:2] + 2.0 * x[:, 1:-1:2] + x[:, 2::2]
  both = rows[:, :, :-2:2] + 2.0 * rows[:, :, 1:-1:2] + rows[:, :, 2::2]
  return both / 16.0


class ConvABN(nn.Module):
  """Convolution without bias, InPlaceABN, and a blurred stride."""

  features: int
  kernel: int = 3
  blur: bool = False
  slope: float = 1.0
  scale_init: Callable[..., jax.Array] = nn.initializers.ones
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, features], half the size if `blur`."""
    x = nn.Conv(
      self.features,
      (self.kernel, self.kernel),
      padding=self.kernel // 2,
      use_bias=False,
      kernel_init=_kernel_init,
      dtype=self.dtype,
      name="conv",
    )(x)
    norm = InPlaceABN(self.slope, self.scale_init, self.dtype, name="norm")
    x = norm(x, train=train)
    return blur_pool(x) if self.blur else x


class SqueezeExcitation(nn.Module):
  """Gates channels by a two-layer function of their global means."""

  hidden: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Gates [B, H, W, C]."""
    conv = functools.partial(
      nn.Conv, kernel_size=(1, 1), kernel_init=_kernel_init, dtype=self.dtype
    )
    gate = jnp.mean(statistics_type(x), (1, 2), keepdims=True)
    gate = nn.relu(conv(self.hidden, name="fc1")(gate))
    return x * nn.sigmoid(conv(x.shape[-1], name="fc2")(gate))


class Shortcut(nn.Module):
  """2x2 mean (fewer pixels at an odd border), 1x1 convolution, InPlaceABN."""

  features: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H/2, W/2, features], sizes rounded up."""
    padding = tuple((0, side % 2) for side in x.shape[1:3])
    x = nn.avg_pool(x, (2, 2), (2, 2), padding, count_include_pad=False)
    conv = ConvABN(self.features, kernel=1, dtype=self.dtype, name="1")
    return conv(x, train=train)


class BasicBlock(nn.Module):
  """Two 3x3 convolutions; `planes` channels out."""

  planes: int
  downsample: bool = False
  squeeze: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, planes], half the size if asked."""
    conv = functools.partial(ConvABN, dtype=self.dtype)
    shortcut = x
    if self.downsample:
      shortcut = Shortcut(self.planes, self.dtype, name="downsample")(
        x, train=train
      )
    x = conv(self.planes, blur=self.downsample, slope=1e-3, name="conv1")(
      x, train=train
    )
    x = conv(self.planes, scale_init=nn.initializers.zeros, name="conv2")(
      x, train=train
    )
    if self.squeeze:
      hidden = max(self.planes // 4, 64)
      x = SqueezeExcitation(hidden, self.dtype, name="se")(x)
    return nn.relu(x + shortcut)


class Bottleneck(nn.Module):
  """1x1, 3x3 and 1x1 convolutions; 4 * `planes` channels out."""

  planes: int
  downsample: bool = False
  squeeze: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, 4 * planes] or half the size."""
    conv = functools.partial(ConvABN, dtype=self.dtype)
    shortcut = x
    if self.downsample:
      shortcut = Shortcut(4 * self.planes, self.dtype, name="downsample")(
        x, train=train
      )
    x = conv(self.planes, kernel=1, slope=1e-3, name="conv1")(x, train=train)
    x = conv(self.planes, blur=self.downsample, slope=1e-3, name="conv2")(
      x, train=train
    )
    if self.squeeze:
      hidden = max(self.planes // 2, 64)
      x = SqueezeExcitation(hidden, self.dtype, name="se")(x)
    x = conv(
      4 * self.planes, kernel=1, scale_init=nn.initializers.zeros, name="conv3"
    )(x, train=train)
    return nn.relu(x + shortcut)


class TResNet(nn.Module):
  """The whole network, or its first stages; defaults are TResNet-L.

  Attributes:
    num_classes: size of `logits`.
    width: channels of the stem; int(64 * 1.2) in TResNet-L.
    layers: blocks of the four stages.
    head: "linear", or "bottleneck" (512 channels between, no activation; the
      Open Images weights).
    last_layer: stage after which to stop; below 4 there is no head. Parameters
      of the whole network serve a stopped one.
    dtype: of the computation; parameters and statistics stay float32.
  """

  num_classes: int
  width: int = 76
  layers: tuple[int, int, int, int] = (4, 5, 18, 3)
  head: Literal["linear", "bottleneck"] = "linear"
  last_layer: int = 4
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Classifies pictures.

    Args:
      image: [B, H, W, 3] in [-1, 1]; H and W multiples of 4.
      train: whether batch statistics are used and `batch_stats` updated.

    Returns:
      The maps and vectors of the module's docstring; `layerN` as it leaves the
      last ReLU of its stage.

    Raises:
      ValueError: H or W is not a multiple of 4.
    """
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    x = space_to_depth((statistics_type(image) + 1.0) / 2.0)
    stem = ConvABN(self.width, slope=1e-2, dtype=self.dtype, name="conv1")
    x = stem(x, train=train)
    outputs = {}
    for stage in range(1, self.last_layer + 1):
      for index in range(self.layers[stage - 1]):
        block = Bottleneck if stage > 2 else BasicBlock
        x = block(
          self.width * 2 ** (stage - 1),
          downsample=stage > 1 and index == 0,
          squeeze=stage < 4,
          dtype=self.dtype,
          name=f"layer{stage}_{index}",
        )(x, train=train)
      outputs[f"layer{stage}"] = x
    if self.last_layer == 4:
      outputs["features"] = jnp.mean(statistics_type(x), (1, 2))
      outputs["logits"] = self._classify(outputs["features"])
    return outputs

  def _classify(self, features: jax.Array) -> jax.Array:
    dense = functools.partial(
      nn.Dense, kernel_init=nn.initializers.normal(0.01)
    )
    if self.head == "bottleneck":
      features = dense(_BOTTLENECK, name="head_fc_embedding")(features)
      return dense(self.num_classes, name="head_fc_FC")(features)
    return dense(self.num_classes, name="head_fc")(features)
