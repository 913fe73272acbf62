"""Gradients in float64, as the goldens have them.

A gradient jumps where a ReLU, an L1 or a maximum flips. One flipped ReLU of a
few hundred thousand moves a whole gradient by more than its tolerance, and
float32 noise flips one every other time; so outputs are compared as computed in
float32, gradients as computed by the same code in float64.
"""

from collections.abc import Callable
from typing import Any

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
  with jax.enable_x64(True):

    def widen(x: Any) -> jax.Array:
      x = jnp.asarray(x)
      floating = jnp.issubdtype(x.dtype, jnp.floating)
      return x.astype(jnp.float64) if floating else x

    args = jax.tree.map(widen, args)
    return jax.jit(jax.grad(function, argnums))(*args)
