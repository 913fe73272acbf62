"""Region normalisation: hole and surroundings are normalised apart.

Yu et al., "Region Normalization for Image Inpainting" (AAAI 2020), in the form
that SPL's published networks use: statistics per *sample*, not per batch. SPL's
paper does not mention it; its code is built on it. Layout [B, H, W, C], masks
[B, H, W, 1] with 1 = hole. Statistics in float32.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.normalization import statistics_type
from sginpaint.layers.resampling import resize_nearest

EPSILON = 1e-5
# A pixel counts as corrupted-looking when its importance reaches this; the
# `threshold` argument of the published generator is never used.
THRESHOLD = 0.8
_SPACE = (1, 2)


def _normalize_region(x: jax.Array, region: jax.Array) -> jax.Array:
  """Normalised x inside `region` [B, H, W, 1], zero outside it.

  Filling the outside with the region's mean and instance-normalising the whole
  map leaves that mean as the mean, and sum((region (x - mean))^2) / (H W) as
  the variance. So no filled map is formed here.
  """
  area = jnp.sum(region, axis=_SPACE, keepdims=True)
  area = jnp.where(area == 0, 1.0, area)
  mean = jnp.sum(x * region, axis=_SPACE, keepdims=True) / area
  centred = (x - mean) * region
  variance = jnp.mean(jnp.square(centred), axis=_SPACE, keepdims=True)
  share = area / (x.shape[1] * x.shape[2])
  return centred * (jnp.sqrt(share) * jax.lax.rsqrt(variance + EPSILON))


def region_norm(x: chex.Array, mask: chex.Array) -> jax.Array:
  """Normalises hole and known region, each over itself.

  Args:
    x: [B, H, W, C].
    mask: [B, H, W, 1], 1 = hole; values between count for both regions. No
      gradient flows into it.

  Returns:
    [B, H, W, C], float32 (float64 for a float64 x).
  """
  chex.assert_equal_shape_prefix([x, mask], 3)
  x = statistics_type(x)
  mask = jax.lax.stop_gradient(mask.astype(jnp.float32))
  return _normalize_region(x, mask) + _normalize_region(x, 1 - mask)


class RegionNormBasic(nn.Module):
  """RN-B: region norm by the hole mask, one affine pair per region.

  As in the published code, *both* shifts are added everywhere.
  """

  @nn.compact
  def __call__(self, x: chex.Array, mask: chex.Array) -> jax.Array:
    """Normalises [B, H, W, C] by a mask [B, h, w, 1] of any size."""
    mask = resize_nearest(mask, x.shape[1:3]).astype(jnp.float32)

    def param(name: str) -> jax.Array:
      return self.param(name, nn.initializers.zeros, (x.shape[-1],))

    y = region_norm(x, mask)
    hole = y * mask * (1 + param("hole_gamma")) + param("hole_beta")
    known = y * (1 - mask) * (1 + param("known_gamma")) + param("known_beta")
    return (hole + known).astype(x.dtype)


class ImportanceMap(nn.Module):
  """Where features look corrupted, and the affine maps read off that."""

  @nn.compact
  def __call__(self, x: chex.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Maps [B, H, W, C] to (map in [0, 1], gamma, beta), each [B, H, W, 1]."""
    x = statistics_type(x)
    pooled = jnp.concatenate(
      [jnp.mean(x, -1, keepdims=True), jnp.max(x, -1, keepdims=True)], axis=-1
    )

    def conv(name: str, *, use_bias: bool = True) -> nn.Module:
      return nn.Conv(1, (7, 7), use_bias=use_bias, name=name)

    importance = nn.sigmoid(conv("importance", use_bias=False)(pooled))
    return importance, conv("gamma")(importance), conv("beta")(importance)


class RegionNormLearned(nn.Module):
  """RN-L: region norm by a mask found in the features themselves."""

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Normalises [B, H, W, C]."""
    importance, gamma, beta = ImportanceMap(name="affine")(x)
    region = (importance >= THRESHOLD).astype(jnp.float32)
    # A contraction, as is then gamma's gradient: sums of products over the
    # channels are slow in XLA's CPU backend (jax 0.10), which uses one thread.
    scaled = jnp.einsum(
      "bhwc,bhw->bhwc",
      region_norm(x, region),
      1 + gamma[..., 0],
      precision=jax.lax.Precision.HIGHEST,
    )
    return (scaled + beta).astype(x.dtype)
