"""Normalisation layers against loops, hand-made moments and properties."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.layers.normalization import (
  SPADE,
  BatchNorm,
  InstanceNorm,
  instance_norm,
)


def features(*shape, offset=0.4):
  generator = np.random.default_rng(0)
  return generator.normal(offset, 1.3, shape).astype("float32")


def convolve(x, kernel, bias):
  """Convolution of one picture with zeros around it, in loops."""
  height, width, _ = x.shape
  side = len(kernel)
  edge = (side // 2, side // 2)
  padded = np.pad(x, (edge, edge, (0, 0)))
  out = np.zeros((height, width, kernel.shape[-1]))
  for i in range(height):
    for j in range(width):
      patch = padded[i : i + side, j : j + side]
      out[i, j] = np.einsum("hwi,hwio->o", patch, kernel) + bias
  return out


def spade_by_loops(x, guidance, params, norm="instance"):
  height, width = x.shape[1:3]
  out = np.zeros(x.shape)
  for b in range(len(x)):
    rows = [i * guidance.shape[1] // height for i in range(height)]
    columns = [j * guidance.shape[2] // width for j in range(width)]
    resized = guidance[b][rows][:, columns]
    hidden = np.maximum(0, convolve(resized, *params["shared"].values()))
    gamma = convolve(hidden, *params["gamma"].values())
    beta = convolve(hidden, *params["beta"].values())
    mean, variance = x[b].mean((0, 1)), x[b].var((0, 1))
    normal = (x[b] - mean) / np.sqrt(variance + 1e-5)
    normal = x[b] if norm == "none" else normal
    out[b] = normal * (1 + gamma) + beta
  return out


@pytest.mark.parametrize(
  ("kernel", "norm"), [(3, "instance"), (5, "instance"), (3, "none")]
)
def test_spade_matches_loops(kernel, norm):
  x, guidance = features(2, 6, 8, 3), features(2, 3, 5, 4)
  module = SPADE(hidden=5, kernel=kernel, norm=norm)
  variables = module.init(jax.random.key(0), x, guidance)
  params = {
    name: {
      "kernel": np.asarray(layer["kernel"]),
      "bias": features(*layer["bias"].shape),
    }
    for name, layer in variables["params"].items()
  }
  got = module.apply({"params": params}, x, guidance)
  np.testing.assert_allclose(
    got, spade_by_loops(x, guidance, params, norm), atol=1e-4
  )


def test_spade_can_begin_without_modulation():
  x, guidance = features(1, 4, 4, 2), features(1, 4, 4, 3)
  module = SPADE(hidden=2, modulation_init=nn.initializers.zeros)
  got, _ = module.init_with_output(jax.random.key(0), x, guidance)
  np.testing.assert_array_equal(got, instance_norm(x))


def test_spade_with_batch_norm_keeps_running_moments():
  x, guidance = features(4, 6, 8, 3), np.zeros((4, 6, 8, 2), "float32")
  module = SPADE(hidden=5, norm="batch")
  variables = module.init(jax.random.key(0), x, guidance)
  got, state = module.apply(
    variables, x, guidance, train=True, mutable=["batch_stats"]
  )
  normal = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
  np.testing.assert_allclose(got, normal, atol=1e-4)
  np.testing.assert_allclose(
    state["batch_stats"]["norm"]["mean"], 0.1 * x.mean((0, 1, 2)), rtol=1e-4
  )


def test_spade_refuses_an_unknown_norm():
  x = features(1, 4, 4, 2)
  with pytest.raises(ValueError, match="layer"):
    SPADE(norm="layer").init(jax.random.key(0), x, x)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_instance_norm_is_per_sample_and_channel(offset):
  x = features(2, 7, 9, 3, offset=offset)
  got = np.asarray(instance_norm(x))
  np.testing.assert_allclose(got.mean((1, 2)), 0, atol=2e-5)
  np.testing.assert_allclose(got.var((1, 2)), 1, atol=1e-4)
  alone = instance_norm(x[1:])
  np.testing.assert_allclose(got[1:], alone, atol=1e-6)


def test_instance_norm_of_bfloat16_uses_float32_moments():
  x = features(1, 16, 16, 2, offset=8.0)
  half = instance_norm(jnp.asarray(x, jnp.bfloat16))
  assert half.dtype == jnp.bfloat16
  rounded = jnp.asarray(x, jnp.bfloat16).astype(jnp.float32)
  np.testing.assert_allclose(
    half.astype(jnp.float32), instance_norm(rounded), atol=0.02
  )


def test_affine_instance_norm_starts_as_identity_of_the_norm():
  x = features(2, 5, 5, 3)
  module = InstanceNorm(affine=True)
  got, variables = module.init_with_output(jax.random.key(0), x)
  np.testing.assert_allclose(got, instance_norm(x), atol=1e-6)
  params = {"scale": np.full(3, 2.0), "bias": np.full(3, -1.0)}
  assert variables["params"].keys() == params.keys()
  moved = module.apply({"params": params}, x)
  np.testing.assert_allclose(moved, 2 * instance_norm(x) - 1, atol=1e-5)


def test_batch_norm_keeps_the_unbiased_variance():
  x = features(2, 3, 4, 2)
  module = BatchNorm(affine=False)
  variables = module.init(jax.random.key(0), x)
  _, state = module.apply(variables, x, train=True, mutable=["batch_stats"])
  expected = 0.9 + 0.1 * x.var((0, 1, 2), ddof=1)
  np.testing.assert_allclose(state["batch_stats"]["var"], expected, rtol=1e-5)
  got = module.apply(state, x)
  mean, var = (state["batch_stats"][k] for k in ("mean", "var"))
  np.testing.assert_allclose(got, (x - mean) / np.sqrt(var + 1e-5), atol=1e-5)
