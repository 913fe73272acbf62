"""External spatial attention: keys and values that are learnt, not computed.

Yu et al. (ESPA), eq. 3, as published with it (Mark-Yu1/Interactive-Image-
Inpainting): what the paper calls a matrix is a two-layer perceptron there, with
a layer norm in front of both. Layout [B, H, W, C].
"""

import functools
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.normalization import EPSILON
from sginpaint.layers.resampling import Size, resize_bilinear

# A layer norm feeds the first layer of each perceptron, GELU, which takes about
# half of the power away, the second.
_FIRST = nn.initializers.variance_scaling(1.0, "fan_in", "truncated_normal")
_SECOND = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")


class ExternalSpatialAttention(nn.Module):
  """Mixes the tokens of every column, then those of every row (eq. 3).

  The weights of the mixing are parameters: no matrix of tokens by tokens is
  ever formed, memory grows as H W and time as H W (H + W). The price is that
  they belong to one grid of tokens, the one that the parameters were made for.
  On any other grid, which is how pictures of other sizes are served, the input
  is resized bilinearly to the trained one and the result is resized back.

  Attributes:
    token_factor: hidden tokens per token of the axis that is mixed.
    dtype: of the computation; the layer norm's statistics are float32.
  """

  token_factor: int = 2
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Maps [B, H, W, C] to [B, H, W, C]; there is no residual connection."""
    chex.assert_rank(x, 4)
    size = x.shape[1], x.shape[2]
    grid = self._grid(size)
    if size != grid:
      x = resize_bilinear(x, grid, antialias=True)
    x = nn.LayerNorm(
      epsilon=EPSILON, dtype=self.dtype, use_fast_variance=False, name="norm"
    )(x)
    x = x.transpose(0, 3, 2, 1)  # a dense layer works along the last axis
    x = self._mix(x, "height").swapaxes(2, 3)
    x = self._mix(x, "width").transpose(0, 2, 3, 1)
    return x if size == grid else resize_bilinear(x, size, antialias=True)

  def _grid(self, size: Size) -> Size:
    """(height, width) of the grid that the parameters are made for."""
    if not self.has_variable("params", "height_first"):
      return size
    params = self.variables["params"]
    height, width = (
      len(params[f"{axis}_first"]["kernel"]) for axis in ("height", "width")
    )
    return height, width

  def _mix(self, x: jax.Array, axis: str) -> jax.Array:
    """Two layers along the last axis, the same for all that stands before."""
    tokens = x.shape[-1]
    dense: Any = functools.partial(nn.Dense, use_bias=False, dtype=self.dtype)
    x = dense(
      tokens * self.token_factor, kernel_init=_FIRST, name=f"{axis}_first"
    )(x)
    # The exact GELU, not its approximation by tanh, which is Flax's default.
    x = nn.gelu(x, approximate=False)
    return dense(tokens, kernel_init=_SECOND, name=f"{axis}_second")(x)
