"""SGE-Net's networks: outputs, blindness to the hole, ablations, guidance."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from tests.systems.sge_net import small

SCALES = (4, 3, 2, 1)


@functools.cache
def applied(variant):
  """(module, its apply function compiled, variables)."""
  module = small.small_generator(variant)
  variables = small.drawn(module, *small.example())
  return module, jax.jit(module.apply), variables


@pytest.mark.parametrize("variant", small.VARIANTS)
@pytest.mark.parametrize("size", [(16, 16), (48, 32)])
def test_output_keys_and_shapes(variant, size):
  module = small.small_generator(variant, dtype="bfloat16")
  inputs = [x[:, : size[0], : size[1]] for x in small.example(48, 48)]
  outputs, _ = jax.eval_shape(
    module.init_with_output, jax.random.key(0), *inputs
  )
  expected = {"image": (2, *size, 3), "confidence": (2, *size)}
  expected["segmentation_logits"] = (2, *size, small.CLASSES)
  if variant == "sge_net":
    expected["reliability"] = (2, *size)
  for name, shape in list(expected.items()):
    for scale in SCALES:
      at = [side // 2**scale for side in size]
      expected[f"{name}_{scale}"] = (2, *at, *shape[3:])
  assert {name: x.shape for name, x in outputs.items()} == expected
  assert {x.dtype for x in outputs.values()} == {jnp.dtype("float32")}


@pytest.mark.parametrize("variant", small.VARIANTS)
def test_hole_pixels_do_not_change_the_output(variant):
  _, apply, variables = applied(variant)
  image, mask = small.example()
  expected = apply(variables, image, mask)
  other = np.where(mask > 0, np.flip(image, 1) * 0.5, image)
  chex.assert_trees_all_equal(apply(variables, other, mask), expected)
  other[0, 0, 0] = -other[0, 0, 0]
  changed = apply(variables, other, mask)["image"]
  assert np.max(np.abs(changed - expected["image"])) > 1e-4


def test_sge_net_is_sg_net_at_the_start():
  module, apply, _ = applied("sge_net")
  _, apply_sg, of_sg = applied("sg_net")
  inputs = small.example()
  variables = jax.jit(module.init)(jax.random.key(0), *inputs)
  shared = small.without_bias_nets(variables)
  chex.assert_trees_all_equal_shapes(shared, of_sg)
  start, plain = apply(variables, *inputs), apply_sg(shared, *inputs)
  for name, value in plain.items():
    np.testing.assert_allclose(start[name], value, atol=1e-6, err_msg=name)
  # ... and only then.
  variables["params"]["sgim_1"]["bias_1"]["kernel"] += 0.3
  moved = apply(variables, *inputs)
  assert np.abs(moved["image"] - plain["image"]).max() > 1e-4
  np.testing.assert_array_equal(moved["image_2"], start["image_2"])


def test_without_norms_all_three_begin_as_basic_net():
  modules = {
    name: small.small_generator(name, normalization="none")
    for name in small.VARIANTS
  }
  inputs = small.example()
  whole = jax.jit(modules["sge_net"].init)(jax.random.key(0), *inputs)
  expected = jax.jit(modules["sge_net"].apply)(whole, *inputs)
  for name in ("sg_net", "basic_net"):
    shapes = jax.eval_shape(modules[name].init, jax.random.key(0), *inputs)
    shared = _only(whole, shapes)
    found = jax.jit(modules[name].apply)(shared, *inputs)
    for key, value in found.items():
      np.testing.assert_allclose(value, expected[key], atol=1e-6, err_msg=key)
  # The colours of the picture count: no statistics are taken away.
  darker = jax.jit(modules["sge_net"].apply)(whole, inputs[0] - 0.2, inputs[1])
  moved = np.abs(darker["image_4"] - expected["image_4"]).mean()
  assert moved > 1e-3


def _only(tree, shapes):
  """The leaves of `tree` that `shapes` has."""
  if not isinstance(shapes, dict):
    return tree
  return {name: _only(tree[name], inner) for name, inner in shapes.items()}


def test_reliability_shrinks_scale_by_scale():
  _, apply, variables = applied("sge_net")
  image, mask = small.example()
  mask[1] = 0
  outputs = apply(variables, image, mask)
  for scale, share in zip(SCALES, (1, 0.75, 0.5, 0.25), strict=True):
    side = 2**scale
    cells = mask.reshape(2, 32 // side, side, -1, side).max((2, 4))
    unreliable = 1 - np.asarray(outputs[f"reliability_{scale}"])
    assert np.all(unreliable <= cells)
    assert unreliable[0].sum() == np.ceil(share * cells[0].sum())
    p = jax.nn.softmax(outputs[f"segmentation_logits_{scale}"])
    np.testing.assert_allclose(
      outputs[f"confidence_{scale}"], p.max(-1), atol=1e-6
    )
  np.testing.assert_array_equal(
    outputs["reliability"][:, ::2, 1::2], outputs["reliability_1"]
  )


@pytest.mark.parametrize("reads", ["hole", "ones"])
def test_controls_have_the_same_parameters_but_another_map(reads):
  module = small.small_generator(reliability=reads)
  image, mask = small.example(16, 32)
  shapes = jax.eval_shape(module.init, jax.random.key(0), image, mask)
  chex.assert_trees_all_equal_shapes(shapes, applied("sge_net")[2])
  reliable = functools.partial(module._reliability, {}, mask)
  for scale in SCALES:
    cells = mask.reshape(2, 16 >> scale, 2**scale, -1, 2**scale).max((2, 4))
    expected = np.ones_like(cells) if reads == "ones" else 1 - cells
    np.testing.assert_array_equal(reliable(scale), expected)


def test_guidance_takes_the_place_of_predictions():
  module, _, variables = applied("sg_net")
  image, mask = small.example()
  guided = jax.jit(module.apply)
  whole = np.broadcast_to(small.labels()[0, -1], (2, 32, 32))
  nothing = np.full((2, 32, 32), 255)
  own = applied("sg_net")[1](variables, image, mask)
  untold = guided(variables, image, mask, nothing)
  for name, value in own.items():
    np.testing.assert_allclose(untold[name], value, atol=1e-5, err_msg=name)
  told = guided(variables, image, mask, whole)
  assert np.abs(told["image_3"] - own["image_3"]).max() > 1e-3
  np.testing.assert_array_equal(told["image_4"], own["image_4"])
  # With all of it said, what the heads predict does not matter any more.
  other = jax.tree.map(np.copy, variables)
  for scale in SCALES:
    other["params"][f"segmentation_{scale}"]["kernel"] *= -2
  again = guided(other, image, mask, whole)
  np.testing.assert_array_equal(again["image"], told["image"])
  free = guided(other, image, mask, nothing)
  assert np.abs(free["image"] - own["image"]).max() > 1e-3


def test_basic_net_never_feeds_its_maps_back():
  _, apply, variables = applied("basic_net")
  inputs = small.example()
  other = jax.tree.map(np.copy, variables)
  for scale in SCALES:
    other["params"][f"segmentation_{scale}"]["kernel"] *= -2
  before, after = apply(variables, *inputs), apply(other, *inputs)
  np.testing.assert_array_equal(after["image"], before["image"])
  assert np.any(after["confidence_4"] != before["confidence_4"])


def test_gradients_are_finite_and_reach_every_used_parameter():
  module, _, variables = applied("sge_net")
  inputs = small.example()

  @jax.jit
  @jax.grad
  def gradient(variables):
    outputs = module.apply(variables, *inputs)
    wanted = ("image", "segmentation_logits")
    used = [x for name, x in outputs.items() if name.startswith(wanted)]
    return sum(jnp.mean(jnp.square(x - 0.3)) for x in used)

  gradients = gradient(variables)["params"]
  chex.assert_tree_all_finite(gradients)
  zero = {
    jax.tree_util.keystr(path, simple=True, separator="/")
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients)
    if not np.any(np.abs(leaf) > 1e-6)
  }
  # Instance norm takes away what a bias before it adds.
  biases = {f"encoder/conv_{i}/bias" for i in SCALES}
  biases |= {f"cim_0/conv_{i}/bias" for i in (0, 1)}
  assert zero <= biases | {f"sgim_{i}/up/bias" for i in range(4)}


@pytest.mark.parametrize(
  ("fields", "words"),
  [
    ({"reliability": "yes"}, "reliability=yes: .* confidence, hole, ones"),
    ({"segmentation": False}, "wants guided=False"),
    ({"unreliable": (0.5,)}, "scales 3, 2, 1"),
    ({"share_of": "all"}, "share_of=all: not known"),
    ({"normalization": "batch"}, "normalization=batch: .* instance, none"),
  ],
)
def test_unknown_variant_is_refused(fields, words):
  module = small.small_generator(**fields)
  with pytest.raises(UserError, match=words):
    jax.eval_shape(module.init, jax.random.key(0), *small.example())


def test_sizes_that_do_not_fit_are_refused():
  key, inputs = jax.random.key(0), small.example(24, 32)
  with pytest.raises(UserError, match="24x32.*multiples of 16"):
    jax.eval_shape(small.small_generator().init, key, *inputs)
  judge = small.small_discriminator(widths=(2, 2, 2, 2), scales=3)
  with pytest.raises(UserError, match=r"scales=3: .* 64x64"):
    jax.eval_shape(judge.init, key, np.zeros((1, 64, 64, 3), "float32"))


def test_discriminator_normalises_from_its_second_layer():
  judge = small.small_discriminator()
  image = small.example()[0]
  apply = jax.jit(judge.apply)
  variables = small.drawn(judge, image)
  logits = apply(variables, image)
  assert [x.shape for x in logits] == [(2, 14, 14, 1), (2, 6, 6, 1)]
  # What the second layer adds to a whole map is normalised away.
  moved = jax.tree.map(np.copy, variables)
  first, second = (
    moved["params"]["patches"]["scale_0"][f"conv_{i}"] for i in (0, 1)
  )
  second["bias"] = second["bias"] + 2
  np.testing.assert_allclose(apply(moved, image)[0], logits[0], atol=1e-4)
  first["bias"] = first["bias"] + 2
  assert np.abs(apply(moved, image)[0] - logits[0]).max() > 1e-3
