"""Convolution that is quick on CPUs too.

XLA's CPU backend (jax 0.10) has slow paths, measured on the systems' layers: an
input that is not padded takes twice as long as a padded one, thirty times in a
7x7 convolution to three channels; the gradient of a kernel takes as long as two
forward passes, two to ten where there are few outputs; and the gradient of a
strided convolution's input multiplies the zeros between its pixels. Here the
same sums are put so that it takes its quick ones. Other backends keep theirs.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

_LAYOUT = ("NHWC", "HWIO", "NHWC")
_Edges = tuple[tuple[int, int], ...]
# Of 3x3 convolutions without strides, on two cores, maps of so many channels
# gain at any size, narrower ones if they are large; the others lose a tenth.
_WIDE = 128
_LARGE, _NARROW = 32 * 32, 48  # pixels, channels


class ConvParams(nn.Module):
  """Kernel and bias of a convolution, for who computes it in another way.

  Attributes:
    conv: the convolution; carries dtype and initialisers.
    features: channels out.
    kernel_size: (rows, columns).
  """

  conv: Any
  features: int
  kernel_size: tuple[int, int]

  @nn.compact
  def __call__(self, inputs: int) -> tuple[jax.Array, jax.Array]:
    """(kernel [rows, columns, inputs, features], bias [features])."""
    conv = self.conv(self.features, self.kernel_size, parent=None)
    shape = (*self.kernel_size, inputs, self.features)
    kernel = self.param("kernel", conv.kernel_init, shape)
    bias = self.param("bias", conv.bias_init, (self.features,))
    if conv.dtype is None:
      return kernel, bias
    return kernel.astype(conv.dtype), bias.astype(conv.dtype)


def conv_general_dilated(
  lhs: chex.Array,
  rhs: chex.Array,
  window_strides: Sequence[int],
  padding: Any,
  *,
  lhs_dilation: Sequence[int] = (1, 1),
  rhs_dilation: Sequence[int] = (1, 1),
  feature_group_count: int = 1,
  precision: Any = None,
  **options: Any,
) -> jax.Array:
  """`jax.lax.conv_general_dilated` of [B, H, W, C], with the same arguments.

  Convolutions that would not gain, and those with groups, a dilated input, or
  strides that do not divide the kernel, are JAX's own everywhere.
  """
  size, strides = rhs.shape[:2], tuple(window_strides)
  window = _Window(strides, (), tuple(rhs_dilation), precision)
  plain = {feature_group_count, *lhs_dilation} == {1} and window.fits(size)
  # Where the program is made for another device than this one, it is a little
  # slower there, not wrong.
  if jax.default_backend() != "cpu" or not (plain and _pays(lhs, rhs, strides)):
    return jax.lax.conv_general_dilated(
      lhs,
      rhs,
      strides,
      padding,
      lhs_dilation=lhs_dilation,
      rhs_dilation=rhs_dilation,
      feature_group_count=feature_group_count,
      precision=precision,
      **{"dimension_numbers": _LAYOUT} | options,
    )
  if isinstance(padding, str):
    reach = [(k - 1) * d + 1 for k, d in zip(size, rhs_dilation, strict=True)]
    padding = jax.lax.padtype_to_pads(lhs.shape[1:3], reach, strides, padding)
  edges = tuple((int(low), int(high)) for low, high in padding)
  if size == strides == (1, 1) and not any(map(any, edges)):
    return jnp.matmul(lhs, rhs[0, 0], precision=precision)
  return _convolve(dataclasses.replace(window, edges=edges), lhs, rhs)


def _pays(x: chex.Array, kernel: chex.Array, strides: tuple[int, ...]) -> bool:
  """Whether the rewriting is quicker."""
  pixels = math.prod(x.shape[1:3])
  if not isinstance(pixels, int):  # in a program for any size
    return False
  if kernel.shape[:2] != (3, 3) or strides != (1, 1):
    return True
  widest = max(kernel.shape[2:])
  return widest >= _WIDE or (pixels >= _LARGE and widest >= _NARROW)


@dataclasses.dataclass(frozen=True)
class _Window:
  """How a kernel moves over [B, H, W, C]; the fields are those of JAX."""

  strides: tuple[int, ...]
  edges: _Edges
  dilation: tuple[int, ...]
  precision: Any

  def fits(self, size: tuple[int, ...]) -> bool:
    """Whether the gradients below know it."""
    if self.strides == (1, 1):
      return True
    pairs = zip(size, self.strides, strict=True)
    return self.dilation == (1, 1) and not any(k % s for k, s in pairs)


def _plain(window: _Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    window.strides,
    window.edges,
    rhs_dilation=window.dilation,
    dimension_numbers=_LAYOUT,
    precision=window.precision,
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _convolve(window: _Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
  if window.strides != (1, 1) or any(map(any, window.edges)):
    return _plain(window, x, kernel)
  # One row of zeros for the quick path; what it adds is cut off again.
  padded = dataclasses.replace(window, edges=((0, 1), (0, 0)))
  return _plain(padded, x, kernel)[:, :-1]


def _forward(window, x, kernel):
  return _convolve(window, x, kernel), (x, kernel)


def _backward(window, kept, gradient):
  x, kernel = kept
  form = _plain if window.strides == (1, 1) else _convolve_blocks
  (of_x,) = jax.vjp(lambda x: form(window, x, kernel), x)[1](gradient)
  return of_x, _kernel_gradient(window, x, gradient, kernel.shape[:2])


_convolve.defvjp(_forward, _backward)


def _convolve_blocks(
  window: _Window, x: jax.Array, kernel: jax.Array
) -> jax.Array:
  """A convolution with strides as one without, over blocks of their size."""
  (s, t), (rows, columns, _, outputs) = window.strides, kernel.shape
  b, h, w, c = x.shape
  padded = []
  for n, k, stride, (low, high) in zip(
    (h, w), (rows, columns), window.strides, window.edges, strict=True
  ):
    unused = (n + low + high - k) % stride
    padded.append((low, high - unused))
  x = _pad(x, padded)
  h, w = x.shape[1] // s, x.shape[2] // t
  x = x.reshape(b, h, s, w, t, c).transpose(0, 1, 3, 2, 4, 5)
  kernel = kernel.reshape(rows // s, s, columns // t, t, c, outputs)
  kernel = kernel.transpose(0, 2, 1, 3, 4, 5)
  return _plain(
    dataclasses.replace(window, strides=(1, 1), edges=((0, 0), (0, 0))),
    x.reshape(b, h, w, s * t * c),
    kernel.reshape(rows // s, columns // t, s * t * c, outputs),
  )


def _kernel_gradient(
  window: _Window, x: jax.Array, gradient: jax.Array, size: tuple[int, ...]
) -> jax.Array:
  """Gradient of a kernel, as a convolution whose features are image columns.

  Its pixels are the kernel's rows, and channels of one map shifted to each of
  the kernel's columns; it sums over the rows and columns of the other map.

  Args:
    window: of the convolution.
    x: [B, H, W, C], what was convolved.
    gradient: [B, h, w, O], that of the result.
    size: (rows, columns) of the kernel.

  Returns:
    [rows, columns, C, O].
  """
  edges, (down, right) = window.edges, window.dilation
  # The one with fewer channels is copied once per column of the kernel.
  moves_gradient = gradient.shape[-1] < x.shape[-1]
  moves_gradient &= window.strides == (1, 1)
  if not moves_gradient or x.shape[0] > 1:  # x is copied
    x = _not_before(gradient, x)
  moved, fixed = (gradient, x) if moves_gradient else (x, gradient)
  if moves_gradient:
    reach = [(k - 1) * d for k, d in zip(size, window.dilation, strict=True)]
    edges = tuple(
      (n - low, n - high) for n, (low, high) in zip(reach, edges, strict=True)
    )
  moved = _pad(moved, edges)
  batch, height, width, channels = fixed.shape
  stride = window.strides[1]
  taken = stride * (width - 1) + 1
  columns = jnp.concatenate(
    [
      moved[:, :, j : j + taken : stride].transpose(1, 3, 0, 2)
      for j in range(0, size[1] * right, right)
    ],
    axis=1,
  )
  # With one column more than it has pixels XLA takes its quick path.
  products = jax.lax.conv_general_dilated(
    columns.reshape(1, moved.shape[1], -1, batch * width),
    fixed.transpose(1, 0, 2, 3).reshape(height, 1, batch * width, channels),
    (down, 1),
    ((0, 0), (0, 1)),
    rhs_dilation=(window.strides[0], 1),
    dimension_numbers=_LAYOUT,
    precision=window.precision,
  )[0, : size[0], :-1].reshape(*size, -1, channels)
  if moves_gradient:
    # The last position of the gradient meets the first one of the kernel.
    return products[::-1, ::-1].swapaxes(2, 3)
  return products


def _not_before(gradient: jax.Array, x: jax.Array) -> jax.Array:
  """`x`, which no program can have until it has the gradient.

  XLA's CPU backend computes what it can as soon as it can, and drops barriers:
  copies of `x` that the gradient of a kernel needs, three of a 3x3 one, would
  be made in the forward pass and kept. A zero for each example makes them wait.
  Where the gradient is not finite it is no zero; nor is the kernel's then.
  """
  return x + 0 * gradient[:, :1, :1, :1].astype(x.dtype)


def _pad(x: jax.Array, edges: Sequence[tuple[int, int]]) -> jax.Array:
  """Zeros around height and width; a negative edge cuts off."""
  widths = [(low, high, 0) for low, high in edges]
  none = (0, 0, 0)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), (none, *widths, none))


Conv = functools.partial(nn.Conv, conv_general_dilated=conv_general_dilated)
