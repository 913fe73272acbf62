"""Gradients of exactly the branches that the goldens took.

A gradient jumps where a ReLU, an L1 or a maximum flips. One flipped ReLU of a
few hundred thousand moves a whole gradient by more than its tolerance, and
float32 noise flips one every other time. The goldens are float64 runs; so
outputs are compared as computed in float32, but for the gradients the same code
runs forward in float64. The convolutions' own backward passes stay in float32,
which is accurate enough, and many times faster on a CPU.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import flax.linen as nn
import jax
import jax.numpy as jnp


def wide(module: nn.Module) -> nn.Module:
  """The module, computing in float64."""
  return module.clone(dtype=jnp.float64)


def wide_gradient(
  function: Callable[..., jax.Array], *args: Any, argnums: Any = 0
) -> Any:
  """Gradient of a scalar function, all floating arguments in float64."""
  with jax.enable_x64(True), _narrow_backward():

    def widen(x: Any) -> jax.Array:
      x = jnp.asarray(x)
      floating = jnp.issubdtype(x.dtype, jnp.floating)
      return x.astype(jnp.float64) if floating else x

    args = jax.tree.map(widen, args)
    return jax.jit(jax.grad(function, argnums))(*args)


@contextlib.contextmanager
def _narrow_backward() -> Iterator[None]:
  """Convolutions traced in here are differentiated in float32."""
  original = jax.lax.conv_general_dilated

  def convolve(x: jax.Array, kernel: jax.Array, *args, **kwargs) -> jax.Array:
    plain = lambda x, kernel: original(x, kernel, *args, **kwargs)
    mixed = jax.custom_vjp(plain)

    def forward(*operands: jax.Array) -> Any:
      return plain(*operands), [a.astype(jnp.float32) for a in operands]

    def backward(operands: Any, gradient: jax.Array) -> Any:
      _, pull_back = jax.vjp(plain, *operands)
      narrow = pull_back(gradient.astype(jnp.float32))
      return tuple(g.astype(gradient.dtype) for g in narrow)

    mixed.defvjp(forward, backward)
    return mixed(x, kernel)

  with mock.patch.object(jax.lax, "conv_general_dilated", convolve):
    yield
