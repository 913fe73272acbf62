"""Tests of sginpaint.backbones.inception: sizes, names, pools by loops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import inception
from sginpaint.errors import UserError
from tests.backbones.nets import random, shapes_of

_NARROW = inception.Inception(num_classes=5, width=2)
# Tracing so many layers takes a second or more.
_shapes_of = functools.cache(shapes_of)


def _filled():
  """Variables of the narrow network, all positive."""
  rng = np.random.default_rng(0)
  _, shapes = _shapes_of(_NARROW, (64, 48))
  return jax.tree.map(
    lambda s: rng.uniform(0.5, 1.5, s.shape).astype(np.float32), shapes
  )


def test_sizes_and_published_parameter_count():
  outputs, variables = _shapes_of(inception.Inception(), (64, 48))
  assert {name: out.shape for name, out in outputs.items()} == {
    "resized": (2, 299, 299, 3),
    "pool1": (2, 73, 73, 64),
    "pool2": (2, 35, 35, 192),
    "Mixed_5b": (2, 35, 35, 256),
    "Mixed_5c": (2, 35, 35, 288),
    "Mixed_5d": (2, 35, 35, 288),
    **{f"Mixed_6{letter}": (2, 17, 17, 768) for letter in "abcde"},
    "Mixed_7a": (2, 8, 8, 1280),
    "Mixed_7b": (2, 8, 8, 2048),
    "Mixed_7c": (2, 8, 8, 2048),
    "features": (2, 2048),
    "logits": (2, 1008),
  }
  count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
  # torchvision's 23,834,568 with 1000 classes and no auxiliary head.
  assert count == 23_834_568 + 8 * 2049


def test_width_scales_every_layer():
  wide, narrow = (
    _shapes_of(net, (64, 48))[1]["params"]
    for net in (inception.Inception(), _NARROW)
  )
  for a, b in zip(*map(jax.tree.leaves, (wide, narrow)), strict=True):
    ratios = [x / y for x, y in zip(a.shape, b.shape, strict=True)]
    assert set(ratios) <= {1.0, 16.0, 1008 / 5}


def test_pools_match_loop_reference():
  x = random(1, 5, 4, 2)
  maximum, mean = np.zeros((2, *x.shape))
  for i, j in np.ndindex(5, 4):
    rows = slice(max(i - 1, 0), i + 2)
    window = x[:, rows, max(j - 1, 0) : j + 2]
    maximum[:, i, j] = window.max((1, 2))
    mean[:, i, j] = window.mean((1, 2))
  pool = inception._pool
  np.testing.assert_allclose(pool(x, "max", 1), maximum, rtol=1e-6)
  # Of what is there: the corner's mean is over four pixels, not nine.
  np.testing.assert_allclose(pool(x, "mean", 1), mean, rtol=1e-5, atol=1e-6)
  np.testing.assert_array_equal(pool(x, "max", 2), maximum[:, 1:4:2, 1:2:2])


def test_branches_are_concatenated_in_the_published_order():
  block = inception.Mixed(inception.BLOCKS["Mixed_7b"], width=2)
  x = random(1, 3, 3, 1280 // 16)
  filled = _filled()
  names = [
    "branch1x1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_3a",
    "branch3x3dbl_3b", "branch_pool",
  ]  # fmt: skip
  variables = {k: v["Mixed_7b"] for k, v in filled.items()}
  for level, name in enumerate(names, 1):
    layer = variables["params"][name]
    layer["conv"]["kernel"] = np.zeros_like(layer["conv"]["kernel"])
    layer["bn"]["bias"] = np.full_like(layer["bn"]["bias"], level)
    variables["batch_stats"][name]["bn"]["mean"][:] = 0
  apply = jax.jit(block.apply, static_argnames="train")
  y = apply(variables, x, train=False)
  widths = [320 // 16, *[384 // 16] * 4, 192 // 16]
  np.testing.assert_allclose(y[0, 1, 1], np.repeat(range(1, 7), widths))


def test_last_block_alone_pools_by_maximum():
  pools = {name: b.pool for name, b in inception.BLOCKS.items()}
  assert [n for n, pool in pools.items() if pool == "max"] == [
    "Mixed_6a", "Mixed_7a", "Mixed_7c",
  ]  # fmt: skip


def test_training_updates_statistics_and_bytes_are_refused():
  _, variables = _shapes_of(_NARROW, (64, 48))
  _, updated = jax.eval_shape(
    lambda v, x: _NARROW.apply(v, x, train=True, mutable=["batch_stats"]),
    variables,
    jnp.zeros((1, 16, 16, 3)),
  )
  assert set(updated) == {"batch_stats"}
  with pytest.raises(AssertionError):
    _NARROW.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3), jnp.uint8))


def test_narrow_network_of_other_classes_converts():
  variables = _filled()
  state = convert.to_torch("inception_fid", variables)
  # What other programs may leave in the file.
  state["Conv2d_1a_3x3.bn.num_batches_tracked"] = np.zeros(())
  state["AuxLogits.fc.weight"] = np.zeros((5, 768))
  module, found = convert.from_torch("inception_fid", state)
  assert (module.num_classes, module.width) == (5, 2)
  jax.tree.map(np.testing.assert_array_equal, found, variables)


def test_missing_layer_is_named():
  state = convert.to_torch("inception_fid", _filled())
  del state["Mixed_7c.branch3x3dbl_3b.bn.running_var"]
  with pytest.raises(UserError, match=r"1 missing: Mixed_7c.branch3x3dbl_3b"):
    convert.from_torch("inception_fid", state)
