"""Tests of sginpaint.backbones.bisenet against numpy and known numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import bisenet
from tests.backbones.nets import filled, random, shapes_of


def _tiny(**kwargs):
  kwargs = {"width": 4, "layers": (1, 1, 1, 1), **kwargs}
  return bisenet.BiSeNet(3, **kwargs)


@functools.cache
def _tiny_variables():
  return filled(shapes_of(_tiny(), (32, 32))[1])


def _variables_of(module, *args):
  return filled(
    jax.eval_shape(lambda: module.init(jax.random.key(0), *args, train=False))
  )


def _conv_norm(x, variables, *path):
  """1x1 convolution, batch norm and ReLU in numpy."""
  params, stats = variables["params"], variables["batch_stats"]
  for part in path:
    params, stats = params[part], stats[part]
  x = np.einsum("bhwc,cf->bhwf", x, params["conv"]["kernel"][0, 0])
  x = _norm(x, params["bn"], stats["bn"])
  return np.maximum(x, 0)


def _norm(x, params, stats):
  x = (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
  return x * params["scale"] + params["bias"]


def test_official_network_has_the_official_parameter_count():
  outputs, variables = shapes_of(bisenet.BiSeNet(19), (64, 96))
  assert outputs["segmentation_logits"].shape == (2, 64, 96, 19)
  assert [x.shape for x in outputs["auxiliary"]] == [(2, 64, 96, 19)] * 2
  assert outputs["features"].shape == (2, 8, 12, 256)
  count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
  assert count == 13_300_416


@pytest.mark.parametrize("size", [(32, 64), (33, 47), (17, 90)])
def test_logits_have_the_size_of_any_picture(size):
  outputs, _ = shapes_of(_tiny(), size)
  maps = [outputs["segmentation_logits"], *outputs["auxiliary"]]
  assert [x.shape for x in maps] == [(2, *size, 3)] * 3
  assert outputs["features"].shape[1:3] == tuple(-(-n // 8) for n in size)


def test_official_names_are_read_whatever_the_sizes():
  net = _tiny(layers=(2, 1, 1, 2))
  variables = filled(shapes_of(net, (32, 32))[1])
  state = convert.to_torch("bisenet", variables)
  assert state["cp.arm16.conv_atten.weight"].shape == (8, 8, 1, 1)
  assert state["conv_out32.conv.conv.weight"].shape == (4, 8, 3, 3)
  read, got = convert.from_torch("bisenet", state)
  assert read == net
  jax.tree.map(np.testing.assert_array_equal, got, variables)


def test_attention_is_a_gate_of_the_global_means():
  """With one pixel of memory: the 3x3 convolution sees its centre alone."""
  x = random(2, 1, 1, 3)
  module = bisenet.AttentionRefinement(4)
  variables = _variables_of(module, x)
  params, stats = variables["params"], variables["batch_stats"]
  centre = params["conv"]["conv"]["kernel"][1, 1][None, None]
  inner = {**variables, "params": {**params, "conv": {**params["conv"]}}}
  inner["params"]["conv"]["conv"] = {"kernel": centre}
  y = _conv_norm(x, inner, "conv")
  gate = np.einsum("bhwc,cf->bhwf", y, params["conv_atten"]["kernel"][0, 0])
  gate = _norm(gate, params["bn_atten"], stats["bn_atten"])
  expected = y / (1 + np.exp(-gate))
  got = module.apply(variables, x, train=False)
  np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_fusion_adds_a_gated_copy():
  a, b = random(2, 3, 4, 2), random(2, 3, 4, 5, seed=1)
  module = bisenet.FeatureFusion(8)
  variables = _variables_of(module, a, b)
  params = variables["params"]
  x = _conv_norm(np.concatenate([a, b], -1), variables, "convblk")
  mean = x.mean((1, 2))
  hidden = np.maximum(mean @ params["conv1"]["kernel"][0, 0], 0)
  gate = 1 / (1 + np.exp(-hidden @ params["conv2"]["kernel"][0, 0]))
  assert hidden.shape == (2, 2)
  expected = x * (1 + gate[:, None, None])
  got = module.apply(variables, a, b, train=False)
  np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_corners_of_the_logits_keep_their_places():
  image = np.tanh(random(1, 40, 33, 3))
  outputs, state = jax.jit(
    lambda *args: _tiny().apply(*args, capture_intermediates=True)
  )(_tiny_variables(), image)
  heads = ("conv_out", "conv_out16", "conv_out32")
  maps = [outputs["segmentation_logits"], *outputs["auxiliary"]]
  for head, large in zip(heads, maps, strict=True):
    small = state["intermediates"][head]["__call__"][0]
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
      np.testing.assert_allclose(
        large[:, *corner], small[:, *corner], rtol=1e-4, atol=1e-4
      )


def test_training_updates_every_statistic_and_serving_none():
  image = np.tanh(random(2, 32, 32, 3))
  variables = _tiny_variables()
  before = jax.tree.leaves(variables["batch_stats"])

  def statistics_after(train):
    _, updated = jax.jit(
      lambda v, x: _tiny().apply(v, x, train=train, mutable=["batch_stats"])
    )(variables, image)
    return jax.tree.leaves(updated["batch_stats"])

  pairs = zip(before, statistics_after(True), strict=True)
  assert all((old != new).all() for old, new in pairs)
  for old, new in zip(before, statistics_after(False), strict=True):
    np.testing.assert_array_equal(old, new)


def test_bfloat16_keeps_parameters_statistics_and_logits_in_float32():
  outputs, variables = shapes_of(_tiny(dtype=jnp.bfloat16), (32, 32))
  assert outputs["features"].dtype == jnp.bfloat16
  maps = [outputs["segmentation_logits"], *outputs["auxiliary"]]
  assert {x.dtype for x in maps} == {jnp.dtype("float32")}
  assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(variables))
