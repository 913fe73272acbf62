"""Tests of sginpaint.backbones.resnet against loops and known numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import resnet
from tests.backbones.nets import filled, random, shapes_of


def _tiny(**kwargs):
  return resnet.ResNet(3, width=2, layers=(1, 1, 1, 1), **kwargs)


def test_resnet50_sizes_and_official_parameter_count():
  outputs, variables = shapes_of(resnet.ResNet(1000), (104, 72))
  assert {name: out.shape for name, out in outputs.items()} == {
    "layer1": (2, 26, 18, 256),
    "layer2": (2, 13, 9, 512),
    "layer3": (2, 7, 5, 1024),
    "layer4": (2, 4, 3, 2048),
    "features": (2, 2048),
    "logits": (2, 1000),
  }
  count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
  assert count == 25_557_032


def test_resnet18_has_the_official_parameter_count():
  net = resnet.ResNet(1000, layers=(2, 2, 2, 2), block="basic")
  outputs, variables = shapes_of(net, (64, 64))
  assert outputs["layer4"].shape == (2, 2, 2, 512)
  count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
  assert count == 11_689_512


def test_without_classes_the_stages_alone_are_left():
  outputs, variables = shapes_of(resnet.ResNet(None, width=2), (32, 32))
  assert set(outputs) == {f"layer{i}" for i in range(1, 5)}
  assert "fc" not in variables["params"]


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_torchvision_files_of_any_depth_and_width_are_read(block):
  net = resnet.ResNet(5, width=2, layers=(1, 3, 2, 1), block=block)
  variables = filled(shapes_of(net, (32, 32))[1])
  state = convert.to_torch("resnet50", variables)
  assert state["fc.weight"].shape == (5, 64 if block == "bottleneck" else 16)
  state["layer1.0.bn1.num_batches_tracked"] = np.zeros((), np.int64)
  wrapped = {f"module.{name}": value for name, value in state.items()}
  read, got = convert.from_torch("resnet50", wrapped)
  assert read == net
  jax.tree.map(np.testing.assert_array_equal, got, variables)


def test_names_are_those_of_torchvision():
  _, variables = shapes_of(resnet.ResNet(10), (64, 64))
  params = variables["params"]
  blocks = {
    f"layer{s}_{i}" for s, n in enumerate((3, 4, 6, 3), 1) for i in range(n)
  }
  assert set(params) == {"conv1", "bn1", "fc"} | blocks
  inside = {f"{kind}{i}" for kind in ("conv", "bn") for i in (1, 2, 3)}
  widening = inside | {"downsample_0", "downsample_1"}
  assert set(params["layer1_0"]) == set(params["layer2_0"]) == widening
  assert set(params["layer2_1"]) == inside


def _convolve(x, kernel, stride):
  """Zero-padded alike on all sides, one window at a time, in float64."""
  pad, side = kernel.shape[0] // 2, kernel.shape[0]
  x = np.pad(x.astype(np.float64), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
  rows = (x.shape[1] - side) // stride + 1
  columns = (x.shape[2] - side) // stride + 1
  y = np.zeros((x.shape[0], rows, columns, kernel.shape[-1]))
  for i, j in np.ndindex(rows, columns):
    top, left = i * stride, j * stride
    window = x[:, top : top + side, left : left + side]
    y[:, i, j] = np.einsum("bhwc,hwcf->bf", window, kernel)
  return y


def _normalize(x, params, stats):
  x = (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
  return x * params["scale"] + params["bias"]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [3, 8])
def test_bottleneck_matches_loop_reference(stride, channels):
  x = random(2, 5, 6, channels)
  block = resnet.Bottleneck(2, stride=stride)
  variables = filled(
    jax.eval_shape(lambda: block.init(jax.random.key(0), x, train=False))
  )
  params, stats = variables["params"], variables["batch_stats"]

  def step(x, conv, norm, stride=1):
    y = _convolve(x, params[conv]["kernel"], stride)
    return _normalize(y, params[norm], stats[norm])

  y = np.maximum(step(x, "conv1", "bn1"), 0)
  y = np.maximum(step(y, "conv2", "bn2", stride), 0)
  y = step(y, "conv3", "bn3")
  plain = stride == 1 and channels == 8
  y += x if plain else step(x, "downsample_0", "downsample_1", stride)
  result = jax.jit(block.apply, static_argnames="train")(
    variables, x, train=False
  )
  np.testing.assert_allclose(result, np.maximum(y, 0), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(("stride", "channels"), [(1, 4), (1, 3), (2, 4)])
def test_basic_block_matches_loop_reference(stride, channels):
  x = random(2, 5, 6, channels)
  block = resnet.BasicBlock(4, stride=stride)
  variables = filled(
    jax.eval_shape(lambda: block.init(jax.random.key(0), x, train=False))
  )
  params, stats = variables["params"], variables["batch_stats"]

  def step(x, conv, norm, stride=1):
    y = _convolve(x, params[conv]["kernel"], stride)
    return _normalize(y, params[norm], stats[norm])

  y = step(np.maximum(step(x, "conv1", "bn1", stride), 0), "conv2", "bn2")
  plain = stride == 1 and channels == 4
  y += x if plain else step(x, "downsample_0", "downsample_1", stride)
  result = block.apply(variables, x, train=False)
  np.testing.assert_allclose(result, np.maximum(y, 0), rtol=2e-4, atol=2e-4)


def test_stem_matches_loop_reference():
  """Without blocks every stage puts out what the pool gave it."""
  net = resnet.ResNet(3, width=2, layers=(0, 0, 0, 0))
  image = np.tanh(random(1, 9, 12, 3))
  _, shapes = shapes_of(net, (9, 12))
  variables = filled(shapes)
  unit = (image.astype(np.float64) + 1) / 2
  x = (unit - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  x = _convolve(x, variables["params"]["conv1"]["kernel"], 2)
  params, stats = variables["params"]["bn1"], variables["batch_stats"]["bn1"]
  x = np.maximum(_normalize(x, params, stats), 0)
  pooled = np.zeros((1, 3, 3, 2))
  for i, j in np.ndindex(3, 3):
    rows = slice(max(2 * i - 1, 0), 2 * i + 2)
    columns = slice(max(2 * j - 1, 0), 2 * j + 2)
    pooled[:, i, j] = x[:, rows, columns].max((1, 2))
  features = net.apply(variables, image)["layer1"]
  np.testing.assert_allclose(features, pooled, rtol=1e-4, atol=1e-4)


def test_training_updates_every_statistic_and_serving_none():
  image = np.tanh(random(2, 40, 40, 3))
  net = _tiny()
  variables = filled(shapes_of(net, (40, 40))[1])
  before = jax.tree.leaves(variables["batch_stats"])

  def statistics_after(train):
    _, updated = jax.jit(
      lambda v, x: net.apply(v, x, train=train, mutable=["batch_stats"])
    )(variables, image)
    return jax.tree.leaves(updated["batch_stats"])

  pairs = zip(before, statistics_after(True), strict=True)
  assert all((old != new).all() for old, new in pairs)
  jax.tree.map(np.testing.assert_array_equal, before, statistics_after(False))


def test_bfloat16_keeps_parameters_statistics_and_logits_in_float32():
  outputs, variables = shapes_of(_tiny(dtype=jnp.bfloat16), (32, 32))
  assert outputs["layer2"].dtype == jnp.bfloat16
  assert outputs["features"].dtype == outputs["logits"].dtype == jnp.float32
  assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(variables))


def test_bytes_are_refused():
  with pytest.raises(AssertionError):
    _tiny().init(jax.random.key(0), jnp.zeros((1, 8, 8, 3), jnp.uint8))
