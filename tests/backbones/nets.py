"""What the tests of every backbone need."""

import jax
import jax.numpy as jnp
import numpy as np


def random(*shape, seed=0):
  """Standard normal float32."""
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def shapes_of(net, size):
  """Shapes of (outputs, variables) for two pictures of `size`."""
  image = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)
  return jax.eval_shape(
    lambda image: net.init_with_output(jax.random.key(0), image), image
  )


def filled(shapes, seed=0):
  """Variables with random values; variances positive."""
  rng = np.random.default_rng(seed)
  return jax.tree_util.tree_map_with_path(
    lambda path, leaf: (
      np.abs(rng.normal(size=leaf.shape)).astype(np.float32)
      if path[-1].key == "var"
      else rng.normal(0.2, 0.5, size=leaf.shape).astype(np.float32)
    ),
    shapes,
  )
