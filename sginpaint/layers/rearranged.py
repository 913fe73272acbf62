"""Convolutions rearranged so that XLA runs them well; the results are the same.

A large kernel between a picture (3 or 4 channels) and a feature map keeps few
of a processor's lanes busy, forward and in both gradients. Moving pixels into
channels gives the same sums in fewer, wider steps. Both functions take the
place of `jax.lax.conv_general_dilated` in `flax.linen.Conv`, whose parameters
stay what they are. Layout [B, H, W, C].
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.layers.resampling import pixel_shuffle, upsample_nearest

_THIN = 4  # channels, up to which a side of the kernel is called thin


def convolve_thin(
  x: chex.Array,
  kernel: chex.Array,
  window_strides: Any,
  padding: Any,
  **options: Any,
) -> jax.Array:
  """A convolution; from or to very few channels by 2x2 blocks of pixels.

  Args:
    x: [B, H, W, C].
    kernel: [k, k, C, D].
    window_strides: see `jax.lax.conv_general_dilated`.
    padding: as there.
    **options: as there.

  Returns:
    What `jax.lax.conv_general_dilated` returns, up to rounding.
  """

  def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(
      x, kernel, window_strides, padding, **options
    )

  side = kernel.shape[0]
  if not (
    min(kernel.shape[2:]) <= _THIN
    and side > 3
    and side % 2
    and kernel.shape[1] == side
    and padding == "VALID"
    and tuple(window_strides) == (1, 1)
    and not any(n % 2 for n in x.shape[1:3])
  ):
    return convolve(x, kernel)
  # Output pixel 2i + f sees x[2i + f + t] through tap t: a kernel of even side
  # per f, shifted by f.
  shifts = np.zeros((2, side + 1, side), np.float32)
  for f in range(2):
    shifts[f, f : f + side] = np.eye(side)
  taps = jnp.einsum("fut,gvs,tsco->uvcofg", shifts, shifts, kernel)
  taps = taps.reshape(*taps.shape[:3], -1).astype(kernel.dtype)
  blocks = _space_to_depth(taps[None])[0]
  blocks = blocks.reshape(*blocks.shape[:2], -1, taps.shape[-1])
  return pixel_shuffle(convolve(_space_to_depth(x), blocks), 2)


def convolve_doubled(
  padded: chex.Array,
  kernel: chex.Array,
  window_strides: Any,
  padding: Any,
  **options: Any,
) -> jax.Array:
  """Convolves a picture doubled by nearest neighbour, without forming it.

  Each of the four pixels that came from one sees few different ones: a kernel
  of side 7 becomes four of side 5 on the picture that was not doubled.

  Args:
    padded: [B, H + k - 1, W + k - 1, C], mirrored at its borders (padding
      "REFLECT" of `flax.linen.Conv`).
    kernel: [k, k, C, D], k = 3, 7, 11, ...
    window_strides: must be 1.
    padding: must be "VALID".
    **options: see `jax.lax.conv_general_dilated`.

  Returns:
    [B, 2H, 2W, D]: the same as doubling, mirroring and convolving.
  """
  chex.assert_equal((tuple(window_strides), padding), ((1, 1), "VALID"))

  def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(
      x, kernel, window_strides, padding, **options
    )

  reach = kernel.shape[0] // 2
  x = padded[:, reach:-reach, reach:-reach]
  small = (reach + 1) // 2
  taps = np.zeros((2, 2 * small + 1, kernel.shape[0]), np.float32)
  for f in range(2):
    for t in range(kernel.shape[0]):
      taps[f, (f + t - reach) // 2 + small, t] = 1
  phases = jnp.einsum("fut,gvs,tsco->uvcofg", taps, taps, kernel)
  phases = phases.reshape(*phases.shape[:3], -1).astype(kernel.dtype)
  y = pixel_shuffle(convolve(_mirror(x, small, "symmetric"), phases), 2)
  # Mirroring the doubled picture skips its edge pixel, mirroring the small one
  # cannot: the outermost results are computed as they are defined.
  edge = reach - 1
  if edge:
    large = _mirror(upsample_nearest(x, 2), reach, "reflect")
    strip = edge + 2 * reach
    y = y.at[:, :edge].set(convolve(large[:, :strip], kernel))
    y = y.at[:, -edge:].set(convolve(large[:, -strip:], kernel))
    y = y.at[:, :, :edge].set(convolve(large[:, :, :strip], kernel))
    y = y.at[:, :, -edge:].set(convolve(large[:, :, -strip:], kernel))
  return y


def _mirror(x: jax.Array, amount: int, mode: str) -> jax.Array:
  edge = (amount, amount)
  return jnp.pad(x, ((0, 0), edge, edge, (0, 0)), mode=mode)


def _space_to_depth(x: jax.Array) -> jax.Array:
  b, h, w, c = x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3:]
  x = x.reshape(b, h, 2, w, 2, *c)
  x = jnp.moveaxis(x, 3, 2)
  return x.reshape(b, h, w, 4 * c[0], *c[1:])
