"""The generator: sizes, what it looks at, what attributes do to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import boosted_gan
from sginpaint.errors import UserError
from sginpaint.layers.normalization import instance_norm
from sginpaint.systems import build_system, example_batch
from sginpaint.systems.boosted_gan.networks import Generator
from tests.systems.boosted_gan.small import drawn


def shapes_within(module, variables, *inputs):
  """{path of a submodule: shape of what it returns}, without running it."""
  _, state = jax.eval_shape(
    lambda v, *x: module.apply(v, *x, capture_intermediates=True, mutable=True),
    variables,
    *inputs,
  )
  leaves = jax.tree_util.tree_leaves_with_path(state["intermediates"])
  name = lambda path: "/".join(str(p.key) for p in path if hasattr(p, "key"))
  return {name(path).removesuffix("/__call__"): x.shape for path, x in leaves}


@pytest.fixture(name="full", scope="module")
def _full():
  """The system of the full config: 18 attributes, 19 classes."""
  config = boosted_gan.get_config("")
  config.data.attributes = tuple(f"attribute {i}" for i in range(18))
  config.data.classes = tuple({"name": f"class {i}"} for i in range(19))
  system = build_system(config)
  batch = example_batch(config)
  return system, batch, jax.eval_shape(system.init, jax.random.key(0), batch)


def test_generator_is_told_attributes_at_16(full):
  system, batch, variables = full
  found = shapes_within(
    system.generator, variables["generator"], *system.generator_inputs(batch)
  )
  assert found["encoder/conv_8"] == found["joined"] == (1, 16, 16, 256)
  assert found["middle_4"] == (1, 16, 16, 256)
  decoder = [found[f"decoder_{i}"] for i in range(4)]
  assert decoder == [
    (1, side, side, width)
    for side, width in ((32, 256), (64, 128), (128, 64), (256, 32))
  ]
  params = variables["generator"]["params"]
  assert params["joined"]["kernel"].shape == (3, 3, 256 + 18, 256)
  # Picture, mask, classes.
  first = params["encoder"]["conv_0"]["kernel"]
  assert first.shape == (5, 5, 3 + 1 + 19, 64)


def test_discriminators_meet_attributes_at_4(full):
  system, batch, variables = full
  found = shapes_within(
    system.discriminator,
    variables["discriminator"],
    *system.discriminator_inputs(batch),
  )
  for name in ("global", "attributes", "segmentation"):
    assert found[f"{name}_trunk"] == (1, 4, 4, 512)
  params = variables["discriminator"]["params"]
  joined = params["attributes_head"]["joined"]["kernel"]
  assert joined.shape == (1, 1, 512 + 18, 512)
  for name in ("global", "segmentation"):
    hidden = params[f"{name}_head"]["hidden"]["kernel"]
    assert hidden.shape == (4, 4, 512, 1024)
  assert params["global_trunk"]["conv_0"]["kernel"].shape[2] == 3
  assert params["segmentation_trunk"]["conv_0"]["kernel"].shape[2] == 3 + 19


NET = Generator(
  num_attributes=3,
  num_classes=2,
  widths=(8, 12, 16),
  dilations=(2, 4),
  decoder_widths=(12, 8),
)


def inputs(batch=1, side=64):
  rng = np.random.default_rng(0)
  mask = np.zeros((batch, side, side, 1), "f4")
  mask[:, 20:44, 10:40] = 1
  return (
    rng.uniform(-1, 1, (batch, side, side, 3)).astype("f4"),
    mask,
    np.full((batch, 3), 0.1, "f4"),
    np.full((batch, side, side, 2), 0.5, "f4"),
  )


@pytest.fixture(name="variables", scope="module")
def _variables():
  return jax.jit(NET.init)(jax.random.key(0), *inputs())


def without_norms(params, x, attributes, *, norm=lambda x: x):
  """The layer that first meets the attributes, [1, 16, 16, C] to the same."""
  tiled = np.broadcast_to(attributes, (1, 16, 16, 3))
  x = jax.lax.conv_general_dilated(
    jnp.concatenate([x, tiled], -1),
    *(params["joined"]["kernel"], (1, 1), "SAME"),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )
  return np.asarray(jax.nn.relu(norm(x + params["joined"]["bias"])))


def test_an_attribute_moves_features_as_without_norms(variables):
  image, mask, off, maps = inputs()
  both = (off, off + np.array([[0, 0.8, 0]], "f4"))
  seen = [
    NET.apply(
      *(variables, image, mask, told, maps),
      capture_intermediates=lambda m, _: m.name in ("encoder", "joined"),
    )[1]["intermediates"]
    for told in both
  ]
  mine = [np.maximum(s["joined"]["__call__"][0], 0) for s in seen]
  encoded = seen[0]["encoder"]["__call__"][0][-1]
  plain, normed = (
    [without_norms(variables["params"], encoded, t, norm=n) for t in both]
    for n in (lambda x: x, instance_norm)
  )
  inside = lambda x: x[:, 3:13, 3:13]
  moved = lambda a, b: np.abs(inside(b - a)).mean() / inside(a).mean()
  assert 0.5 < moved(*mine) / moved(*plain) < 2
  assert moved(*normed) < 0.5 * moved(*plain)  # what no norm is for


def test_what_lies_in_the_hole_is_not_looked_at(variables):
  image, mask, *rest = inputs()
  apply = jax.jit(NET.apply)
  plain = apply(variables, image, mask, *rest)["image"]
  other = np.where(mask > 0, -image, image)
  moved = apply(variables, other, mask, *rest)["image"]
  np.testing.assert_array_equal(plain, moved)
  assert np.abs(plain).max() < 1
  shifted = np.roll(mask, 4, axis=1)
  assert (apply(variables, image, shifted, *rest)["image"] != plain).any()


def test_no_input_that_is_switched_off():
  net = Generator(0, 0, attributes_input=False, segmentation_input=False)
  shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs()[:2])["params"]
  assert shapes["encoder"]["conv_0"]["kernel"].shape[2] == 3 + 1
  assert shapes["joined"]["kernel"].shape[2] == 256
  blind = Generator(0, 2, attributes_input=False, mask_input=False)
  shapes = jax.eval_shape(blind.init, jax.random.key(0), *inputs())["params"]
  assert shapes["encoder"]["conv_0"]["kernel"].shape[2] == 3 + 2


def test_sizes_that_do_not_fit_are_refused():
  with pytest.raises(UserError, match="64 x 62.* multiples of 4"):
    jax.eval_shape(
      NET.init,
      jax.random.key(0),
      *(x[:, :, :62] if x.ndim == 4 else x for x in inputs()),
    )
  with pytest.raises(UserError, match="decoder_widths: 1 numbers; give 2"):
    drawn(NET.copy(decoder_widths=(4,)), *inputs())
