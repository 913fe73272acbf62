"""Changing the spatial size of feature maps exactly as PyTorch does.

Published weights were trained with PyTorch's sampling rules, which differ from
`jax.image.resize` (its "nearest" samples at half pixels). Layout [B, H, W, C],
any value range; sizes are static, so the sampling grids are computed once, in
numpy, while a function is traced.
"""

from collections.abc import Sequence

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

Size = tuple[int, int]


def reflect_pad(x: chex.Array, amount: int) -> jax.Array:
  """Mirrors `amount` pixels outwards on all sides, without the edge pixel."""
  edge = (amount, amount)
  return jnp.pad(x, ((0, 0), edge, edge, (0, 0)), mode="reflect")


def pixel_shuffle(x: chex.Array, factor: int) -> jax.Array:
  """Moves channels into space: [B, H, W, C r r] -> [B, H r, W r, C].

  Input channel `c r r + i r + j` becomes channel c at row offset i and column
  offset j (Shi et al. 2016, eq. 4, in PyTorch's channel order).
  """
  b, h, w, c = x.shape
  chex.assert_is_divisible(c, factor * factor)
  x = x.reshape(b, h, w, c // factor**2, factor, factor)
  x = x.transpose(0, 1, 4, 2, 5, 3)
  return x.reshape(b, h * factor, w * factor, c // factor**2)


def upsample_nearest(x: chex.Array, factor: int = 2) -> jax.Array:
  """Repeats every pixel: [B, H, W, C] -> [B, H factor, W factor, C]."""
  b, h, w, c = x.shape
  x = jnp.broadcast_to(x[:, :, None, :, None, :], (b, h, factor, w, factor, c))
  return x.reshape(b, h * factor, w * factor, c)


def nearest_indices(
  source: int, target: int, *, scale: float | None = None
) -> np.ndarray:
  """Source index of each target pixel: floor(t * source / target).

  Args:
    source: length of the axis.
    target: its length afterwards.
    scale: step in the source per target pixel, where it is not their ratio.

  Returns:
    int64 [target]; the product is taken in float32, as in PyTorch, which
    matters at some odd sizes.
  """
  step = np.float32(source / target if scale is None else scale)
  index = np.floor(np.arange(target, dtype=np.float32) * step)
  return np.minimum(index.astype(np.int64), source - 1)


def resize_nearest(
  x: chex.Array, size: Size, *, scale: float | None = None
) -> jax.Array:
  """Resizes [B, H, W, C] to [B, *size, C] by PyTorch's "nearest" rule.

  Args:
    x: the map.
    size: (height, width) afterwards.
    scale: see `nearest_indices`.
  """
  chex.assert_rank(x, 4)
  if x.shape[1:3] == tuple(size):
    return x
  for axis, target in zip((1, 2), size, strict=True):
    index = nearest_indices(x.shape[axis], target, scale=scale)
    x = jnp.take(x, index, axis=axis)
  return x


def _positions(
  source: int, target: int, align_corners: bool, scale: float | None
) -> np.ndarray:
  t = np.arange(target, dtype=np.float64)
  if align_corners:
    return t * ((source - 1) / max(target - 1, 1))
  step = source / target if scale is None else scale
  return (t + 0.5) * step - 0.5


def linear_weights(
  source: int,
  target: int,
  *,
  align_corners: bool = False,
  antialias: bool = False,
  scale: float | None = None,
) -> np.ndarray:
  """Matrix float32 [target, source] of linear interpolation along one axis."""
  position = _positions(source, target, align_corners, scale)
  width = max(source / target, 1.0) if antialias else 1.0
  if not antialias:
    position = np.clip(position, 0, source - 1)
  distance = np.abs(position[:, None] - np.arange(source)[None, :]) / width
  weights = np.maximum(0.0, 1.0 - distance)
  weights /= weights.sum(axis=1, keepdims=True)
  return weights.astype(np.float32)


def apply_weights(x: chex.Array, weights: Sequence[np.ndarray]) -> jax.Array:
  """Applies one matrix [target, source] to the height, one to the width."""
  # Two small matrix products: their gradient is a product too, not a scatter.
  rows, columns = weights
  y = jnp.einsum(
    "th,bhwc->btwc", rows, x.astype(jnp.float32), precision="highest"
  )
  y = jnp.einsum("tw,bhwc->bhtc", columns, y, precision="highest")
  return y.astype(x.dtype)


def resize_bilinear(
  x: chex.Array,
  size: Size,
  *,
  align_corners: bool = False,
  antialias: bool = False,
  scale: float | None = None,
) -> jax.Array:
  """Resizes [B, H, W, C] to [B, *size, C] linearly along both axes.

  Args:
    x: the map.
    size: (height, width) afterwards.
    align_corners: the corner pixels keep their places.
    antialias: widen the kernel where the map shrinks.
    scale: source pixels per target pixel where it is not the ratio of the
      sizes; PyTorch samples at 1 / factor when it was given a factor.
  """
  chex.assert_rank(x, 4)
  weights = [
    linear_weights(
      source,
      target,
      align_corners=align_corners,
      antialias=antialias,
      scale=scale,
    )
    for source, target in zip(x.shape[1:3], size, strict=True)
  ]
  return apply_weights(x, weights)


def hole_at(mask: chex.Array, factor: int) -> jax.Array:
  """The hole at a coarser scale: the cells that touch it.

  Args:
    mask: [B, H, W, 1], 1 = missing.
    factor: side of a cell, divides H and W.

  Returns:
    [B, H / factor, W / factor, 1], 1 where any pixel of the cell is missing.
  """
  chex.assert_rank(mask, 4)
  for side in mask.shape[1:3]:
    chex.assert_is_divisible(side, factor)
  window = (factor, factor)
  return nn.max_pool(mask, window, window)
