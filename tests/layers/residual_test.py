"""Residual blocks: what they add, and to what."""

import jax
import numpy as np
import pytest

from sginpaint.layers.residual import (
  ResidualBlock,
  ResidualDenseBlock,
  SPADEResidualBlock,
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
