"""Tests of sginpaint.backbones.lpips and its AlexNet."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones import alexnet, lpips, vgg
from sginpaint.errors import UserError
from tests.backbones.nets import random, shapes_of

_WIDTHS = {"alex": (4, 5, 6, 7, 8), "vgg": (4, 4, 8, 8, 8)}
both = pytest.mark.parametrize("net", ["alex", "vgg"])


def _tiny(net, seed=0):
  """A narrow distance and values for it, its heads positive."""
  module = lpips.LPIPS(net, _WIDTHS[net])
  image = jax.ShapeDtypeStruct((2, 64, 64, 3), jnp.float32)
  shapes = jax.eval_shape(module.init, jax.random.key(0), image, image)
  rng = np.random.default_rng(seed)

  def fill(path, leaf):
    values = rng.normal(0.0, 0.3, leaf.shape).astype(np.float32)
    return np.abs(values) if path[1].key.startswith("heads") else values

  return module, jax.tree_util.tree_map_with_path(fill, shapes)


def _pictures(seed=0, size=(40, 48)):
  return np.tanh(random(2, 2, *size, 3, seed=seed))


@both
def test_matches_slow_reference(net):
  """Position by position from the trunk's own maps."""
  module, variables = _tiny(net)
  first, second = _pictures()
  params = variables["params"]
  trunk = {
    "alex": alexnet.AlexNet(_WIDTHS[net]),
    "vgg": vgg.VGG(widths=_WIDTHS[net], normalize=False),
  }[net]
  shift, scale = [-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]
  maps = [
    trunk.apply(
      {"params": params["trunk"]},
      ((image - shift) / scale).astype(np.float32),
    )
    for image in (first, second)
  ]
  expected = np.zeros(2)
  for k, layer in enumerate(lpips.LAYERS[net]):
    a, b = (np.asarray(m[layer], np.float64) for m in maps)
    weight = np.asarray(params[f"heads_{k}"]["kernel"]).ravel()
    for n, i, j in np.ndindex(a.shape[:3]):
      u, v = (x[n, i, j] / (np.linalg.norm(x[n, i, j]) + 1e-10) for x in (a, b))
      expected[n] += weight @ (u - v) ** 2 / (a.shape[1] * a.shape[2])
  distances = jax.jit(module.apply)(variables, first, second)
  np.testing.assert_allclose(distances, expected, rtol=1e-4)


@both
def test_is_a_symmetric_distance(net):
  module, variables = _tiny(net)
  first, second = _pictures()
  distance = jax.jit(module.apply)
  forth = distance(variables, first, second)
  assert np.all(forth > 0.0)
  np.testing.assert_allclose(
    forth, distance(variables, second, first), rtol=1e-5
  )
  alike = distance(variables, first, first)
  np.testing.assert_allclose(alike, [0.0, 0.0], atol=1e-12)


@both
def test_terms_add_up_and_examples_are_apart(net):
  module, variables = _tiny(net)
  first, second = _pictures()
  terms = jax.jit(functools.partial(module.apply, method="terms"))(
    variables, first, second
  )
  assert terms.shape == (2, 5)
  both = jax.jit(module.apply)(variables, first, second)
  np.testing.assert_allclose(np.sum(terms, axis=1), both, rtol=1e-5)
  alone = jax.jit(module.apply)(variables, first[1:], second[1:])
  np.testing.assert_allclose(alone, both[1:], rtol=1e-4)


def test_silent_positions_have_a_finite_gradient():
  def total(x):
    return jnp.sum(lpips.unit_vectors(x) ** 2)

  x = jnp.zeros((1, 2, 2, 3)).at[0, 0, 0].set(jnp.asarray([3.0, 0.0, 4.0]))
  unit = lpips.unit_vectors(x)
  np.testing.assert_allclose(unit[0, 0, 0], [0.6, 0.0, 0.8], rtol=1e-6)
  np.testing.assert_array_equal(unit[0, 1, 1], np.zeros(3))
  assert np.all(np.isfinite(jax.grad(total)(x)))


@both
def test_narrow_networks_convert_there_and_back(net):
  """Both files in one dict, the trunk with its unused classifier."""
  module, variables = _tiny(net)
  state = convert.to_torch(f"lpips_{net}", variables)
  heads = [name for name in state if not name.startswith("features.")]
  assert sorted(heads) == [f"lin{i}.model.1.weight" for i in range(5)]
  assert state["lin4.model.1.weight"].shape == (1, 8, 1, 1)
  state["classifier.6.weight"] = np.zeros((10, 8), np.float32)
  found, read = convert.from_torch(f"lpips_{net}", state)
  assert found == module
  jax.tree.map(np.testing.assert_array_equal, read, variables)


def test_trunk_without_heads_is_refused():
  state = convert.to_torch("lpips_alex", _tiny("alex")[1])
  del state["lin3.model.1.weight"]
  with pytest.raises(UserError, match="lin3.model.1.weight"):
    convert.from_torch("lpips_alex", state)


@pytest.mark.parametrize(("net", "size"), [("alex", 30), ("vgg", 15)])
def test_picture_too_small(net, size):
  module, variables = _tiny(net)
  for side, fits in ((size, False), (size + 1, True)):
    first, second = _pictures(size=(side, 40))
    if fits:
      distances = jax.jit(module.apply)(variables, first, second)
      assert np.all(np.isfinite(distances))
    else:
      with pytest.raises(ValueError, match="too small"):
        module.apply(variables, first, second)


def test_alexnet_sizes_and_official_parameter_count():
  outputs, variables = shapes_of(alexnet.AlexNet(), (224, 224))
  assert {name: out.shape[1:] for name, out in outputs.items()} == {
    "relu1": (55, 55, 64),
    "relu2": (27, 27, 192),
    "relu3": (13, 13, 384),
    "relu4": (13, 13, 256),
    "relu5": (13, 13, 256),
  }
  assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 2_469_696
