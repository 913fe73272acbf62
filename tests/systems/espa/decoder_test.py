"""ESPA's semantic decoder: sizes, guidance, spectral norms, gradients."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.batch import one_hot_segmentation
from sginpaint.systems.espa.decoder import SemanticDecoder
from tests.systems.espa.examples import drawn, initialised, labels

CLASSES = 4
SMALL = SemanticDecoder(widths=(8, 8, 6, 4), hidden=5)


@pytest.fixture(scope="module")
def inputs():
  generator = np.random.default_rng(0)
  features = generator.standard_normal((2, 4, 5, 12)).astype("float32")
  return features, one_hot_segmentation(labels(CLASSES, 16, 20), CLASSES)


def test_widths_of_the_blocks(inputs):
  params = jax.eval_shape(SMALL.init, jax.random.key(0), *inputs)["params"]
  kernels = [params[f"block_{i}"]["conv_1"]["kernel"].shape for i in range(4)]
  assert [shape[-1] for shape in kernels] == [8, 8, 6, 4]
  spade = params["block_2"]["spade_0"]
  assert spade["shared"]["kernel"].shape == (3, 3, CLASSES, 5)
  assert spade["gamma"]["kernel"].shape == (3, 3, 5, 8)
  assert params["output"]["kernel"].shape == (3, 3, 4, 3)


def test_picture_has_the_size_of_the_map_and_bounded_values(inputs):
  image = SMALL.apply(drawn(SMALL, *inputs), *inputs)
  assert image.shape == (2, 16, 20, 3) and image.dtype == jnp.float32
  assert np.std(image) > 0.05 and np.abs(image).max() <= 1


def test_tanh_is_not_saturated_at_the_start(inputs):
  variables = initialised(SMALL, *inputs)
  assert np.mean(np.abs(SMALL.apply(variables, *inputs)) > 0.9) < 0.02


def test_features_of_another_scale_than_a_quarter_are_refused(inputs):
  features, one_hot = inputs
  with pytest.raises(AssertionError):
    drawn(SMALL, features[:, :3], one_hot)


def test_an_edit_changes_the_picture_at_its_place_most(inputs):
  features, _ = inputs
  variables = drawn(SMALL, *inputs)
  plain = np.zeros((2, 16, 20), np.int32)
  edited = plain.copy()
  edited[:, 4:8, 4:8] = 1
  render = jax.jit(
    lambda s: SMALL.apply(variables, features, one_hot_segmentation(s, CLASSES))
  )
  change = np.abs(render(edited) - render(plain)).mean((0, 3))
  assert change[4:8, 4:8].mean() > 2 * change[:, 14:].mean()


def test_training_moves_the_spectral_norms_and_reaches_everything(inputs):
  variables = drawn(SMALL, *inputs)
  first = variables["spectral_norm"]["block_0"]["conv_0"]
  first["u"] = np.roll(first["u"], 1)

  def loss(params):
    image, state = SMALL.apply(
      {**variables, "params": params},
      *inputs,
      train=True,
      mutable=["spectral_norm"],
    )
    return jnp.mean(jnp.square(image - 0.3)), state

  gradient, state = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
  chex.assert_tree_all_finite(gradient)
  before = variables["spectral_norm"]["block_0"]["conv_0"]["u"]
  after = state["spectral_norm"]["block_0"]["conv_0"]["u"]
  assert np.abs(after - before).max() > 1e-4
  dead = [
    jax.tree_util.keystr(path)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
    if not np.any(np.abs(leaf) > 1e-9)
  ]
  # Instance norm takes away what a bias before it adds, also through a shortcut
  # of 1x1; what is left of those gradients is rounding.
  constant = ("['conv_0']['bias']", "['spade_shortcut']['beta']['bias']")
  assert all(name.endswith(constant) for name in dead), dead
