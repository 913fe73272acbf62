"""The Inception-v3 whose features FID is defined by, NHWC.

Szegedy et al., "Rethinking the Inception Architecture" (CVPR 2016), as the
TensorFlow graph of December 2015 has it, with the names of its PyTorch copy
(mseitzer/pytorch-fid). Three things set it apart from later Inceptions: average
pools do not count the padding, the last block pools by *maximum* (a slip, kept
for comparability), and it has 1008 classes.

Pictures come in [-1, 1] at any size and are resized to 299 x 299 here,
bilinearly without antialiasing. Outputs for [B, H, W, 3]:

  resized [B, 299, 299, 3]
  pool1 [B, 73, 73, 64], pool2 [B, 35, 35, 192]  after the two maximum pools
  Mixed_5b ... Mixed_5d [B, 35, 35, 256, then 288]
  Mixed_6a ... Mixed_6e [B, 17, 17, 768]
  Mixed_7a ... Mixed_7c [B, 8, 8, 1280, then 2048]
  features [B, 2048]  float32, global mean of Mixed_7c: what FID and KID compare
  logits [B, num_classes]  float32

The blocks are data, tables of layers below; names of submodules are official.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.normalization import BatchNorm, statistics_type
from sginpaint.layers.resampling import resize_bilinear

SIDE = 299  # of the pictures that the network sees
_EPSILON = 1e-3
_STEM = 32  # channels of the first convolution in the published network

# Keeps the scale of the maps through forty ReLUs: the features of a network
# with random weights would vanish otherwise.
_kernel_init = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


class Layer(NamedTuple):
  """A convolution without bias, batch norm and ReLU.

  A stride goes without padding; otherwise `pad` keeps the size of the map.
  """

  name: str
  features: int
  kernel: tuple[int, int] = (1, 1)
  stride: int = 1
  pad: bool = True


# Layers one after another; a tuple among them is a fork, whose results are
# concatenated.
Branch = tuple[Layer | tuple[Layer, ...], ...]


class Block(NamedTuple):
  """Branches side by side, and what is pooled beside them.

  A pool of stride 2 goes without padding; "mean" does not count the padding.
  """

  branches: tuple[Branch, ...]
  pool: str  # max | mean
  pool_stride: int = 1
  pool_layer: Layer | None = None


_ROW, _COLUMN, _SQUARE = (1, 7), (7, 1), (3, 3)

STEM = (
  Layer("Conv2d_1a_3x3", 32, _SQUARE, stride=2),
  Layer("Conv2d_2a_3x3", 32, _SQUARE, pad=False),
  Layer("Conv2d_2b_3x3", 64, _SQUARE),
)
MIDDLE = (
  Layer("Conv2d_3b_1x1", 80),
  Layer("Conv2d_4a_3x3", 192, _SQUARE, pad=False),
)


def _block_a(pooled: int) -> Block:
  return Block(
    (
      (Layer("branch1x1", 64),),
      (Layer("branch5x5_1", 48), Layer("branch5x5_2", 64, (5, 5))),
      (
        Layer("branch3x3dbl_1", 64),
        Layer("branch3x3dbl_2", 96, _SQUARE),
        Layer("branch3x3dbl_3", 96, _SQUARE),
      ),
    ),
    pool="mean",
    pool_layer=Layer("branch_pool", pooled),
  )


_BLOCK_B = Block(
  (
    (Layer("branch3x3", 384, _SQUARE, stride=2),),
    (
      Layer("branch3x3dbl_1", 64),
      Layer("branch3x3dbl_2", 96, _SQUARE),
      Layer("branch3x3dbl_3", 96, _SQUARE, stride=2),
    ),
  ),
  pool="max",
  pool_stride=2,
)


def _block_c(inner: int) -> Block:
  return Block(
    (
      (Layer("branch1x1", 192),),
      (
        Layer("branch7x7_1", inner),
        Layer("branch7x7_2", inner, _ROW),
        Layer("branch7x7_3", 192, _COLUMN),
      ),
      (
        Layer("branch7x7dbl_1", inner),
        Layer("branch7x7dbl_2", inner, _COLUMN),
        Layer("branch7x7dbl_3", inner, _ROW),
        Layer("branch7x7dbl_4", inner, _COLUMN),
        Layer("branch7x7dbl_5", 192, _ROW),
      ),
    ),
    pool="mean",
    pool_layer=Layer("branch_pool", 192),
  )


_BLOCK_D = Block(
  (
    (Layer("branch3x3_1", 192), Layer("branch3x3_2", 320, _SQUARE, stride=2)),
    (
      Layer("branch7x7x3_1", 192),
      Layer("branch7x7x3_2", 192, _ROW),
      Layer("branch7x7x3_3", 192, _COLUMN),
      Layer("branch7x7x3_4", 192, _SQUARE, stride=2),
    ),
  ),
  pool="max",
  pool_stride=2,
)


def _block_e(pool: str) -> Block:
  return Block(
    (
      (Layer("branch1x1", 320),),
      (
        Layer("branch3x3_1", 384),
        (
          Layer("branch3x3_2a", 384, (1, 3)),
          Layer("branch3x3_2b", 384, (3, 1)),
        ),
      ),
      (
        Layer("branch3x3dbl_1", 448),
        Layer("branch3x3dbl_2", 384, _SQUARE),
        (
          Layer("branch3x3dbl_3a", 384, (1, 3)),
          Layer("branch3x3dbl_3b", 384, (3, 1)),
        ),
      ),
    ),
    pool=pool,
    pool_layer=Layer("branch_pool", 192),
  )


BLOCKS: Mapping[str, Block] = {
  "Mixed_5b": _block_a(32),
  "Mixed_5c": _block_a(64),
  "Mixed_5d": _block_a(64),
  "Mixed_6a": _BLOCK_B,
  "Mixed_6b": _block_c(128),
  "Mixed_6c": _block_c(160),
  "Mixed_6d": _block_c(160),
  "Mixed_6e": _block_c(192),
  "Mixed_7a": _BLOCK_D,
  "Mixed_7b": _block_e("mean"),
  "Mixed_7c": _block_e("max"),
}


class ConvNorm(nn.Module):
  """One `Layer`: convolution, batch norm (eps 1e-3), ReLU."""

  layer: Layer
  width: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to [B, H', W', features]."""
    layer = self.layer
    padded = layer.pad and layer.stride == 1
    x = nn.Conv(
      layer.features * self.width // _STEM,
      layer.kernel,
      layer.stride,
      padding="SAME" if padded else "VALID",
      use_bias=False,
      kernel_init=_kernel_init,
      dtype=self.dtype,
      name="conv",
    )(x)
    return nn.relu(BatchNorm(epsilon=_EPSILON, name="bn")(x, train=train))


class Mixed(nn.Module):
  """One `Block`: its branches in order, the pooled one last."""

  block: Block
  width: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    """Maps [B, H, W, C] to the branches' channels, concatenated."""
    block = self.block

    def apply(layer: Layer, x: jax.Array) -> jax.Array:
      conv = ConvNorm(layer, self.width, self.dtype, name=layer.name)
      return conv(x, train=train)

    results = []
    for branch in block.branches:
      y = [x]
      for step in branch:
        fork = (step,) if isinstance(step, Layer) else step
        y = [apply(layer, y[0]) for layer in fork]
      results += y
    pooled = _pool(x, block.pool, block.pool_stride)
    if block.pool_layer:
      pooled = apply(block.pool_layer, pooled)
    return jnp.concatenate([*results, pooled], axis=-1)


def _pool(x: jax.Array, kind: str, stride: int) -> jax.Array:
  edge = (0, 0) if stride > 1 else (1, 1)
  window, strides, padding = (3, 3), (stride, stride), (edge, edge)
  if kind == "max":
    return nn.max_pool(x, window, strides, padding)
  return nn.avg_pool(x, window, strides, padding, count_include_pad=False)


class Inception(nn.Module):
  """The whole network.

  Attributes:
    num_classes: size of `logits`.
    width: channels of the first convolution, a multiple of 2; all others are
      in proportion.
    dtype: of the computation; parameters and statistics stay float32.
  """

  num_classes: int = 1008
  width: int = _STEM
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Looks at pictures.

    Args:
      image: [B, H, W, 3] in [-1, 1].
      train: whether batch statistics are used and `batch_stats` updated.

    Returns:
      The maps and vectors of the module's docstring.
    """
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    x = resize_bilinear(image, (SIDE, SIDE)).astype(self.dtype)
    outputs = {"resized": x}
    for name, layers in (("pool1", STEM), ("pool2", MIDDLE)):
      for layer in layers:
        conv = ConvNorm(layer, self.width, self.dtype, name=layer.name)
        x = conv(x, train=train)
      x = outputs[name] = _pool(x, "max", 2)
    for name, block in BLOCKS.items():
      mixed = Mixed(block, self.width, self.dtype, name=name)
      x = outputs[name] = mixed(x, train=train)
    outputs["features"] = jnp.mean(statistics_type(x), (1, 2))
    outputs["logits"] = nn.Dense(self.num_classes, name="fc")(
      outputs["features"]
    )
    return outputs
