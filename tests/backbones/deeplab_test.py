"""Tests of sginpaint.backbones.deeplab against loops and known numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import deeplab
from sginpaint.layers.resampling import resize_bilinear
from tests.backbones.nets import filled, random, shapes_of


def _tiny(**kwargs):
  kwargs = {"width": 2, "layers": (1, 1, 1, 1), "rates": (1, 2), **kwargs}
  return deeplab.DeepLabV2(3, **kwargs)


@functools.cache
def _tiny_variables():
  return filled(shapes_of(_tiny(), (33, 33))[1])


@pytest.mark.parametrize(
  ("classes", "count"), [(182, 55_919_384), (21, 44_048_532)]
)
def test_official_network_has_the_official_parameter_count(classes, count):
  net = deeplab.DeepLabV2(classes, scales=(1.0,))
  outputs, variables = shapes_of(net, (65, 97))
  assert outputs["segmentation_logits"].shape == (2, 65, 97, classes)
  assert outputs["coarse_logits"].shape == (2, 9, 13, classes)
  assert outputs["features"].shape == (2, 9, 13, 2048)
  got = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
  assert got == count


@pytest.mark.parametrize(
  ("size", "coarse"),
  # A side of the map goes to half, rounded up; in the pool an even side to
  # half and one; and to half once more.
  [((33, 65), (5, 9)), ((32, 48), (5, 7)), ((30, 28), (4, 4))],
)
def test_sizes_are_those_of_the_official_code(size, coarse):
  outputs, _ = shapes_of(_tiny(), size)
  assert outputs["segmentation_logits"].shape == (2, *size, 3)
  assert outputs["coarse_logits"].shape == (2, *coarse, 3)
  assert outputs["auxiliary"][0].shape == (2, *coarse, 3)
  assert len(outputs["auxiliary"]) == 3


@pytest.mark.parametrize("size", [(4, 5), (7, 8), (1, 2)])
def test_pool_matches_loop_reference(size):
  x = random(1, *size, 2) - 9
  got = deeplab.stem_pool(x)
  for i, j in np.ndindex(got.shape[1:3]):
    rows, columns = (slice(max(2 * k - 1, 0), 2 * k + 2) for k in (i, j))
    np.testing.assert_array_equal(got[:, i, j], x[:, rows, columns].max((1, 2)))
  # The first window is centred on pixel 0, the last one must hold a pixel.
  for n, side in zip(size, got.shape[1:3], strict=True):
    assert 2 * (side - 1) - 1 < n <= 2 * side


def test_edge_turns_colours_into_those_of_the_weights():
  red = np.array([[[[1.0, -1.0, 0.0]]]], np.float32)
  blue_green_red = [127.5 - 104.008, -116.669, 255 - 122.675]
  np.testing.assert_allclose(
    deeplab.to_bgr(red)[0, 0, 0], blue_green_red, rtol=1e-6
  )


def test_rescaling_steps_by_the_factor_not_by_the_sizes():
  ramp = np.arange(65, dtype=np.float32).reshape(1, 65, 1, 1).repeat(2, 2)
  half = deeplab.rescale(ramp, 0.5)
  np.testing.assert_allclose(half[0, :3, 0, 0], [0.5, 2.5, 4.5], rtol=1e-6)
  assert half.shape == (1, 32, 1, 1)
  np.testing.assert_array_equal(deeplab.rescale(ramp, 1.0), ramp)


def _convolve(x, kernel, stride, dilation):
  """Zero-padded convolution as a sum over taps, in float64."""
  side, (h, w) = kernel.shape[0], x.shape[1:3]
  pad = dilation * (side // 2)
  x = np.pad(
    np.asarray(x, np.float64), ((0, 0), (pad, pad), (pad, pad), (0, 0))
  )
  y = 0
  for i, j in np.ndindex(side, side):
    top, left = i * dilation, j * dilation
    tap = x[:, top : top + h : stride, left : left + w : stride]
    y = y + np.einsum("bhwc,cf->bhwf", tap, kernel[i, j])
  return y


@pytest.mark.parametrize(
  ("stride", "dilation", "project"),
  [(2, 1, True), (1, 2, True), (1, 4, False)],
)
def test_bottleneck_matches_loop_reference(stride, dilation, project):
  x = random(2, 7, 6, 8)
  block = deeplab.Bottleneck(2, stride, dilation, project, momentum=0.9)
  variables = filled(
    jax.eval_shape(lambda: block.init(jax.random.key(0), x, train=False))
  )
  params, stats = variables["params"], variables["batch_stats"]

  def part(x, name, stride=1, dilation=1):
    y = _convolve(x, params[name]["conv"]["kernel"], stride, dilation)
    norm, moments = params[name]["bn"], stats[name]["bn"]
    y = (y - moments["mean"]) / np.sqrt(moments["var"] + 1e-5)
    return y * norm["scale"] + norm["bias"]

  y = np.maximum(part(x, "reduce", stride), 0)
  y = np.maximum(part(y, "conv3x3", dilation=dilation), 0)
  y = part(y, "increase") + (part(x, "shortcut", stride) if project else x)
  got = block.apply(variables, x, train=False)
  np.testing.assert_allclose(got, np.maximum(y, 0), rtol=2e-4, atol=2e-4)


def test_logits_are_the_largest_over_the_scales():
  image = np.tanh(random(1, 40, 33, 3))
  # Centred, or the maps less zero-padded would always be the larger ones.
  variables = jax.tree.map(lambda x: x, _tiny_variables())
  for i in range(2):
    layer = variables["params"]["base"][f"aspp_c{i}"]
    layer["kernel"] = layer["kernel"] - layer["kernel"].mean()
  outputs = jax.jit(_tiny().apply)(variables, image)
  single = jax.jit(_tiny(scales=(1.0,)).apply)(variables, image)
  assert single["auxiliary"] == []
  np.testing.assert_allclose(
    outputs["auxiliary"][0], single["coarse_logits"], rtol=1e-4
  )
  grid = outputs["coarse_logits"].shape[1:3]
  resized = [resize_bilinear(x, grid) for x in outputs["auxiliary"]]
  np.testing.assert_allclose(
    outputs["coarse_logits"], np.max(resized, axis=0), rtol=1e-4
  )
  # Each scale wins somewhere, or the test would not see it dropped.
  assert set(np.argmax(resized, axis=0).ravel()) == {0, 1, 2}


def test_classifiers_are_summed():
  image = np.tanh(random(1, 33, 33, 3))
  net, variables = _tiny(scales=(1.0,)), _tiny_variables()
  outputs = jax.jit(net.apply)(variables, image)
  params, features = variables["params"]["base"], outputs["features"]
  expected = 0
  for i, rate in enumerate(net.rates):
    layer = params[f"aspp_c{i}"]
    expected += _convolve(features, layer["kernel"], 1, rate) + layer["bias"]
  np.testing.assert_allclose(
    outputs["coarse_logits"], expected, rtol=1e-4, atol=1e-3
  )


def test_official_names_are_read_whatever_the_sizes():
  net = deeplab.DeepLabV2(5, width=2, layers=(1, 2, 3, 1))
  variables = filled(shapes_of(net, (33, 33))[1])
  state = convert.to_torch("deeplab_v2", variables)
  assert state["base.layer3.block2.conv3x3.bn.running_var"].shape == (4,)
  assert state["base.aspp.c3.weight"].shape == (5, 64, 3, 3)
  read, got = convert.from_torch("deeplab_v2", state)
  assert read == net
  jax.tree.map(np.testing.assert_array_equal, got, variables)


def test_training_moves_statistics_by_the_momentum():
  image = np.tanh(random(2, 33, 33, 3))
  variables = _tiny_variables()

  def moved(momentum):
    net = _tiny(scales=(1.0,), momentum=momentum)
    _, updated = jax.jit(
      lambda *args: net.apply(*args, train=True, mutable=["batch_stats"])
    )(variables, image)
    new, old = updated["batch_stats"], variables["batch_stats"]
    return jax.tree.map(lambda new, old: new - old, new, old)

  fast, slow = moved(0.5), moved(0.75)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, 2 * b, rtol=1e-2, atol=1e-3),
    fast,
    slow,
  )
  assert all(np.any(x != 0) for x in jax.tree.leaves(fast))
  assert deeplab.DeepLabV2(2).momentum == 0.999


def test_bfloat16_keeps_parameters_statistics_and_logits_in_float32():
  outputs, variables = shapes_of(_tiny(dtype=jnp.bfloat16), (33, 33))
  assert outputs["features"].dtype == jnp.bfloat16
  maps = [outputs["segmentation_logits"], *outputs["auxiliary"]]
  assert {x.dtype for x in maps} == {jnp.dtype("float32")}
  assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(variables))
