"""Tests of sginpaint.backbones.tresnet against loops and known numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.backbones import tresnet
from sginpaint.backbones.inplace_abn import InPlaceABN
from tests.backbones.nets import random, shapes_of


def _tiny(**kwargs):
  return tresnet.TResNet(3, width=4, layers=(1, 1, 1, 1), **kwargs)


def _count(variables):
  return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_tresnet_l_sizes_and_official_parameter_count():
  outputs, variables = shapes_of(tresnet.TResNet(80), (104, 72))
  assert {name: out.shape for name, out in outputs.items()} == {
    "layer1": (2, 26, 18, 76),
    "layer2": (2, 13, 9, 152),
    "layer3": (2, 7, 5, 1216),
    "layer4": (2, 4, 3, 2432),
    "features": (2, 2432),
    "logits": (2, 80),
  }
  assert _count(variables) == 53_750_896


@pytest.mark.parametrize(
  ("fields", "count"),
  [
    ({"num_classes": 9605, "head": "bottleneck"}, 59_729_317),
    ({"num_classes": 80, "last_layer": 2}, 2_578_192),
  ],
)
def test_official_parameter_counts_of_variants(fields, count):
  _, variables = shapes_of(tresnet.TResNet(**fields), (64, 64))
  assert _count(variables) == count


def test_stopped_network_uses_the_parameters_of_the_whole():
  image = jnp.asarray(random(1, 16, 16, 3))
  init = jax.jit(_tiny().init_with_output)
  whole, variables = init(jax.random.key(0), image)
  stopped = jax.jit(_tiny(last_layer=2).apply)(variables, image)
  assert set(stopped) == {"layer1", "layer2"}
  np.testing.assert_allclose(stopped["layer2"], whole["layer2"], atol=1e-5)


def test_space_to_depth_matches_loop_reference():
  x = random(1, 8, 12, 3)
  result = tresnet.space_to_depth(x)
  expected = np.zeros((1, 2, 3, 48), np.float32)
  for row, column, i, j, c in np.ndindex(2, 3, 4, 4, 3):
    expected[0, row, column, (i * 4 + j) * 3 + c] = x[
      0, row * 4 + i, column * 4 + j, c
    ]
  np.testing.assert_array_equal(result, expected)


def test_sides_that_do_not_divide_are_refused():
  with pytest.raises(ValueError, match="18x16"):
    tresnet.space_to_depth(jnp.zeros((1, 18, 16, 3)))


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (2, 3)])
def test_blur_pool_matches_loop_reference(size):
  x = random(2, *size, 3)
  padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
  kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
  expected = np.zeros((2, -(-size[0] // 2), -(-size[1] // 2), 3))
  for i, j in np.ndindex(*expected.shape[1:3]):
    window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
    expected[:, i, j] = np.einsum("bhwc,hw->bc", window, kernel)
  np.testing.assert_allclose(tresnet.blur_pool(x), expected, atol=1e-6)


def test_blur_pool_of_a_single_pixel_keeps_it():
  x = jnp.full((1, 1, 1, 2), 3.0)
  np.testing.assert_array_equal(tresnet.blur_pool(x), x)


def test_abn_by_hand_with_negative_weight():
  """x 3, mean 1, var 4: +-1; |-2| x + 0.5 = 2.5 or -1.5 * slope."""
  norm = InPlaceABN(slope=0.1)
  variables = {
    "params": {"scale": jnp.array([-2.0]), "bias": jnp.array([0.5])},
    "batch_stats": {"mean": jnp.array([1.0]), "var": jnp.array([4.0])},
  }
  x = jnp.array([3.0, -1.0]).reshape(1, 1, 2, 1)
  y = norm.apply(variables, x)
  np.testing.assert_allclose(y.ravel(), [2.5, -0.15], atol=5e-5)
  gradient = jax.grad(
    lambda p: norm.apply({**variables, "params": p}, x)[0, 0, 0, 0]
  )(variables["params"])
  np.testing.assert_allclose(gradient["scale"], [-1.0], atol=1e-5)


def test_abn_running_statistics_are_those_of_pytorch():
  x = random(2, 3, 2, 4) * 2 + 5
  norm = InPlaceABN()
  variables = norm.init(jax.random.key(0), x)
  y, updated = norm.apply(variables, x, train=True, mutable=["batch_stats"])
  rows = x.reshape(-1, 4)
  expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5)
  np.testing.assert_allclose(y.reshape(-1, 4), expected, atol=1e-4)
  stats = updated["batch_stats"]
  np.testing.assert_allclose(stats["mean"], 0.1 * rows.mean(0), rtol=1e-5)
  np.testing.assert_allclose(
    stats["var"], 0.9 + 0.1 * rows.var(0, ddof=1), rtol=1e-5
  )


def test_abn_statistics_are_float32_under_bfloat16():
  """Pixels 1000 +- 1 differ by less than a bfloat16 step at 1000."""
  x = jnp.array([999.0, 1001.0]).reshape(1, 1, 2, 1)
  norm = InPlaceABN(dtype=jnp.bfloat16)
  y, _ = norm.init_with_output(jax.random.key(0), x, train=True)
  assert y.dtype == jnp.bfloat16
  np.testing.assert_allclose(y.astype(jnp.float32).ravel(), [-1, 1], atol=0.01)


def test_shortcut_averages_only_existing_pixels_at_odd_borders():
  x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
  shortcut = tresnet.Shortcut(1)
  variables = shortcut.init(jax.random.key(0), x, train=False)
  ones = jax.tree.map(jnp.ones_like, variables["params"])
  ones["1"]["norm"]["bias"] = jnp.zeros(1)
  y = shortcut.apply({**variables, "params": ones}, x, train=False)
  np.testing.assert_allclose(y.ravel(), [2.0, 3.5, 6.5, 8.0], rtol=1e-4)


def test_squeeze_excitation_by_hand():
  """Means (1, 3); hidden relu(1 + 3 - 1) = 3; gates sigmoid(+-3)."""
  x = jnp.array([[0.0, 2.0], [2.0, 4.0]]).reshape(1, 1, 2, 2)
  params = {
    "fc1": {"kernel": jnp.ones((1, 1, 2, 1)), "bias": -jnp.ones(1)},
    "fc2": {
      "kernel": jnp.array([1.0, -1.0]).reshape(1, 1, 1, 2),
      "bias": jnp.zeros(2),
    },
  }
  y = tresnet.SqueezeExcitation(1).apply({"params": params}, x)
  gates = 1 / (1 + np.exp([-3.0, 3.0]))
  np.testing.assert_allclose(y, x * gates, rtol=1e-5)


def test_blocks_start_as_their_shortcut_but_can_leave_it():
  x = jnp.abs(jnp.asarray(random(2, 4, 4, 8)))
  block = tresnet.Bottleneck(planes=2)
  init = jax.jit(functools.partial(block.init_with_output, train=False))
  y, variables = init(jax.random.key(0), x)
  np.testing.assert_allclose(y, x, atol=1e-3)

  def loss(params):
    new = {**variables, "params": params}
    y, _ = block.apply(new, x, train=True, mutable=["batch_stats"])
    return jnp.sum(y**2)

  gradient = jax.jit(jax.grad(loss))(variables["params"])
  assert np.all(gradient["conv3"]["norm"]["scale"] != 0.0)


def test_bfloat16_keeps_parameters_statistics_and_logits_in_float32():
  outputs, variables = shapes_of(_tiny(dtype=jnp.bfloat16), (32, 32))
  assert outputs["layer2"].dtype == jnp.bfloat16
  assert outputs["logits"].dtype == jnp.float32
  assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(variables))


def test_image_is_read_on_the_official_scale():
  """-1 is black: with a zero bias nothing passes the stem but its shift."""
  net = _tiny(last_layer=1)
  variables = net.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
  black = net.apply(variables, -jnp.ones((1, 8, 8, 3)))["layer1"]
  grey = net.apply(variables, jnp.zeros((1, 8, 8, 3)))["layer1"]
  np.testing.assert_array_equal(black, jnp.zeros_like(black))
  assert np.abs(grey).max() > 0.01


def test_bytes_are_refused():
  with pytest.raises(AssertionError):
    _tiny().init(jax.random.key(0), jnp.zeros((1, 8, 8, 3), jnp.uint8))
