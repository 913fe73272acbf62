"""Spectral norm against numpy's singular values and a hand-made iteration."""

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.layers.spectral_norm import SpectralConv


def setup():
  x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
  module = SpectralConv(5, (4, 4), strides=2, padding=((1, 1), (1, 1)))
  return module, module.init(jax.random.key(0), x), x


def convolve(x, kernel):
  """The convolution of `setup`, of any kernel."""
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (2, 2),
    ((1, 1), (1, 1)),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )


def train(module, variables, x):
  y, state = module.apply(variables, x, train=True, mutable=["spectral_norm"])
  return y, {**variables, **state}


def test_sigma_converges_to_the_largest_singular_value():
  module, variables, x = setup()
  for _ in range(60):
    y, variables = train(module, variables, x)
  kernel = variables["params"]["kernel"]
  largest = np.linalg.svd(np.asarray(kernel).reshape(-1, 5))[1][0]
  np.testing.assert_allclose(y, convolve(x, kernel / largest), atol=1e-5)


def test_one_iteration_per_training_call_and_none_in_evaluation():
  module, variables, x = setup()
  stored = variables["spectral_norm"]
  matrix = np.asarray(variables["params"]["kernel"], "float64").reshape(-1, 5)
  v = matrix @ np.asarray(stored["u"])
  v /= np.linalg.norm(v)
  u = v @ matrix
  u /= np.linalg.norm(u)
  _, after = train(module, variables, x)
  np.testing.assert_allclose(after["spectral_norm"]["u"], u, atol=1e-6)
  got = after["spectral_norm"]["v"].reshape(-1)
  np.testing.assert_allclose(got, v, atol=1e-6)
  _, state = module.apply(variables, x, mutable=["spectral_norm"])
  jax.tree.map(np.testing.assert_array_equal, state["spectral_norm"], stored)


def test_gradient_holds_the_vectors_fixed():
  module, variables, x = setup()
  u = variables["spectral_norm"]["u"]
  v = variables["spectral_norm"]["v"].reshape(-1)

  def by_hand(kernel):
    sigma = v @ kernel.reshape(-1, 5) @ u
    return jnp.sum(jnp.sin(convolve(x, kernel / sigma)))

  def ours(variables):
    return jnp.sum(jnp.sin(module.apply(variables, x)))

  got = jax.grad(ours)(variables)
  expected = jax.grad(by_hand)(variables["params"]["kernel"])
  np.testing.assert_allclose(got["params"]["kernel"], expected, atol=2e-4)
  for leaf in jax.tree.leaves(got["spectral_norm"]):
    np.testing.assert_array_equal(leaf, 0)
