"""ResNet (He et al., CVPR 2016), version 1.5, NHWC.

As in torchvision the stride of a bottleneck sits in its 3x3 convolution, not in
the first 1x1 as the paper has it. Images come in [-1, 1] and are turned into
ImageNet's mean and deviation here. Outputs, for ResNet-50 on [B, H, W, 3],
sizes rounded up:

  layer1 [B, H/4, W/4, 256]
  layer2 [B, H/8, W/8, 512]     another teacher of SPL
  layer3 [B, H/16, W/16, 1024]
  layer4 [B, H/32, W/32, 2048]
  features [B, 2048]            global mean of layer4
  logits [B, num_classes]       float32

Submodules carry torchvision's names with `.` between numbers written `_`:
`layer2.0.conv1` is `layer2_0/conv1`, `layer2.0.downsample.1` is
`layer2_0/downsample_1`. `TORCH` reads torchvision's files of every depth.
"""

import functools
from collections.abc import Mapping
from typing import Any, Literal

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.normalization import BatchNorm, statistics_type

# Of ImageNet's training pictures in [0, 1], red, green, blue.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

_kernel_init = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


def imagenet_normalize(image: chex.Array) -> jax.Array:
  """Maps [..., 3] in [-1, 1] to ImageNet's zero mean and unit deviation."""
  unit = (statistics_type(image) + 1.0) / 2.0
  return (unit - jnp.asarray(_MEAN)) / jnp.asarray(_DEVIATION)


class ConvNorm(nn.Module):
  """Convolution without bias, batch norm and, if asked, ReLU.

  Attributes:
    features: channels out.
    kernel: side of the kernel, odd.
    stride: of the convolution.
    dilation: of the kernel.
    relu: whether the result is clipped at 0.
    momentum: see `BatchNorm`.
    dtype: of the computation.
  """

  features: int
  kernel: int = 3
  stride: int = 1
  dilation: int = 1
  relu: bool = True
  momentum: float = 0.9
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H/stride, W/stride, features], rounded up."""
    x = _conv(
      self.features,
      kernel=self.kernel,
      stride=self.stride,
      dilation=self.dilation,
      dtype=self.dtype,
      name="conv",
    )(x)
    x = BatchNorm(momentum=self.momentum, name="bn")(x, train=train)
    return nn.relu(x) if self.relu else x


class BasicBlock(nn.Module):
  """Two 3x3 convolutions; `planes` channels out.

  Attributes:
    planes: channels inside and out.
    stride: of the first convolution and of the shortcut.
    dtype: of the computation.
  """

  planes: int
  stride: int = 1
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H/stride, W/stride, planes]."""
    conv = functools.partial(_conv, self.planes, dtype=self.dtype)
    shortcut = x
    if self.stride != 1 or x.shape[-1] != self.planes:
      shortcut = conv(kernel=1, stride=self.stride, name="downsample_0")(x)
      shortcut = BatchNorm(name="downsample_1")(shortcut, train=train)
    x = conv(kernel=3, stride=self.stride, name="conv1")(x)
    x = nn.relu(BatchNorm(name="bn1")(x, train=train))
    x = conv(kernel=3, name="conv2")(x)
    x = BatchNorm(name="bn2")(x, train=train)
    return nn.relu(x + shortcut)


class Bottleneck(nn.Module):
  """1x1, 3x3 and 1x1 convolutions; 4 * `planes` channels out.

  Attributes:
    planes: channels inside.
    stride: of the 3x3 convolution and of the shortcut.
    dtype: of the computation.
  """

  planes: int
  stride: int = 1
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H/stride, W/stride, 4 * planes]."""
    conv = functools.partial(_conv, dtype=self.dtype)
    shortcut = x
    if self.stride != 1 or x.shape[-1] != 4 * self.planes:
      shortcut = conv(
        4 * self.planes, kernel=1, stride=self.stride, name="downsample_0"
      )(x)
      shortcut = BatchNorm(name="downsample_1")(shortcut, train=train)
    x = conv(self.planes, kernel=1, name="conv1")(x)
    x = nn.relu(BatchNorm(name="bn1")(x, train=train))
    x = conv(self.planes, kernel=3, stride=self.stride, name="conv2")(x)
    x = nn.relu(BatchNorm(name="bn2")(x, train=train))
    x = conv(4 * self.planes, kernel=1, name="conv3")(x)
    x = BatchNorm(name="bn3")(x, train=train)
    return nn.relu(x + shortcut)


class ResNet(nn.Module):
  """The whole network; the defaults are ResNet-50.

  Attributes:
    num_classes: size of `logits`; None = the four stages alone, neither
      `features` nor `logits`.
    width: channels of the stem; stage s puts out 2 ** (s + 1) times as many
      with bottlenecks, 2 ** (s - 1) times with basic blocks.
    layers: blocks of the four stages.
    block: kind of block; "basic" with layers (2, 2, 2, 2) is ResNet-18.
    dtype: of the computation; parameters and statistics stay float32.
  """

  num_classes: int | None
  width: int = 64
  layers: tuple[int, ...] = (3, 4, 6, 3)
  block: Literal["bottleneck", "basic"] = "bottleneck"
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Classifies pictures.

    Args:
      image: [B, H, W, 3] in [-1, 1], any H and W.
      train: whether batch statistics are used and `batch_stats` updated.

    Returns:
      The maps and vectors of the module's docstring; `layerN` as it leaves the
      last ReLU of its stage.
    """
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    x = imagenet_normalize(image)
    x = _conv(self.width, kernel=7, stride=2, dtype=self.dtype, name="conv1")(x)
    x = nn.relu(BatchNorm(name="bn1")(x, train=train))
    # Flax pads a maximum with -inf.
    x = nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
    outputs = {}
    block = {"bottleneck": Bottleneck, "basic": BasicBlock}[self.block]
    for stage in range(1, 5):
      for index in range(self.layers[stage - 1]):
        x = block(
          self.width * 2 ** (stage - 1),
          stride=2 if stage > 1 and index == 0 else 1,
          dtype=self.dtype,
          name=f"layer{stage}_{index}",
        )(x, train=train)
      outputs[f"layer{stage}"] = x
    if self.num_classes is None:
      return outputs
    outputs["features"] = jnp.mean(statistics_type(x), (1, 2))
    outputs["logits"] = nn.Dense(
      self.num_classes, kernel_init=nn.initializers.normal(0.01), name="fc"
    )(outputs["features"])
    return outputs


def _conv(
  features: int,
  *,
  kernel: int,
  stride: int = 1,
  dilation: int = 1,
  dtype: Any,
  name: str,
) -> nn.Conv:
  # Padded alike on both sides: "SAME" pads strided convolutions on one.
  return nn.Conv(
    features,
    (kernel, kernel),
    strides=stride,
    kernel_dilation=dilation,
    padding=dilation * (kernel // 2),
    use_bias=False,
    kernel_init=_kernel_init,
    dtype=dtype,
    name=name,
  )


def blocks_of(shapes: Mapping[str, Any], stage: str) -> int:
  """How many blocks i tensors called `<stage>.<i>.<...>` belong to."""
  start = stage + "."
  return len(
    {
      name.removeprefix(start).split(".")[0]
      for name in shapes
      if name.startswith(start)
    }
  )


def build(shapes: Mapping[str, tuple[int, ...]]) -> ResNet:
  """The network that torchvision tensors of these shapes belong to."""
  return ResNet(
    num_classes=shapes["fc.weight"][0],
    width=shapes["conv1.weight"][0],
    layers=tuple(blocks_of(shapes, f"layer{i}") for i in range(1, 5)),
    block="bottleneck" if "layer1.0.conv3.weight" in shapes else "basic",
  )


def rows(theirs: str = "", ours: str = "") -> tuple[tuple[str, str, str], ...]:
  """The name table of the four stages, under a prefix on either side."""
  layer, flax_layer = f"{theirs}layer{{}}.{{}}", f"{ours}layer{{}}_{{}}"
  return (
    (f"{theirs}conv1", f"{ours}conv1", "conv"),
    (f"{theirs}bn1", f"{ours}bn1", "batch_norm"),
    (f"{layer}.conv{{}}", f"{flax_layer}/conv{{}}", "conv"),
    (f"{layer}.bn{{}}", f"{flax_layer}/bn{{}}", "batch_norm"),
    (f"{layer}.downsample.0", f"{flax_layer}/downsample_0", "conv"),
    (f"{layer}.downsample.1", f"{flax_layer}/downsample_1", "batch_norm"),
  )


def conv_norm_rows(theirs: str, ours: str) -> tuple[tuple[str, str, str], ...]:
  """The name table of a `ConvNorm` whose parts have our names there too."""
  return (
    (f"{theirs}.conv", f"{ours}/conv", "conv"),
    (f"{theirs}.bn", f"{ours}/bn", "batch_norm"),
  )


TORCH: dict[str, Any] = {
  "layers": (*rows(), ("fc", "fc", "dense")),
  "build": build,
  "inputs": ((1, 32, 32, 3),),
  "prefix": "",
}
