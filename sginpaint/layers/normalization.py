"""Normalisation layers: instance norm, batch norm, SPADE.

SPADE is Park et al., "Semantic Image Synthesis with Spatially-Adaptive
Normalization" (CVPR 2019). Layout [B, H, W, C]. Statistics are taken in float32
whatever the compute dtype; epsilon and running averages follow PyTorch, whose
checkpoints these layers read.
"""

from collections.abc import Callable, Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.layers.convolution import Conv
from sginpaint.layers.resampling import resize_nearest

EPSILON = 1e-5
Values = Mapping[str, Any]


def statistics_type(x: chex.Array) -> jax.Array:
  """`x` in float32, or in float64 where it comes so."""
  return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def instance_norm(x: chex.Array, *, epsilon: float = EPSILON) -> jax.Array:
  """Zero mean and unit (biased) variance per sample and channel.

  Args:
    x: [B, H, W, C].
    epsilon: added to the variance, inside the root.

  Returns:
    [B, H, W, C] in the dtype of `x`.
  """
  chex.assert_rank(x, 4)
  wide = statistics_type(x)
  centred = wide - jnp.mean(wide, axis=(1, 2), keepdims=True)
  variance = jnp.mean(jnp.square(centred), axis=(1, 2), keepdims=True)
  return (centred * jax.lax.rsqrt(variance + epsilon)).astype(x.dtype)


class InstanceNorm(nn.Module):
  """`instance_norm`, with a learnt scale and shift where `affine`.

  Attributes:
    affine: learn one scale and one shift per channel.
  """

  affine: bool = False

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Normalises [B, H, W, C]."""
    y = instance_norm(x)
    if not self.affine:
      return y
    shape = (x.shape[-1],)
    scale = self.param("scale", nn.initializers.ones, shape)
    bias = self.param("bias", nn.initializers.zeros, shape)
    return y * scale.astype(y.dtype) + bias.astype(y.dtype)


class BatchNorm(nn.Module):
  """Batch norm with PyTorch's running averages.

  It normalises with the biased variance but keeps the *unbiased* one, which
  `flax.linen.BatchNorm` does not.

  Attributes:
    affine: learn one scale and one shift per channel.
    momentum: share of the old running average that an update keeps.
    epsilon: added to the variance, inside the root.
  """

  affine: bool = True
  momentum: float = 0.9
  epsilon: float = EPSILON

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool = False) -> jax.Array:
    """Normalises [B, H, W, C] with the batch (`train`) or running moments."""
    shape = (x.shape[-1],)
    wide = statistics_type(x)
    running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
    running_var = self.variable("batch_stats", "var", jnp.ones, shape)
    mean, var = running_mean.value, running_var.value
    if train:
      mean = jnp.mean(wide, axis=(0, 1, 2))
      var = jnp.mean(jnp.square(wide - mean), axis=(0, 1, 2))
      if not self.is_initializing():
        count = x.size // x.shape[-1]
        keep, unbiased = self.momentum, var * (count / max(count - 1, 1))
        running_mean.value = keep * running_mean.value + (1 - keep) * mean
        running_var.value = keep * running_var.value + (1 - keep) * unbiased
    y = (wide - mean) * jax.lax.rsqrt(var + self.epsilon)
    if self.affine:
      y *= self.param("scale", nn.initializers.ones, shape)
      y += self.param("bias", nn.initializers.zeros, shape)
    return y.astype(x.dtype)

  @nn.nowrap
  def gain(self, params: Values, stats: Values) -> np.ndarray:
    """See `folding.Foldable`."""
    root = np.sqrt(np.asarray(stats["var"], np.float64) + self.epsilon)
    return np.asarray(params.get("scale", 1.0), np.float64) / root

  @nn.nowrap
  def adding(self, shift: np.ndarray) -> tuple[Values, Values]:
    """See `folding.Foldable`."""
    ones, zeros = np.ones_like(shift), np.zeros_like(shift)
    params = {"scale": ones, "bias": zeros} if self.affine else {}
    return params, {"mean": -shift, "var": ones - self.epsilon}


class SPADE(nn.Module):
  """Spatially-adaptive normalisation: norm(x) * (1 + gamma) + beta.

  gamma and beta are maps, read off the guidance by a convolution, ReLU and one
  more convolution each. The paper prints `gamma`; the authors' code, and every
  published checkpoint, has `1 + gamma`.

  Attributes:
    hidden: channels between guidance and gamma, beta.
    norm: the norm without parameters, "instance" or "batch", or "none".
    kernel: side of all three convolutions.
    conv: convolution to use; carries dtype and initialiser.
    modulation_init: other initialiser of the kernels of gamma and beta; of
      zeros it makes modulation begin with none.
  """

  hidden: int = 128
  norm: str = "instance"
  kernel: int = 3
  conv: Any = Conv
  modulation_init: Callable[..., jax.Array] | None = None

  @nn.compact
  def __call__(
    self, x: chex.Array, guidance: chex.Array, *, train: bool = False
  ) -> jax.Array:
    """Modulates `x`.

    Args:
      x: [B, H, W, C].
      guidance: [B, h, w, G], resized to H x W by nearest neighbour.
      train: matters to `norm="batch"` only.

    Returns:
      [B, H, W, C].

    Raises:
      ValueError: `norm` is not known.
    """
    chex.assert_rank([x, guidance], 4)
    if self.norm == "instance":
      normalized = instance_norm(x)
    elif self.norm == "batch":
      batch_norm = BatchNorm(affine=False, name="norm")
      normalized = batch_norm(x, train=train)
    elif self.norm == "none":
      normalized = x
    else:
      raise ValueError(
        f"SPADE norm {self.norm!r}: use 'instance', 'batch' or 'none'"
      )
    guidance = resize_nearest(guidance, x.shape[1:3])
    size = (self.kernel, self.kernel)
    hidden = nn.relu(self.conv(self.hidden, size, name="shared")(guidance))
    init = self.modulation_init
    last = {} if init is None else {"kernel_init": init}
    gamma = self.conv(x.shape[-1], size, name="gamma", **last)(hidden)
    beta = self.conv(x.shape[-1], size, name="beta", **last)(hidden)
    return normalized * (1 + gamma) + beta
