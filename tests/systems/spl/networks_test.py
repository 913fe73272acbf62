"""SPL's networks: shapes, sizes, blindness to the hole, gradients."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.systems.spl.networks import (
  Discriminator,
  Generator,
  semantic_input,
  white_holes,
)

SMALL = functools.partial(
  Generator,
  width=4,
  blocks=1,
  dense_blocks=2,
  dense_layers=2,
  prior_channels=5,
)
VARIANTS = {
  "published": {},
  "paper": {"learner": "residual"},
  "no_teacher": {"prior_channels": 0},
  "concat": {"fusion": "concat"},
}


def example(size=16):
  generator = np.random.default_rng(0)
  image = generator.uniform(-1, 1, (2, size, size, 3)).astype("float32")
  mask = np.zeros((2, size, size, 1), "float32")
  mask[0, 3:9, 5:12] = 1
  mask[1, 8:, :4] = 1
  return image, mask


def drawn(module, *inputs):
  """Variables drawn in numpy: quicker than compiling the initialisers."""
  variables = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  generator = np.random.default_rng(1)
  return jax.tree.map(
    lambda x: 0.1 * generator.standard_normal(x.shape, "float32"), variables
  )


def count(tree):
  return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize(
  ("module", "shapes", "parameters"),
  [
    (Generator(), ((1, 64, 64, 3), (1, 64, 64, 1)), 45_597_223),
    (Discriminator(), ((1, 64, 64, 3),), 2_763_776),
  ],
)
def test_published_parameter_count(module, shapes, parameters):
  inputs = [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes]
  variables = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  assert count(variables["params"]) == parameters


@pytest.mark.parametrize("variant", VARIANTS)
def test_output_keys_and_shapes(variant):
  module = SMALL(**VARIANTS[variant])
  image, mask = example(24)
  outputs, _ = jax.eval_shape(
    module.init_with_output, jax.random.key(0), image, mask
  )
  shapes = {key: value.shape for key, value in outputs.items()}
  expected = {"image": (2, 24, 24, 3), "features": (2, 6, 6, 16)}
  if variant != "no_teacher":
    expected["prior"] = (2, 6, 6, 5)
  assert shapes == expected


@pytest.mark.parametrize("variant", ["published", "concat"])
def test_hole_pixels_do_not_change_the_output(variant):
  module = SMALL(**VARIANTS[variant])
  image, mask = example()
  variables = drawn(module, image, mask)
  apply = jax.jit(module.apply)
  expected = apply(variables, image, mask)
  other = np.where(mask > 0, np.flip(image, 1) * 0.5, image)
  chex.assert_trees_all_equal(apply(variables, other, mask), expected)
  other[0, 0, 0] = -other[0, 0, 0]
  changed = apply(variables, other, mask)["image"]
  assert np.max(np.abs(changed - expected["image"])) > 1e-4


def test_gradients_are_finite_and_reach_every_used_parameter():
  module = SMALL()
  image, mask = example()
  variables = drawn(module, image, mask)

  @jax.jit
  @jax.grad
  def gradient(variables):
    outputs = module.apply(variables, image, mask)
    return sum(jnp.mean(jnp.square(x - 0.3)) for x in outputs.values())

  gradients = gradient(variables)
  chex.assert_tree_all_finite(gradients)
  zero = {
    jax.tree_util.keystr(path, simple=True, separator="/")
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients)
    if not np.any(np.abs(leaf) > 1e-7)
  }
  # Region norm and instance norm take away what a bias before them adds.
  biases = {f"params/image_encoder/conv_{i}/bias" for i in range(3)}
  assert zero <= biases | {"params/block_0/conv_0/bias"}


def test_bfloat16_stays_near_float32():
  image, mask = example()
  variables = drawn(SMALL(), image, mask)
  wide = jax.jit(SMALL().apply)(variables, image, mask)
  half = jax.jit(SMALL(dtype="bfloat16").apply)(variables, image, mask)
  for key, value in half.items():
    assert value.dtype == jnp.float32
    error = np.sqrt(np.mean(np.square(value - wide[key])))
    # A map near RN-L's threshold may fall on the other side of it.
    assert error < 0.1 * (1 + np.std(wide[key])), key


def test_holes_are_white_and_the_semantic_picture_is_doubled():
  image, mask = example()
  picture = white_holes(image, mask)
  np.testing.assert_array_equal(picture[0, 4, 6], 1)
  np.testing.assert_allclose(picture[0, 0, 0], (image[0, 0, 0] + 1) / 2)
  doubled = semantic_input(picture, mask)
  assert doubled.shape == (2, 32, 32, 4)
  np.testing.assert_array_equal(doubled[:, 9, 14, :3], picture[:, 4, 7])
  np.testing.assert_array_equal(doubled[:, 9, 14, 3:], mask[:, 4, 7])


@pytest.mark.parametrize("field", ["learner", "fusion"])
def test_unknown_variant_is_refused(field):
  module = SMALL(**{field: "other"})
  with pytest.raises(ValueError, match="other"):
    jax.eval_shape(module.init, jax.random.key(0), *example())


def test_discriminator_scores_70_pixel_patches():
  module = Discriminator(widths=(4, 4, 4, 4))
  image = np.zeros((1, 128, 128, 3), "float32")
  variables = drawn(module, image)
  gradient = jax.jit(
    jax.grad(lambda x: module.apply(variables, x)[0][0, 7, 7, 0])
  )(jnp.asarray(np.random.default_rng(0).uniform(-1, 1, image.shape)))
  seen = np.argwhere(np.abs(gradient[0]).sum(-1) > 0)
  np.testing.assert_array_equal(seen.max(0) - seen.min(0) + 1, [70, 70])


def test_discriminator_ignores_the_mask_and_returns_all_layers():
  module = Discriminator(widths=(4, 6, 8, 10))
  image, _ = example(32)
  variables = drawn(module, image)
  logits, features = module.apply(variables, image)
  assert logits.shape == (2, 2, 2, 1)
  assert [x.shape[-1] for x in features] == [4, 6, 8, 10, 1]
  assert "bias" not in variables["params"]["patch"]["conv_0"]
