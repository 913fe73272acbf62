"""Holes drawn on the device: centred, rectangular, irregular, mixtures.

Every mask is float32 [B, H, W, 1] in {0, 1}, 1 = missing. `shape` is always
(B, H, W) and static; mask b is a function of (key, b) alone, so it does not
change with the size of the batch, its sharding or the number of devices.
"""

import functools
from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.data.irregular import Ratio, Shape, check_shape, irregular
from sginpaint.data.strokes import below

__all__ = ["center", "irregular", "rectangle", "sample"]

Size = int | tuple[int, int]


def center(shape: Shape, size: Size) -> jax.Array:
  """One rectangle in the middle, the same for every example.

  Args:
    shape: (B, H, W).
    size: pixels, one number or (height, width); where the border cannot be
      equal on both sides, the hole lies one pixel nearer the top or left.

  Returns:
    float32 [B, H, W, 1].

  Raises:
    ValueError: the hole is empty or does not fit.
  """
  check_shape(shape)
  batch, height, width = shape
  tall, wide = _pair(size, shape)
  top, left = (height - tall) // 2, (width - wide) // 2
  mask = _box(jnp.full(batch, top), jnp.full(batch, left), tall, wide, shape)
  return mask.astype(jnp.float32)


def rectangle(
  key: chex.PRNGKey, shape: Shape, *, low: Size = 80, high: Size = 160
) -> jax.Array:
  """One rectangle per example, anywhere inside the picture.

  Height and width are drawn independently and uniformly, then the place
  uniformly among those where the whole rectangle is inside. The defaults are
  for 256 x 256.

  Args:
    key: PRNG key.
    shape: (B, H, W).
    low: smallest side in pixels, one number or (height, width).
    high: largest side, included.

  Returns:
    float32 [B, H, W, 1].

  Raises:
    ValueError: low > high, or a rectangle would be empty or not fit.
  """
  check_shape(shape)
  low, high = _pair(low, shape), _pair(high, shape)
  if low[0] > high[0] or low[1] > high[1]:
    raise ValueError(f"rectangle: low {low} exceeds high {high}")

  bits = _words(key, shape[0], 4)
  size = below(bits[:, :2], np.subtract(high, low) + 1)
  size += np.array(low, np.int32)
  room = np.array(shape[1:], np.int32) - size
  corner = below(bits[:, 2:], room + 1)
  mask = _box(corner[:, 0], corner[:, 1], size[:, 0], size[:, 1], shape)
  return mask.astype(jnp.float32)


def sample(
  key: chex.PRNGKey,
  shape: Shape,
  *,
  irregular: float = 1.0,
  center: float = 0.0,
  rectangle: float = 0.0,
  irregular_ratio: Ratio = (0.01, 0.6),
  center_size: float = 0.5,
  rectangle_size: Sequence[float] = (0.3125, 0.625),
) -> jax.Array:
  """A mixture: the kind of each example's hole is drawn by its share.

  The options are the fields of `config.masks` of the same names.

  Args:
    key: PRNG key.
    shape: (B, H, W).
    irregular: share of brush strokes; shares need not sum to 1.
    center: share of centred rectangles.
    rectangle: share of random rectangles.
    irregular_ratio: (lo, hi) of hole area / picture area.
    center_size: sides of the hole / sides of the picture.
    rectangle_size: (low, high), sides of the hole / sides of the picture.

  Returns:
    float32 [B, H, W, 1].

  Raises:
    ValueError: a share is negative or all are 0, or a size does not fit.
  """
  shares = {"irregular": irregular, "center": center, "rectangle": rectangle}
  if min(shares.values()) < 0 or sum(shares.values()) <= 0:
    raise ValueError(
      f"shares of masks must be >= 0 and not all 0; got {shares}"
    )
  # Each kind has its own stream: the holes of one kind stay the same when the
  # shares of others change.
  keys = jax.random.split(key, 3)
  draw = {
    "irregular": lambda: _irregular(keys[1], shape, ratio=irregular_ratio),
    "center": lambda: _center(shape, _pixels(center_size, shape)),
    "rectangle": lambda: _rectangle(
      keys[2],
      shape,
      low=_pixels(rectangle_size[0], shape),
      high=_pixels(rectangle_size[1], shape),
    ),
  }
  present = {name: share for name, share in shares.items() if share > 0}
  masks = [draw[name]() for name in present]
  if len(masks) == 1:
    return masks[0]
  edges = np.cumsum(list(present.values())) / sum(present.values())
  limits = np.minimum(edges[:-1] * 2**32, 2**32 - 1).astype(np.uint32)
  word = _words(keys[0], shape[0], 1)
  kind = (word >= limits).sum(1)
  return jax.lax.select_n(jnp.broadcast_to(_tail(kind), masks[0].shape), *masks)


# `sample` takes shares under the names of the kinds.
_irregular, _center, _rectangle = irregular, center, rectangle


@functools.partial(jax.jit, static_argnums=(1, 2))
def _words(key: chex.PRNGKey, batch: int, count: int) -> jax.Array:
  """Random uint32 [batch, count]; row b depends on (key, b) only."""
  draw = lambda b: jax.random.bits(jax.random.fold_in(key, b), (count,))
  return jax.vmap(draw)(jnp.arange(batch))


def _tail(x: chex.Array) -> chex.Array:
  return x[:, None, None, None]


def _box(top, left, tall, wide, shape: Shape) -> jax.Array:
  y = jnp.arange(shape[1])[None, :, None, None]
  x = jnp.arange(shape[2])[None, None, :, None]
  top, left = _tail(top), _tail(left)
  tall, wide = (jnp.reshape(n, (-1, 1, 1, 1)) for n in (tall, wide))
  return (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)


def _pair(size: Size, shape: Shape) -> tuple[int, int]:
  pair = np.ravel(size).tolist()
  pair = pair * 2 if np.ndim(size) == 0 else pair
  if len(pair) != 2 or any(int(n) != n for n in pair):
    raise ValueError(f"a hole's size is pixels or (height, width); got {size}")
  if not (1 <= pair[0] <= shape[1] and 1 <= pair[1] <= shape[2]):
    raise ValueError(
      f"a hole of {pair[0]}x{pair[1]} pixels does not fit into a picture of "
      f"{shape[1]}x{shape[2]}"
    )
  return int(pair[0]), int(pair[1])


def _pixels(fraction: float, shape: Shape) -> tuple[int, int]:
  tall, wide = (max(1, round(fraction * side)) for side in shape[1:])
  return tall, wide
