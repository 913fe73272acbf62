"""ESPA's autoencoder, stage 1 (Yu et al., section III-A, eqs. 1-3).

Layers and widths as published (Mark-Yu1/Interactive-Image-Inpainting), so that
its checkpoints fit. Pictures are [B, H, W, 3] in [-1, 1], masks [B, H, W, 1]
with 1 = hole.
"""

import functools
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.attention import ExternalSpatialAttention
from sginpaint.layers.convolution import Conv
from sginpaint.layers.encoder_decoder import Encoder, Stage
from sginpaint.layers.resampling import (
  resize_bilinear,
  resize_nearest,
  upsample_nearest,
)

# The paper is silent. ELU keeps 0.645 of the power of unit normal input; giving
# it back lets seventeen layers without norms train at once.
_INIT = nn.initializers.variance_scaling(1.55, "fan_in", "truncated_normal")
# A clamped pixel has no gradient: begin well inside.
_LAST = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")
_DILATIONS = (2, 4, 8, 16)


class Autoencoder(nn.Module):
  """Encoder, bottleneck of two branches, decoder.

  One branch of the bottleneck is four dilated convolutions, the other external
  spatial attention on encoded hole and downsampled surroundings. ELU follows
  every convolution but the last; there is no norm.

  Attributes:
    width: channels at full resolution; inner widths are 2 and 4 times it.
    attention: whether there is the second branch (table III without: row b).
    dtype: of the computation; parameters and outputs are float32.
  """

  width: int = 32
  attention: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, mask: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Fills the hole; what `image` holds inside it is not looked at.

    Args:
      image: [B, H, W, 3] in [-1, 1], H and W multiples of 4. The attention is
        made for the size that the network is initialised with; at others it
        resizes (see `ExternalSpatialAttention`).
      mask: [B, H, W, 1], 1 = hole.
      train: without effect; every system's networks take it.

    Returns:
      "image" [B, H, W, 3], clamped to [-1, 1], I_c of eq. 1; "features"
      [B, H/4, W/4, 4 width], F_c of eq. 7. Both float32.
    """
    del train
    chex.assert_rank([image, mask], 4)
    chex.assert_equal_shape_prefix([image, mask], 3)
    chex.assert_is_divisible(image.shape[1], 4)
    chex.assert_is_divisible(image.shape[2], 4)
    conv: Any = functools.partial(Conv, kernel_init=_INIT, dtype=self.dtype)
    context = image * (1 - mask)
    x = self._encode(conv, context, mask)
    y = x
    for i, dilation in enumerate(_DILATIONS):
      layer = conv(
        4 * self.width, (3, 3), kernel_dilation=dilation, name=f"dilated_{i}"
      )
      y = nn.elu(layer(y))
    if self.attention:
      y = y + self._attend(conv, x, context, mask)
    for i in range(2):
      y = nn.elu(conv(4 * self.width, (3, 3), name=f"fuse_{i}")(y))
    coarse = self._decode(conv, y).astype(jnp.float32)
    return {
      "image": jnp.clip(coarse, -1, 1),
      "features": y.astype(jnp.float32),
    }

  def _encode(
    self, conv: Any, context: jax.Array, mask: chex.Array
  ) -> jax.Array:
    width = self.width
    # Zero padding looks like grey; a plane of ones tells it from the picture.
    ones = jnp.ones_like(mask)
    x = jnp.concatenate([context, ones, mask], axis=-1)
    stages = (
      Stage(features=width, kernel=5, padding=2),
      Stage(features=2 * width, kernel=3, stride=2, padding=1),
      Stage(features=2 * width, kernel=3, padding=1),
      Stage(features=4 * width, kernel=3, stride=2, padding=1),
      Stage(features=4 * width, kernel=3, padding=1),
      Stage(features=4 * width, kernel=3, padding=1),
    )
    return Encoder(stages=stages, act=nn.elu, conv=conv, name="encoder")(x)[-1]

  def _attend(
    self, conv: Any, x: jax.Array, context: jax.Array, mask: chex.Array
  ) -> jax.Array:
    """Eqs. 2 and 3; outside the hole the surroundings stay as they are."""
    size = x.shape[1], x.shape[2]
    hole = resize_nearest(mask, size).astype(x.dtype)
    known = conv(4 * self.width, (1, 1), use_bias=False, name="context")(
      resize_bilinear(context, size)
    )
    query = x * hole + known * (1 - hole)
    attention = ExternalSpatialAttention(dtype=self.dtype, name="attention")
    return attention(query) * hole + known * (1 - hole)

  def _decode(self, conv: Any, x: jax.Array) -> jax.Array:
    width = self.width
    for i, features in enumerate((2 * width, 2 * width, width, width // 2)):
      if i % 2 == 0:
        x = upsample_nearest(x, 2)
      x = nn.elu(conv(features, (3, 3), name=f"decoder_{i}")(x))
    return conv(3, (3, 3), kernel_init=_LAST, name="output")(x)
