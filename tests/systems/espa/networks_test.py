"""ESPA's generator: both stages in one module, and each alone."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.batch import IGNORE
from sginpaint.errors import UserError
from sginpaint.systems.espa.autoencoder import Autoencoder
from sginpaint.systems.espa.decoder import SemanticDecoder
from sginpaint.systems.espa.networks import Generator
from tests.systems.espa.examples import drawn, example, labels

CLASSES = 4
FIRST = {"width": 4}
SECOND = {"widths": [8, 8, 6, 4], "hidden": 5}
WHOLE = Generator(autoencoder=FIRST, decoder=SECOND, num_classes=CLASSES)


@pytest.fixture(scope="module")
def whole():
  """(variables, picture, mask, segmentation)."""
  inputs = (*example(), labels(CLASSES))
  return drawn(WHOLE, *inputs), *inputs


def test_call_is_encode_then_decode(whole):
  variables, image, mask, segmentation = whole
  outputs = WHOLE.apply(variables, image, mask, segmentation)
  assert set(outputs) == {"coarse", "features", "image"}
  encoded = WHOLE.apply(variables, image, mask, method="encode")
  chex.assert_trees_all_equal(
    encoded, {k: outputs[k] for k in ("coarse", "features")}
  )
  decoded = WHOLE.apply(
    variables, encoded["features"], segmentation, method="decode"
  )
  np.testing.assert_array_equal(decoded, outputs["image"])


def test_parts_are_the_networks_of_the_stages(whole):
  variables, image, mask, segmentation = whole
  outputs = WHOLE.apply(variables, image, mask, segmentation)
  part = lambda name: {
    collection: tree[name]
    for collection, tree in variables.items()
    if name in tree
  }
  assert set(variables["params"]) == {"autoencoder", "decoder"}
  first = Autoencoder(**FIRST).apply(part("autoencoder"), image, mask)
  np.testing.assert_array_equal(first["image"], outputs["coarse"])
  second = SemanticDecoder(**SECOND).apply(
    part("decoder"), first["features"], jax.nn.one_hot(segmentation, CLASSES)
  )
  np.testing.assert_allclose(second, outputs["image"], atol=1e-6)


def test_first_stage_alone_needs_no_segmentation(whole):
  variables, image, mask, _ = whole
  module = Generator(autoencoder=FIRST)
  first = {"params": {"autoencoder": variables["params"]["autoencoder"]}}
  assert set(jax.eval_shape(module.init, jax.random.key(0), image, mask)) == {
    "params"
  }
  outputs = module.apply(first, image, mask)
  np.testing.assert_array_equal(outputs["image"], outputs["coarse"])
  expected = WHOLE.apply(variables, image, mask, method="encode")
  np.testing.assert_array_equal(outputs["coarse"], expected["coarse"])


def test_decoder_without_segmentation_is_refused(whole):
  variables, image, mask, _ = whole
  with pytest.raises(ValueError, match="segmentation"):
    WHOLE.apply(variables, image, mask)


def test_pixels_of_which_nothing_is_said_are_no_class(whole):
  variables, image, mask, segmentation = whole
  features = WHOLE.apply(variables, image, mask, method="encode")["features"]
  segmentation = segmentation.copy()
  segmentation[:, 4:12] = IGNORE
  decoded = WHOLE.apply(variables, features, segmentation, method="decode")
  one_hot = np.zeros((2, 16, 16, CLASSES), "float32")
  for index in np.ndindex(segmentation.shape):
    if segmentation[index] != IGNORE:
      one_hot[(*index, segmentation[index])] = 1
  part = {name: tree["decoder"] for name, tree in variables.items()}
  expected = SemanticDecoder(**SECOND).apply(part, features, one_hot)
  np.testing.assert_allclose(decoded, expected, atol=1e-6)


@pytest.mark.parametrize("size", [(18, 16), (16, 22)])
def test_sides_that_are_no_multiples_of_four_are_refused(size):
  with pytest.raises(UserError, match="config.data.image_size") as error:
    WHOLE.init(jax.random.key(0), *example(*size), labels(CLASSES, *size))
  assert f"{size[0]} x {size[1]}" in str(error.value)


def test_other_sizes_than_the_trained_one_are_served(whole):
  variables, *_ = whole
  outputs = WHOLE.apply(variables, *example(24, 32), labels(CLASSES, 24, 32))
  assert outputs["image"].shape == outputs["coarse"].shape == (2, 24, 32, 3)
  chex.assert_tree_all_finite(outputs)


def test_bfloat16_reaches_both_parts(whole):
  variables, *inputs = whole
  half = WHOLE.clone(dtype="bfloat16").apply(variables, *inputs)
  full = WHOLE.apply(variables, *inputs)
  for key, value in half.items():
    assert value.dtype == jnp.float32
    error = np.std(value - full[key]) / np.std(full[key])
    assert 1e-4 < error < 0.1, key
