"""Small pictures with holes, and variables that cost no compilation."""

import jax
import numpy as np


def example(height=16, width=16):
  """(pictures [2, H, W, 3], masks [2, H, W, 1]) with different holes."""
  generator = np.random.default_rng(0)
  image = generator.uniform(-1, 1, (2, height, width, 3)).astype("float32")
  mask = np.zeros((2, height, width, 1), "float32")
  mask[0, 3:9, 5:12] = 1
  mask[1, 8:, :4] = 1
  return image, mask


def labels(classes, height=16, width=16):
  """Class indices [2, H, W]."""
  generator = np.random.default_rng(2)
  return generator.integers(0, classes, (2, height, width), np.int32)


def initialised(module, *inputs):
  """Variables as a training begins with."""
  # This kind of key compiles in a fraction of the time of the default.
  return jax.jit(module.init)(jax.random.key(0, impl="rbg"), *inputs)


def drawn(module, *inputs):
  """Variables drawn in numpy: quicker than compiling the initialisers."""
  variables = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  generator = np.random.default_rng(1)
  drawn = jax.tree.map(
    lambda x: 0.2 * generator.standard_normal(x.shape, "float32"), variables
  )
  if "spectral_norm" in drawn:
    _estimate(drawn["spectral_norm"], drawn["params"])
  return drawn


def _estimate(norms, params):
  """Singular vectors of the kernels; drawn ones would make sigma anything."""
  for name, values in norms.items():
    if "u" not in values:
      _estimate(values, params[name])
      continue
    kernel = params[name]["kernel"]
    left, _, right = np.linalg.svd(
      kernel.reshape(-1, kernel.shape[-1]), full_matrices=False
    )
    values["u"], values["v"] = right[0], left[:, 0].reshape(values["v"].shape)
