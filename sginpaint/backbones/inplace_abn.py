"""Batch norm and leaky ReLU in one, as TResNet has them.

Rota Bulo et al., "In-Place Activated BatchNorm" (CVPR 2018), in the version of
mapillary/inplace_abn whose scale is |weight| + eps. Layout [B, H, W, C].
"""

from collections.abc import Callable
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.layers.normalization import Values, statistics_type

_EPS = 1e-5
_MOMENTUM = 0.1  # of PyTorch: the share of the new value


class InPlaceABN(nn.Module):
  """Batch norm with scale |weight| + eps, then leaky ReLU.

  Statistics are float32. The collection `batch_stats` is updated as PyTorch
  does: a tenth of the new value, and the *unbiased* variance.

  Attributes:
    slope: of the leaky ReLU; 1 = no activation.
    scale_init: initial weight.
    dtype: of the result.
  """

  slope: float = 1.0
  scale_init: Callable[..., jax.Array] = nn.initializers.ones
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool = False) -> jax.Array:
    """Normalises [B, H, W, C] over all axes but the last."""
    shape = x.shape[-1:]
    weight = self.param("scale", self.scale_init, shape)
    bias = self.param("bias", nn.initializers.zeros, shape)
    running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
    running_var = self.variable("batch_stats", "var", jnp.ones, shape)
    x = statistics_type(x)
    if train:
      axes = tuple(range(x.ndim - 1))
      mean, var = jnp.mean(x, axes), jnp.var(x, axes)
      if not self.is_initializing():
        count = x.size // x.shape[-1]
        unbiased = var * (count / max(count - 1, 1))
        running_mean.value += _MOMENTUM * (mean - running_mean.value)
        running_var.value += _MOMENTUM * (unbiased - running_var.value)
    else:
      mean, var = running_mean.value, running_var.value
    # Not jnp.abs: its gradient at 0 is 0, and a residual branch starts there.
    scale = jnp.where(weight < 0.0, -weight, weight) + _EPS
    x = (x - mean) * (scale * jax.lax.rsqrt(var + _EPS)) + bias
    if self.slope != 1.0:
      x = jax.nn.leaky_relu(x, self.slope)
    return x.astype(self.dtype)

  @nn.nowrap
  def gain(self, params: Values, stats: Values) -> np.ndarray:
    """See `folding.Foldable`; of what the leaky ReLU reads."""
    weight, var = (
      np.asarray(v, np.float64) for v in (params["scale"], stats["var"])
    )
    return (np.abs(weight) + _EPS) / np.sqrt(var + _EPS)

  @nn.nowrap
  def adding(self, shift: np.ndarray) -> tuple[Values, Values]:
    """See `folding.Foldable`."""
    almost, zeros = np.ones_like(shift) - _EPS, np.zeros_like(shift)
    return {"scale": almost, "bias": zeros}, {"mean": -shift, "var": almost}
