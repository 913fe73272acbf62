"""Residual blocks: what they add, and to what."""

import jax
import numpy as np
import pytest

from sginpaint.layers.normalization import InstanceNorm, instance_norm
from sginpaint.layers.residual import (
  ResidualBlock,
  ResidualDenseBlock,
  SPADEResidualBlock,
  SPADEResNetBlock,
)


def features(*shape):
  return np.random.default_rng(0).normal(size=shape).astype("float32")


def conv(x, layer, dilation=1, pad=None):
  """Convolution with explicit padding, by loops over the kernel."""
  kernel, bias = np.asarray(layer["kernel"]), np.asarray(layer["bias"])
  side = dilation * (kernel.shape[0] - 1)
  if pad:
    edge = (side // 2, side // 2)
    x = np.pad(x, ((0, 0), edge, edge, (0, 0)), mode=pad)
  height, width = x.shape[1] - side, x.shape[2] - side
  out = np.zeros((len(x), height, width, kernel.shape[-1])) + bias
  for i in range(kernel.shape[0]):
    for j in range(kernel.shape[1]):
      a, b = i * dilation, j * dilation
      out += x[:, a : a + height, b : b + width] @ kernel[i, j]
  return out


def trained(module, *inputs):
  """Variables as after a training: at the start every branch is zero."""
  variables = module.init(jax.random.key(0), *inputs)
  generator = np.random.default_rng(1)
  return jax.tree.map(
    lambda p: generator.normal(0, 0.3, p.shape).astype("float32"), variables
  )


@pytest.mark.parametrize(
  "module, inputs",
  [
    (ResidualBlock(), [features(1, 8, 8, 4)]),
    (ResidualDenseBlock(layers=2, growth=3), [features(1, 8, 8, 4)]),
    (SPADEResidualBlock(5), [features(1, 8, 8, 4), features(1, 4, 4, 3)]),
  ],
)
def test_blocks_start_as_the_identity(module, inputs):
  got, _ = module.init_with_output(jax.random.key(0), *inputs)
  np.testing.assert_array_equal(got, inputs[0])


@pytest.mark.parametrize("dilation", [1, 2])
def test_residual_block_by_hand(dilation):
  x = features(2, 7, 6, 3)
  module = ResidualBlock(dilation)
  variables = trained(module, x)
  got, params = module.apply(variables, x), variables["params"]
  y = np.maximum(0, conv(x, params["conv_0"], dilation, "reflect"))
  expected = x + conv(y, params["conv_1"], 1, "reflect")
  np.testing.assert_allclose(got, expected, atol=1e-5)


def test_residual_block_with_norms_by_hand():
  x = features(2, 7, 6, 3)
  module = ResidualBlock(2, norm=InstanceNorm)
  start, variables = module.init_with_output(jax.random.key(0), x)
  assert np.abs(start - x).max() > 0.1
  params = variables["params"]
  y = conv(x, params["conv_0"], 2, "reflect")
  y = np.maximum(0, np.asarray(instance_norm(y.astype("float32"))))
  y = conv(y, params["conv_1"], 1, "reflect").astype("float32")
  np.testing.assert_allclose(start, x + instance_norm(y), atol=1e-4)


def test_dense_block_by_hand():
  x = features(1, 5, 6, 4)
  module = ResidualDenseBlock(layers=2, growth=3)
  variables = trained(module, x)
  got = module.apply(variables, x)
  params, dense = variables["params"], x
  for i in range(2):
    new = np.maximum(0, conv(dense, params[f"conv_{i}"], 1, "constant"))
    dense = np.concatenate([dense, new], -1)
  expected = x + conv(dense, params["fuse"])
  np.testing.assert_allclose(got, expected, atol=1e-5)


def test_spade_block_listens_to_its_guidance():
  x, guidance = features(1, 8, 8, 4), features(1, 4, 4, 3)
  module = SPADEResidualBlock(hidden=5, dilation=2)
  variables = trained(module, x, guidance)
  moved = guidance.copy()
  moved[0, 0, 0] += 5.0
  difference = module.apply(variables, x, moved) - module.apply(
    variables, x, guidance
  )
  assert np.abs(difference).max() > 1e-3


def spade(x, guidance, layer):
  """SPADE with instance norm; guidance of the size of x."""
  hidden = np.maximum(0, conv(guidance, layer["shared"], 1, "constant"))
  gamma, beta = (
    conv(hidden, layer[name], 1, "constant") for name in ("gamma", "beta")
  )
  centred = x - x.mean((1, 2), keepdims=True)
  normal = centred / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
  return normal * (1 + gamma) + beta


def spectral(x, layer, vectors):
  """Convolution with the kernel divided by v M u."""
  kernel = np.asarray(layer["kernel"])
  sigma = np.einsum("hwio,hwi,o", kernel, vectors["v"], vectors["u"])
  bias = layer.get("bias", np.zeros(kernel.shape[-1]))
  return conv(x, {"kernel": kernel / sigma, "bias": bias}, 1, "constant")


@pytest.mark.parametrize("width", [3, 4, 6])
def test_resnet_block_by_hand(width):
  x, guidance = features(2, 5, 6, 4), features(2, 5, 6, 3)
  module = SPADEResNetBlock(width, hidden=5)
  variables = trained(module, x, guidance)
  got = module.apply(variables, x, guidance)
  params, vectors = variables["params"], variables["spectral_norm"]
  y = x
  for i in range(2):
    y = spade(y, guidance, params[f"spade_{i}"])
    y = np.where(y < 0, 0.2 * y, y)
    y = spectral(y, params[f"conv_{i}"], vectors[f"conv_{i}"])
    assert y.shape[-1] == (min(width, 4), width)[i]
  if width != 4:
    x = spade(x, guidance, params["spade_shortcut"])
    layers = params["conv_shortcut"], vectors["conv_shortcut"]
    assert "bias" not in layers[0]
    x = spectral(x, *layers)
  np.testing.assert_allclose(got, x + y, rtol=1e-3, atol=1e-3)


def test_resnet_block_trains_all_that_it_keeps():
  x, guidance = features(2, 5, 6, 4), features(2, 3, 3, 3)
  module = SPADEResNetBlock(3, hidden=5, norm="batch")
  variables = module.init(jax.random.key(0), x, guidance)
  mutable = ["batch_stats", "spectral_norm"]
  _, state = module.apply(variables, x, guidance, train=True, mutable=mutable)
  for part in ("0", "1", "shortcut"):
    for path in (
      ("batch_stats", f"spade_{part}", "norm", "mean"),
      ("spectral_norm", f"conv_{part}", "u"),
    ):
      old, new = variables, state
      for name in path:
        old, new = old[name], new[name]
      assert np.abs(new - old).max() > 1e-3, path
