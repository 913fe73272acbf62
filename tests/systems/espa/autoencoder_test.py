"""ESPA's autoencoder: blind to the hole, two branches, any size, its start."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sginpaint.systems.espa.autoencoder import Autoencoder
from tests.systems.espa.examples import drawn, example, initialised

SMALL = functools.partial(Autoencoder, width=4)


def test_published_parameter_count():
  inputs = [jax.ShapeDtypeStruct((1, 256, 256, c), "float32") for c in (3, 1)]
  shapes = jax.eval_shape(Autoencoder().init, jax.random.key(0), *inputs)
  assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 1_481_635


@pytest.mark.parametrize("attention", [True, False])
def test_hole_pixels_do_not_change_the_output(attention):
  module = SMALL(attention=attention)
  image, mask = example()
  variables = drawn(module, image, mask)
  apply = jax.jit(module.apply)
  expected = apply(variables, image, mask)
  other = np.where(mask > 0, np.flip(image, 1) * 0.5, image)
  chex.assert_trees_all_equal(apply(variables, other, mask), expected)
  other[0, 0, 0] = -other[0, 0, 0]
  changed = apply(variables, other, mask)["features"]
  assert np.max(np.abs(changed - expected["features"])) > 1e-4


def test_without_attention_the_whole_branch_is_gone():
  image, mask = example()
  shapes = {
    attention: jax.eval_shape(
      SMALL(attention=attention).init, jax.random.key(0), image, mask
    )["params"]
    for attention in (True, False)
  }
  assert set(shapes[True]) - set(shapes[False]) == {"attention", "context"}


def test_attention_acts_in_the_hole_only():
  module = SMALL()
  image, mask = example()
  variables = drawn(module, image, mask)

  @jax.jit
  @jax.grad
  def gradient(variables, mask):
    return jnp.mean(module.apply(variables, image, mask)["features"])

  for holes in (mask, np.zeros_like(mask)):
    params = gradient(variables, holes)["params"]
    reached = [np.any(g) for g in jax.tree.leaves(params["attention"])]
    assert all(reached) if holes.any() else not any(reached)
    assert np.any(params["context"]["kernel"])


@pytest.mark.parametrize("size", [(16, 16), (24, 12), (40, 32)])
def test_other_sizes_than_the_initial_one_are_served(size):
  module = SMALL()
  variables = drawn(module, *example(16, 16))
  image, mask = example(*size)
  outputs = module.apply(variables, image, mask)
  height, width = size
  assert outputs["image"].shape == (2, height, width, 3)
  assert outputs["features"].shape == (2, height // 4, width // 4, 16)
  chex.assert_tree_all_finite(outputs)
  assert np.abs(outputs["image"]).max() <= 1


def test_bfloat16_stays_near_float32():
  image, mask = example()
  variables = drawn(SMALL(), image, mask)
  full = SMALL().apply(variables, image, mask)
  half = SMALL(dtype="bfloat16").apply(variables, image, mask)
  for key, value in half.items():
    assert value.dtype == jnp.float32
    assert np.std(value - full[key]) < 0.05 * np.std(full[key]), key


@pytest.fixture(scope="module")
def start():
  """(module, variables, picture, mask) at the start of a training."""
  module, inputs = SMALL(width=8), example(32, 32)
  return module, initialised(module, *inputs), *inputs


def test_signals_neither_die_nor_grow_at_the_start(start):
  module, variables, image, mask = start
  outputs, state = module.apply(
    variables, image, mask, capture_intermediates=True, mutable="intermediates"
  )
  mids = state["intermediates"]
  # Later dilated ones see mostly zero padding at this size.
  for name in ("dilated_0", "attention", "fuse_1", "decoder_3"):
    power = np.sqrt(np.mean(np.square(mids[name]["__call__"][0])))
    assert 0.3 < power < 3, name
  # A clamped pixel has no gradient.
  assert np.mean(np.abs(outputs["image"]) == 1) < 0.05


def test_learns_at_once(start):
  module, params, image, mask = start
  optimizer = optax.adam(2e-3)

  def loss(params):
    return jnp.mean(jnp.abs(module.apply(params, image, mask)["image"] - image))

  @jax.jit
  def step(params, state):
    value, gradient = jax.value_and_grad(loss)(params)
    updates, state = optimizer.update(gradient, state)
    return optax.apply_updates(params, updates), state, value

  state, values = optimizer.init(params), []
  for _ in range(80):
    params, state, value = step(params, state)
    values.append(float(value))
  assert values[-1] < 0.6 * values[0]
