"""Import of PyTorch state dicts: every tensor lands, every misfit is named."""

import jax
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.errors import UserError
from sginpaint.layers.discriminators import build_spade_discriminator
from sginpaint.systems.spl import networks

SMALL = {"width": 4, "blocks": 2, "dense_blocks": 2, "dense_layers": 3}


def drawn(module, *shapes):
  """Variables of a module, every number different."""
  variables = jax.eval_shape(
    module.init, jax.random.key(0), *(np.zeros(s, "float32") for s in shapes)
  )
  generator = np.random.default_rng(0)
  return jax.tree.map(
    lambda x: generator.standard_normal(x.shape).astype("float32"), variables
  )


@pytest.fixture
def generator():
  module = networks.Generator(**SMALL, residual_blocks=1, prior_channels=5)
  return module, drawn(module, (1, 32, 32, 3), (1, 32, 32, 1))


@pytest.fixture
def discriminator():
  module = networks.Discriminator(widths=(4, 6, 8, 10))
  return module, drawn(module, (1, 32, 32, 3))


def assert_same(a, b):
  assert jax.tree.structure(a) == jax.tree.structure(b)
  jax.tree.map(np.testing.assert_array_equal, a, b)


def test_generator_round_trip_reads_sizes_off_shapes(generator):
  module, variables = generator
  state = convert.to_torch("spl_generator", variables)
  read, got = convert.from_torch("spl_generator", state)
  assert_same(got, variables)
  assert (read.width, read.growth, read.spade_hidden) == (4, 2, 8)
  assert (read.blocks, read.dense_blocks, read.dense_layers) == (2, 2, 3)
  assert (read.residual_blocks, read.prior_channels) == (1, 5)


def test_layouts_are_those_of_pytorch(generator, discriminator):
  state = convert.to_torch("spl_generator", generator[1])
  kernel = generator[1]["params"]["block_1"]["spade_0"]["gamma"]["kernel"]
  weight = state["middle.1.conv_block.0.mlp_gamma.weight"]
  assert weight.shape == (16, 8, 3, 3)
  assert weight[5, 3, 0, 2] == kernel[0, 2, 3, 5]
  state = convert.to_torch("spl_discriminator", discriminator[1])
  v = discriminator[1]["spectral_norm"]["patch"]["conv_1"]["v"]
  # Flat index over (input, row, column).
  assert state["conv2.0.weight_v"][(3 * 4 + 1) * 4 + 2] == v[1, 2, 3]


def test_whole_training_checkpoint_is_accepted(generator, discriminator):
  whole = {"adversarial_loss.real_label": np.ones(())}
  whole["tresnet_xL_hold.body.conv1.0.weight"] = np.ones((2, 2, 3, 3))
  for player, (_, variables) in (
    ("generator", generator),
    ("discriminator", discriminator),
  ):
    state = convert.to_torch(f"spl_{player}", variables)
    for name, value in state.items():
      whole[f"{player}.module.{name}"] = value
  whole["discriminator.module.features.0.weight_orig"] = np.ones((4, 3, 4, 4))
  for name, (_, variables) in (
    ("spl_generator", generator),
    ("spl_discriminator", discriminator),
  ):
    assert_same(convert.from_torch(name, whole)[1], variables)


def test_missing_unknown_and_misshapen_tensors_are_listed(generator):
  state = convert.to_torch("spl_generator", generator[1])
  del state["gff.1.bias"]
  state["gff.2.weight"] = np.zeros((1, 1, 1, 1))
  state["decoder.9.weight"] = np.zeros((3, 4, 5, 7))
  with pytest.raises(UserError) as error:
    convert.from_torch("spl_generator", state)
  message = str(error.value)
  assert "1 missing: gff.1.bias" in message
  assert "1 unknown: gff.2.weight" in message
  assert "decoder.9.weight is (3, 4, 5, 7), expected (3, 4, 7, 7)" in message
  assert "\n" not in message


def test_another_network_is_named_as_such(discriminator):
  state = convert.to_torch("spl_discriminator", discriminator[1])
  with pytest.raises(UserError, match="encoder_conv1.weight"):
    convert.from_torch("spl_generator", state)


def test_unknown_name_lists_the_known_ones():
  with pytest.raises(UserError, match="spl_discriminator, spl_generator"):
    convert.from_torch("spl_generater", {})


def spade_shapes(scales, channels, *widths):
  """Shapes of the weights of SPADE's discriminator by their official names."""
  shapes = {}
  for i in range(scales):
    for j, width in enumerate((*widths, 1)):
      start = f"discriminator_{i}.model{j}.0"
      plain = j in (0, len(widths))
      name = f"{start}.weight" if plain else f"{start}.0.weight_orig"
      shapes[name] = (width, (channels, *widths)[j], 4, 4)
  return shapes


@pytest.mark.parametrize("sizes", [(1, 4, 2, 3), (3, 9, 4, 5, 6, 7, 8)])
def test_spade_discriminator_round_trip(sizes):
  scales, channels, *widths = sizes
  shapes = spade_shapes(*sizes)
  module = build_spade_discriminator(shapes)
  variables = drawn(module, (1, 32, 32, channels))
  state = convert.to_torch("spade_discriminator", variables)
  weights = {n: x.shape for n, x in state.items() if x.ndim == 4}
  assert weights == shapes
  read, got = convert.from_torch("spade_discriminator", state)
  assert_same(got, variables)
  scores = read.apply(got, np.ones((1, 32, 32, channels), "float32"))
  assert len(scores) == scales
  assert [f.shape[-1] for f in scores[0][1]] == [*widths, 1]
