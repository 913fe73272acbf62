"""ESPA's semantic decoder, stage 2 (Yu et al., section III-B, eq. 7).

It was never published; what the paper leaves open follows the generator of
SPADE (Park et al., CVPR 2019): its residual blocks with spectral norms, and
LeakyReLU in front of the last convolution. Layout [B, H, W, C].
"""

from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.convolution import Conv
from sginpaint.layers.resampling import upsample_nearest
from sginpaint.layers.residual import SPADEResNetBlock

# A saturated tanh has next to no gradient, and sums of residual blocks grow:
# begin well inside.
_LAST = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")


class SemanticDecoder(nn.Module):
  """Features of the corrupted picture and a label map to the final picture.

  Attributes:
    widths: channels of the residual blocks: the first two at the size of the
      features, then one after each doubling; four, since the features have a
      quarter of the size.
    hidden: channels between label map and modulation in every SPADE layer.
    dtype: of the computation; parameters, norms and outputs are float32.
  """

  widths: Sequence[int] = (256, 256, 128, 64)
  hidden: int = 128
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, features: chex.Array, one_hot: chex.Array, *, train: bool = False
  ) -> jax.Array:
    """Renders the label map.

    Args:
      features: [B, H/4, W/4, C], F_c, any range.
      one_hot: [B, H, W, K], S_m; all zeros where nothing is said.
      train: one power iteration of the spectral norms, whose collection
        "spectral_norm" must then be mutable.

    Returns:
      float32 [B, H, W, 3] in [-1, 1], I_f.
    """
    chex.assert_rank([features, one_hot], 4)
    x = features.astype(self.dtype)
    for i, width in enumerate(self.widths):
      if i >= 2:
        x = upsample_nearest(x, 2)
      block = SPADEResNetBlock(
        width, hidden=self.hidden, dtype=self.dtype, name=f"block_{i}"
      )
      x = block(x, one_hot, train=train)
    x = nn.leaky_relu(x, 0.2)
    x = Conv(3, (3, 3), kernel_init=_LAST, dtype=self.dtype, name="output")(x)
    chex.assert_equal_shape_prefix([x, one_hot], 3)
    return jnp.tanh(x.astype(jnp.float32))
