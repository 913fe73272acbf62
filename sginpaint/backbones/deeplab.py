"""DeepLab v2 with a ResNet-101 (Chen et al., TPAMI 2018), NHWC.

As in kazuto1011/deeplab-pytorch, whose published weights are for COCO-Stuff
(182 classes) and PASCAL VOC (21): the stride of a bottleneck sits in its first
1x1 convolution, the last two stages are dilated in place of their strides, and
four dilated classifiers are summed. The network is run on the picture at
several scales, and each logit is the largest of them.

Images come in [-1, 1], RGB, and are turned into the official BGR of 0..255 less
a mean here. Outputs for [B, H, W, 3], h about H / 8:

  segmentation_logits [B, H, W, K]   float32; the largest logits, enlarged
                                     linearly, from which the official code
                                     takes its labels
  coarse_logits       [B, h, w, K]   float32; the same at the official stride
  auxiliary           per scale [B, h_s, w_s, K] float32, in the order of
                      `scales`, each at its own size; empty with one scale.
                      The official loss is the sum over these and
                      `coarse_logits`, all against labels of their size.
  features            [B, h, w, 32 * width], last stage at the first scale

The official training holds the batch norms of the COCO weights that it starts
from; to do so, call with `train=False`, which changes nothing else.
"""

import functools
from collections.abc import Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.backbones.resnet import ConvNorm, blocks_of, conv_norm_rows
from sginpaint.layers.normalization import statistics_type
from sginpaint.layers.resampling import resize_bilinear

# Of the official training pictures in 0..255; blue, green, red.
_MEAN = (104.008, 116.669, 122.675)

# (stride, dilation) of the four stages, `layer2` ... `layer5` there.
_STAGES = ((1, 1), (2, 1), (1, 2), (1, 4))


def to_bgr(image: chex.Array) -> jax.Array:
  """[..., 3] RGB in [-1, 1] to BGR of 0..255 less the mean."""
  bytes_ = (statistics_type(image) + 1.0) * 127.5
  return bytes_[..., ::-1] - jnp.asarray(_MEAN)


def rescale(picture: chex.Array, scale: float) -> jax.Array:
  """[B, H, W, C] to [B, int(H * scale), int(W * scale), C], linearly."""
  size = int(picture.shape[1] * scale), int(picture.shape[2] * scale)
  # The sampling step is 1 / scale there, whatever the rounded size.
  return resize_bilinear(picture, size, scale=1 / scale)


def stem_pool(x: chex.Array) -> jax.Array:
  """3x3 maximum of stride 2 that lets an incomplete last window in."""
  # PyTorch's ceil_mode: an even side gets one window more, over the border.
  edges = [(1, 1 + (side + 1) % 2) for side in x.shape[1:3]]
  return nn.max_pool(x, (3, 3), (2, 2), edges)


class Bottleneck(nn.Module):
  """1x1 (strided), dilated 3x3 and 1x1 convolutions.

  Attributes:
    planes: channels inside; four times as many come out.
    stride: of the first convolution and of the shortcut.
    dilation: of the 3x3 convolution.
    project: whether the shortcut is a 1x1 convolution.
    momentum: of the batch norms.
    dtype: of the computation.
  """

  planes: int
  stride: int
  dilation: int
  project: bool
  momentum: float
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H/stride, W/stride, 4 * planes]."""
    conv = functools.partial(ConvNorm, momentum=self.momentum, dtype=self.dtype)
    wide = functools.partial(conv, 4 * self.planes, kernel=1, relu=False)
    shortcut = x
    if self.project:
      shortcut = wide(stride=self.stride, name="shortcut")(x, train=train)
    reduce = conv(self.planes, kernel=1, stride=self.stride, name="reduce")
    x = reduce(x, train=train)
    x = conv(self.planes, dilation=self.dilation, name="conv3x3")(
      x, train=train
    )
    return nn.relu(wide(name="increase")(x, train=train) + shortcut)


class SingleScale(nn.Module):
  """The network on one scale; see `DeepLabV2` for the fields."""

  num_classes: int
  width: int
  layers: tuple[int, ...]
  rates: tuple[int, ...]
  momentum: float
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, x: chex.Array, *, train: bool
  ) -> tuple[jax.Array, jax.Array]:
    """BGR [B, H, W, 3] to (logits [B, h, w, K] in float32, last stage)."""
    stem = ConvNorm(
      self.width,
      kernel=7,
      stride=2,
      momentum=self.momentum,
      dtype=self.dtype,
      name="layer1_conv1",
    )
    x = stem_pool(stem(x, train=train))
    for stage, (stride, dilation) in enumerate(_STAGES):
      for index in range(self.layers[stage]):
        x = Bottleneck(
          self.width * 2**stage,
          stride=stride if index == 0 else 1,
          dilation=dilation,
          project=index == 0,
          momentum=self.momentum,
          dtype=self.dtype,
          name=f"layer{stage + 2}_block{index + 1}",
        )(x, train=train)
    logits = [
      nn.Conv(
        self.num_classes,
        (3, 3),
        kernel_dilation=rate,
        padding=rate,
        kernel_init=nn.initializers.normal(0.01),
        dtype=self.dtype,
        name=f"aspp_c{i}",
      )(x)
      for i, rate in enumerate(self.rates)
    ]
    return sum(map(statistics_type, logits), jnp.zeros(())), x


class DeepLabV2(nn.Module):
  """The whole network; the defaults are the official one.

  Attributes:
    num_classes: K.
    width: channels of the stem; stage s puts out 2 ** (s + 1) times as many.
    layers: bottlenecks of the four stages.
    scales: of the picture, the first one giving the grid of the logits.
    rates: dilations of the classifiers.
    momentum: share of the old that a running average keeps per update. The
      official 0.999 is for fine-tuning; a network from scratch wants 0.9.
    dtype: of the computation; parameters, statistics and logits stay float32.
  """

  num_classes: int
  width: int = 64
  layers: tuple[int, ...] = (3, 4, 23, 3)
  scales: tuple[float, ...] = (1.0, 0.5, 0.75)
  rates: tuple[int, ...] = (6, 12, 18, 24)
  momentum: float = 0.999
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, Any]:
    """Classifies every pixel.

    Args:
      image: [B, H, W, 3] in [-1, 1], any H and W.
      train: whether batch statistics are used and `batch_stats` updated, once
        per scale.

    Returns:
      The arrays of the module's docstring.
    """
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    base = SingleScale(
      self.num_classes,
      self.width,
      self.layers,
      self.rates,
      self.momentum,
      self.dtype,
      name="base",
    )
    picture, size = to_bgr(image), (image.shape[1], image.shape[2])
    results = [base(rescale(picture, s), train=train) for s in self.scales]
    logits = [result for result, _ in results]
    first, features = results[0]
    grid = (first.shape[1], first.shape[2])
    largest = functools.reduce(
      jnp.maximum, [first, *(resize_bilinear(x, grid) for x in logits[1:])]
    )
    return {
      "segmentation_logits": resize_bilinear(largest, size),
      "coarse_logits": largest,
      "auxiliary": logits if len(logits) > 1 else [],
      "features": features,
    }


def build(shapes: Mapping[str, tuple[int, ...]]) -> DeepLabV2:
  """The network that tensors of these shapes belong to."""
  return DeepLabV2(
    num_classes=shapes["base.aspp.c0.weight"][0],
    width=shapes["base.layer1.conv1.conv.weight"][0],
    layers=tuple(blocks_of(shapes, f"base.layer{i}") for i in range(2, 6)),
  )


TORCH: dict[str, Any] = {
  "layers": (
    *conv_norm_rows("base.layer1.conv1", "base/layer1_conv1"),
    *(
      row
      for part in ("reduce", "conv3x3", "increase", "shortcut")
      for row in conv_norm_rows(
        f"base.layer{{}}.block{{}}.{part}", f"base/layer{{}}_block{{}}/{part}"
      )
    ),
    ("base.aspp.c{}", "base/aspp_c{}", "conv"),
  ),
  "build": build,
  "inputs": ((1, 33, 33, 3),),
  "prefix": "",
}
