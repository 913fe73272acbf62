"""The boosted GAN's three discriminators (Li et al., arXiv 1908.04503).

The global one is that of Iizuka et al. (SIGGRAPH 2017), the one of the
segmentation the same with the map beside the picture. The one of the attributes
appends them to features of 4x4 (M2 = 4), as Reed et al. (ICML 2016) do with a
text. All layers have spectral norms, of which the paper says nothing; none has
another norm, which would take a tiled vector out again. They give one logit per
pair of a picture and what is said of it. Layout [B, H, W, C].
"""

from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.spectral_norm import SpectralConv
from sginpaint.systems.boosted_gan.networks import inject

_SLOPE = 0.2


class Discriminator(nn.Module):
  """Those discriminators that are wanted; no two share a parameter.

  Attributes:
    widths: channels of each one's trunk, a halving each: six make 4x4 of 256.
    hidden: size of the fully connected layer of "global" and "segmentation".
    attributes: whether there is the one of the attributes.
    segmentation: whether there is the one of the segmentation.
    dtype: of the computation; logits are float32.
  """

  widths: Sequence[int] = (64, 128, 256, 512, 512, 512)
  hidden: int = 1024
  attributes: bool = True
  segmentation: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self,
    image: chex.Array,
    attributes: Sequence[chex.Array] = (),
    segmentation: Sequence[chex.Array] = (),
    *,
    train: bool = False,
  ) -> dict[str, list[jax.Array]]:
    """Judges pictures, each with everything that is said of it.

    Args:
      image: [B, H, W, 3] in [-1, 1].
      attributes: vectors [B, A] to pair the pictures with.
      segmentation: maps [B, H, W, K] to pair them with.
      train: moves the spectral norms, once for each time a layer is applied.

    Returns:
      Logits float32 [B] of real and matching pairs: "global", one; and of those
      that exist "attributes" and "segmentation", one per vector or map.
    """
    chex.assert_rank(image, 4)
    logits = {
      "global": [
        _Dense(self.hidden, dtype=self.dtype, name="global_head")(
          self._trunk("global")(image, train=train), train=train
        )
      ]
    }
    if self.attributes:
      # What they are appended to does not depend on them.
      features = self._trunk("attributes")(image, train=train)
      match = _Match(dtype=self.dtype, name="attributes_head")
      logits["attributes"] = [
        match(features, vector, train=train) for vector in attributes
      ]
    if self.segmentation:
      trunk = self._trunk("segmentation")
      head = _Dense(self.hidden, dtype=self.dtype, name="segmentation_head")
      logits["segmentation"] = [
        head(trunk(jnp.concatenate([image, m], -1), train=train), train=train)
        for m in segmentation
      ]
    return logits

  def _trunk(self, name: str) -> "_Trunk":
    return _Trunk(self.widths, dtype=self.dtype, name=f"{name}_trunk")


class _Trunk(nn.Module):
  """5x5 convolutions of stride 2."""

  widths: Sequence[int]
  dtype: Any

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    for i, width in enumerate(self.widths):
      x = SpectralConv(
        width,
        (5, 5),
        strides=2,
        padding=((2, 2), (2, 2)),
        dtype=self.dtype,
        name=f"conv_{i}",
      )(x, train=train)
      x = nn.leaky_relu(x, _SLOPE)
    return x


class _Dense(nn.Module):
  """Two fully connected layers: [B, h, w, C] to [B]."""

  hidden: int
  dtype: Any

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool) -> jax.Array:
    x = _fully_connected(x, self.hidden, self.dtype, "hidden", train)
    x = nn.leaky_relu(x, _SLOPE)
    x = _fully_connected(x, 1, self.dtype, "logit", train)
    return x.reshape(len(x)).astype(jnp.float32)


class _Match(nn.Module):
  """Whether features [B, h, w, C] and a vector [B, A] belong together: [B]."""

  dtype: Any

  @nn.compact
  def __call__(
    self, x: chex.Array, attributes: chex.Array, *, train: bool
  ) -> jax.Array:
    joined = SpectralConv(x.shape[-1], (1, 1), dtype=self.dtype, name="joined")(
      inject(x, attributes), train=train
    )
    x = nn.leaky_relu(joined, _SLOPE)
    x = _fully_connected(x, 1, self.dtype, "logit", train)
    return x.reshape(len(x)).astype(jnp.float32)


def _fully_connected(
  x: jax.Array, features: int, dtype: Any, name: str, train: bool
) -> jax.Array:
  """[B, h, w, C] to [B, 1, 1, features]: a convolution as large as the map."""
  size = x.shape[1], x.shape[2]
  return SpectralConv(features, size, padding="VALID", dtype=dtype, name=name)(
    x, train=train
  )
