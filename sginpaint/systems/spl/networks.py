"""SPL's networks: generator with semantic priors, and patch discriminator.

Zhang et al., "Context-Aware Image Inpainting with Learned Semantic Priors"
(IJCAI 2021); layers and widths as published with it (WendongZh/SPL), so that
its checkpoints fit. Pictures are [B, H, W, 3] in [-1, 1], masks [B, H, W, 1]
with 1 = hole; the published weights expect [0, 1], converted at the edge here.
"""

import functools
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.convolution import Conv
from sginpaint.layers.discriminators import PatchDiscriminator
from sginpaint.layers.encoder_decoder import Decoder, Encoder, Stage
from sginpaint.layers.resampling import upsample_nearest
from sginpaint.layers.residual import (
  ResidualBlock,
  ResidualDenseBlock,
  SPADEResidualBlock,
)
from sginpaint.systems.spl.region_norm import (
  RegionNormBasic,
  RegionNormLearned,
)

# Near He's, not PyTorch's default of the published code: residual branches
# start at zero, so a larger start does not let deep stacks grow.
_INIT = nn.initializers.variance_scaling(1.5, "fan_in", "truncated_normal")


def white_holes(image: chex.Array, mask: chex.Array) -> jax.Array:
  """Maps [-1, 1] to [0, 1] and paints the hole white (1)."""
  return (image + 1) / 2 * (1 - mask) + mask


def semantic_input(picture: chex.Array, mask: chex.Array) -> jax.Array:
  """Picture and mask, doubled by nearest neighbour: [B, 2H, 2W, 4].

  Section 3.2: a larger input keeps more local structure for the semantics.
  """
  return upsample_nearest(jnp.concatenate([picture, mask], axis=-1), 2)


class SemanticLearner(nn.Module):
  """The semantic learner E_S (eq. 3): doubled picture to semantic priors.

  Attributes:
    width: channels of its first layer.
    kind: "dense" is the published code: residual dense blocks, their outputs
      fused, a skip, residual blocks. "residual" is the paper's text: residual
      blocks only.
    dense_blocks, dense_layers, growth: of "dense".
    residual_blocks: at the end of either kind.
    conv: convolution to use; carries dtype and initialiser.
  """

  width: int
  kind: str
  dense_blocks: int
  dense_layers: int
  growth: int
  residual_blocks: int
  conv: Any = Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, 2H, 2W, 4] to the priors [B, H/4, W/4, 4 width]."""
    x = Encoder(
      stages=_stages(self.width, 1, 2, 4, 4),
      act=functools.partial(nn.leaky_relu, negative_slope=0.1),
      conv=self.conv,
      name="encoder",
    )(x)[-1]
    if self.kind == "dense":
      x = x + self._dense(x)
    for i in range(self.residual_blocks):
      x = ResidualBlock(conv=self.conv, name=f"residual_{i}")(x)
    return x

  def _dense(self, x: jax.Array) -> jax.Array:
    features = x.shape[-1]
    x = self.conv(features, (3, 3), name="dense_input")(x)
    outputs = []
    for i in range(self.dense_blocks):
      x = ResidualDenseBlock(
        self.dense_layers, self.growth, self.conv, name=f"dense_{i}"
      )(x)
      outputs.append(x)
    x = self.conv(features, (1, 1), name="fuse_0")(
      jnp.concatenate(outputs, axis=-1)
    )
    return self.conv(features, (3, 3), name="fuse_1")(x)


class Generator(nn.Module):
  """SPL's generator; the defaults are the published one (45.6 M parameters).

  Attributes:
    width: channels at full resolution; inner widths are 2 and 4 times it.
    blocks: residual blocks between encoder and decoder.
    learner: "dense" (published code) or "residual" (the paper's text).
    dense_blocks: residual dense blocks of the learner.
    dense_layers: convolutions in each.
    growth: channels each of these adds; None = width / 2.
    residual_blocks: last blocks of the learner; None = 4 for "dense", 5 for
      "residual".
    spade_hidden: hidden channels of SPADE; None = 2 width.
    prior_channels: channels of the teacher's features; 0 = no teacher, hence
      no prediction of them.
    fusion: "spade", or "concat" (section 4.4: priors joined to the image
      features in front of plain residual blocks).
    normalization: of the image branch: "region" (published code; the mask
      enters only through it), or "none" (the paper's text, eq. 1: the mask is
      a fourth input plane). Region normalisation takes each picture's mean
      colour away; the network must learn to put it back.
    dtype: of the computation; parameters, norms and outputs are float32.
  """

  width: int = 64
  blocks: int = 8
  learner: str = "dense"
  dense_blocks: int = 16
  dense_layers: int = 6
  growth: int | None = None
  residual_blocks: int | None = None
  spade_hidden: int | None = None
  prior_channels: int = 152
  fusion: str = "spade"
  normalization: str = "region"
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, mask: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Fills the hole; what `image` holds inside it is not looked at.

    Args:
      image: [B, H, W, 3] in [-1, 1], H and W multiples of 4.
      mask: [B, H, W, 1], 1 = hole.
      train: without effect; every system's networks take it.

    Returns:
      "image" [B, H, W, 3] in [-1, 1], the raw prediction; "features"
      [B, H/4, W/4, 4 width], the semantic priors S_m; with a teacher "prior"
      [B, H/4, W/4, F], its predicted features S'_m (eq. 4). All float32.

    Raises:
      ValueError: `learner`, `fusion` or `normalization` is not known.
    """
    del train
    chex.assert_rank([image, mask], 4)
    chex.assert_equal_shape_prefix([image, mask], 3)
    self._check(image)
    conv = functools.partial(Conv, kernel_init=_INIT, dtype=self.dtype)
    picture = white_holes(image, mask)
    x = self._encode(conv, picture, mask)
    priors = self._learner(conv)(semantic_input(picture, mask))
    outputs = {"features": priors.astype(jnp.float32)}
    if self.prior_channels:
      prior = conv(self.prior_channels, (1, 1), name="prior")(priors)
      outputs["prior"] = prior.astype(jnp.float32)
    x = self._fuse(conv, x, priors)
    x = Decoder(
      widths=(2 * self.width, self.width),
      output=Stage(features=3, kernel=7),
      norm=RegionNormLearned if self.normalization == "region" else None,
      conv=conv,
      name="decoder",
    )(x)
    # The published (tanh + 1) / 2, brought back from [0, 1] to [-1, 1].
    outputs["image"] = jnp.tanh(x.astype(jnp.float32))
    return outputs

  def _check(self, image: chex.Array) -> None:
    chex.assert_is_divisible(image.shape[1], 4)
    chex.assert_is_divisible(image.shape[2], 4)
    if self.learner not in ("dense", "residual"):
      raise ValueError(f"learner {self.learner!r}: use 'dense' or 'residual'")
    if self.fusion not in ("spade", "concat"):
      raise ValueError(f"fusion {self.fusion!r}: use 'spade' or 'concat'")
    if self.normalization not in ("region", "none"):
      raise ValueError(
        f"normalization {self.normalization!r}: use 'region' or 'none'"
      )

  def _encode(
    self, conv: Any, picture: jax.Array, mask: chex.Array
  ) -> jax.Array:
    stages = _stages(self.width, 1, 2, 4)
    if self.normalization == "none":
      x = jnp.concatenate([picture, mask], axis=-1)
      return Encoder(stages=stages, conv=conv, name="image_encoder")(x)[-1]
    return Encoder(
      stages=stages, norm=RegionNormBasic, conv=conv, name="image_encoder"
    )(picture, mask)[-1]

  def _learner(self, conv: Any) -> SemanticLearner:
    residual_blocks = self.residual_blocks
    if residual_blocks is None:
      residual_blocks = 4 if self.learner == "dense" else 5
    return SemanticLearner(
      width=self.width,
      kind=self.learner,
      dense_blocks=self.dense_blocks,
      dense_layers=self.dense_layers,
      growth=self.width // 2 if self.growth is None else self.growth,
      residual_blocks=residual_blocks,
      conv=conv,
      name="learner",
    )

  def _fuse(self, conv: Any, x: jax.Array, priors: jax.Array) -> jax.Array:
    if self.fusion == "concat":
      x = jnp.concatenate([x, priors], axis=-1)
      x = conv(4 * self.width, (1, 1), name="concat")(x)
      for i in range(self.blocks):
        x = ResidualBlock(dilation=2, conv=conv, name=f"block_{i}")(x)
      return x
    hidden = self.spade_hidden
    hidden = 2 * self.width if hidden is None else hidden
    for i in range(self.blocks):
      block = SPADEResidualBlock(
        hidden, dilation=2, conv=conv, name=f"block_{i}"
      )
      x = block(x, priors)
    return x


class Discriminator(nn.Module):
  """SPL's 70x70 patch discriminator; it sees the picture and nothing else.

  Attributes:
    widths: channels of its layers.
    dtype: of the computation.
  """

  widths: tuple[int, ...] = (64, 128, 256, 512)
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> tuple[jax.Array, list[jax.Array]]:
    """Scores a picture [B, H, W, 3] in [-1, 1].

    Returns:
      Logits [B, H/8 - 2, W/8 - 2, 1], and the outputs of all layers, logits
      last. The published network ends in a sigmoid; the losses take logits.
    """
    return PatchDiscriminator(
      widths=self.widths,
      strides=(2,) * (len(self.widths) - 1) + (1,),
      use_bias=False,
      dtype=self.dtype,
      kernel_init=_INIT,
      name="patch",
    )((image + 1) / 2, train=train)


def _stages(width: int, *factors: int) -> tuple[Stage, ...]:
  """A 7x7 layer at full size, then 4x4 ones that halve it."""
  first, *others = (width * factor for factor in factors)
  return (
    Stage(features=first, kernel=7),
    *(Stage(features=n, kernel=4, stride=2, padding=1) for n in others),
  )
