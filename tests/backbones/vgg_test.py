"""Tests of sginpaint.backbones.vgg against loops and known numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import vgg
from sginpaint.errors import UserError
from tests.backbones.nets import random, shapes_of

_WIDTHS = (4, 4, 8, 8, 8)


def _tiny(**kwargs):
  return vgg.VGG(widths=_WIDTHS, **kwargs)


def _filled(shapes, seed=0):
  rng = np.random.default_rng(seed)
  return jax.tree.map(
    lambda leaf: rng.normal(0.05, 0.3, leaf.shape).astype(np.float32), shapes
  )


def test_vgg16_sizes():
  outputs, _ = shapes_of(vgg.VGG(10), (72, 40))
  sizes = {name: out.shape[1:] for name, out in outputs.items()}
  for stage, (layers, width) in enumerate(
    zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True), 1
  ):
    full, half = ((72 // 2**n, 40 // 2**n, width) for n in (stage - 1, stage))
    for layer in range(1, layers + 1):
      assert sizes.pop(f"relu{stage}_{layer}") == full
    assert sizes.pop(f"pool{stage}") == half
  assert sizes == {"fc7": (4096,), "features": (4096,), "logits": (10,)}


@pytest.mark.parametrize(
  ("layers", "count"), [(vgg.VGG16, 138_357_544), (vgg.VGG19, 143_667_240)]
)
def test_official_parameter_count(layers, count):
  _, variables = shapes_of(vgg.VGG(1000, layers=layers), (32, 32))
  assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == count


@pytest.mark.parametrize(
  ("layers", "conv5_1", "pool5"), [(vgg.VGG16, 24, 30), (vgg.VGG19, 28, 36)]
)
def test_official_indices(layers, conv5_1, pool5):
  indices = vgg.official_indices(layers)
  assert indices["conv5_1"] == conv5_1
  assert indices["pool5"] == pool5 == max(indices.values())


def _convolve(x, kernel, bias):
  """3x3 over zeros at the border, one window at a time, in float64."""
  x = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
  y = np.zeros((x.shape[0], x.shape[1] - 2, x.shape[2] - 2, kernel.shape[-1]))
  for i, j in np.ndindex(*y.shape[1:3]):
    window = x[:, i : i + 3, j : j + 3]
    y[:, i, j] = np.einsum("bhwc,hwcf->bf", window, kernel) + bias
  return y


@pytest.mark.parametrize("normalize", [True, False])
def test_first_stages_match_loop_reference(normalize):
  net = vgg.VGG(layers=(1, 2), widths=(3, 4), normalize=normalize)
  image = np.tanh(random(2, 7, 6, 3))
  variables = _filled(shapes_of(net, (7, 6))[1])
  outputs = jax.jit(net.apply)(variables, image)
  x = image
  if normalize:
    x = ((image + 1) / 2 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  for name in ("1_1", "pool1", "2_1", "2_2", "pool2"):
    if name.startswith("pool"):
      rows, columns = x.shape[1] // 2, x.shape[2] // 2
      x = x[:, : 2 * rows, : 2 * columns]
      x = x.reshape(2, rows, 2, columns, 2, -1).max((2, 4))
      np.testing.assert_allclose(outputs[name], x, rtol=1e-4, atol=1e-4)
      continue
    x = np.maximum(_convolve(x, **variables["params"][f"conv{name}"]), 0)
    found = outputs[f"relu{name}"]
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-4)
  assert not {"features", "fc7", "logits"} & set(outputs)


@pytest.mark.parametrize("size", [(3, 2), (7, 7), (10, 9), (14, 7)])
def test_adaptive_mean_matches_cell_by_cell_reference(size):
  x = random(2, *size, 3)
  expected = np.zeros((2, 7, 7, 3))

  def cell(index, side):
    return int(np.floor(index * side / 7)), int(np.ceil((index + 1) * side / 7))

  for i, j in np.ndindex(7, 7):
    (top, end), (left, right) = cell(i, size[0]), cell(j, size[1])
    expected[:, i, j] = x[:, top:end, left:right].mean((1, 2))
  np.testing.assert_allclose(vgg.adaptive_mean(x, 7), expected, atol=1e-6)


def test_official_head_reads_channels_first():
  """What torchvision computes from pool5: flattened over (C, H, W)."""
  net = _tiny(num_classes=5, hidden=(6, 7))
  variables = _filled(shapes_of(net, (72, 40))[1])
  outputs = jax.jit(net.apply)(variables, np.tanh(random(2, 72, 40, 3)))
  state = convert.to_torch("vgg16", variables)
  grid = np.asarray(vgg.adaptive_mean(outputs["pool5"], 7))
  x = np.stack([[b[:, :, c] for c in range(8)] for b in grid]).reshape(2, -1)
  for layer in (0, 3):
    weight, bias = (state[f"classifier.{layer}.{n}"] for n in _LEAVES)
    x = np.maximum(weight @ x.T + bias[:, None], 0).T
  np.testing.assert_allclose(outputs["fc7"], x, rtol=1e-4, atol=1e-4)
  np.testing.assert_array_equal(outputs["features"], outputs["fc7"])
  weight, bias = (state[f"classifier.6.{n}"] for n in _LEAVES)
  logits = (weight @ x.T + bias[:, None]).T
  np.testing.assert_allclose(outputs["logits"], logits, rtol=1e-4, atol=1e-4)


_LEAVES = ("weight", "bias")


def test_mean_head_is_linear_in_the_mean_of_the_last_pool():
  net = _tiny(num_classes=5, head="mean")
  variables = _filled(shapes_of(net, (64, 64))[1])
  outputs = jax.jit(net.apply)(variables, np.tanh(random(2, 64, 64, 3)))
  features = np.mean(outputs["pool5"], (1, 2))
  np.testing.assert_allclose(outputs["features"], features, rtol=1e-5)
  fc = variables["params"]["fc"]
  logits = features @ fc["kernel"] + fc["bias"]
  np.testing.assert_allclose(outputs["logits"], logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
@pytest.mark.parametrize("num_classes", [None, 5])
def test_narrow_networks_convert_there_and_back(name, num_classes):
  layers = {"vgg16": vgg.VGG16, "vgg19": vgg.VGG19}[name]
  net = _tiny(layers=layers, num_classes=num_classes, hidden=(6, 7))
  if num_classes is None:
    net = net.clone(hidden=vgg.VGG().hidden)
  variables = _filled(shapes_of(net, (32, 32))[1])
  state = convert.to_torch(name, variables)
  wrapped = {f"module.{key}": value for key, value in state.items()}
  module, read = convert.from_torch(name, wrapped)
  assert module == net
  jax.tree.map(np.testing.assert_array_equal, read, variables)


def test_the_other_vgg_is_refused():
  net = _tiny(layers=vgg.VGG19)
  state = convert.to_torch("vgg19", _filled(shapes_of(net, (32, 32))[1]))
  with pytest.raises(UserError, match="features"):
    convert.from_torch("vgg16", state)


def test_half_a_classifier_is_refused():
  net = _tiny(num_classes=5, hidden=(6, 7))
  state = convert.to_torch("vgg16", _filled(shapes_of(net, (32, 32))[1]))
  del state["classifier.3.weight"]
  with pytest.raises(UserError, match="classifier.3.weight"):
    convert.from_torch("vgg16", state)


def test_unused_layers_are_not_computed():
  """What the module's docstring promises of jit."""
  net = vgg.VGG(widths=(8, 8, 8, 8, 8))
  image = jnp.zeros((1, 64, 64, 3))
  variables = net.init(jax.random.key(0), image)

  def operations(layer):
    one = jax.jit(lambda v, x: net.apply(v, x)[layer])
    return one.lower(variables, image).compile().cost_analysis()["flops"]

  assert operations("relu1_1") < 0.4 * operations("relu1_2")
  assert operations("relu2_2") < 0.9 * operations("relu5_3")


def test_picture_too_small_for_the_head():
  net = _tiny(num_classes=5, head="mean")
  with pytest.raises(ValueError, match="too small"):
    shapes_of(net, (31, 64))
  outputs, _ = shapes_of(_tiny(), (31, 64))
  assert outputs["relu4_3"].shape == (2, 3, 8, 8)


def test_unknown_head_says_what_to_use():
  with pytest.raises(UserError, match="'men'.*dense or mean"):
    shapes_of(_tiny(num_classes=5, head="men"), (32, 32))


def test_bfloat16_computes_maps_but_not_logits_in_it():
  net = _tiny(num_classes=5, hidden=(6, 7), dtype=jnp.bfloat16)
  outputs, variables = shapes_of(net, (64, 64))
  assert outputs["relu3_2"].dtype == jnp.bfloat16
  assert outputs["logits"].dtype == outputs["fc7"].dtype == jnp.float32
  assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {
    jnp.dtype(jnp.float32)
  }
