"""ESPA's discriminators: patches, maps, where the norms are, parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.layers import discriminators
from sginpaint.systems.espa.discriminator import Discriminator
from tests.systems.espa.examples import drawn

NARROW = (4, 4, 4, 4)


@pytest.mark.parametrize(("kind", "side"), [("patch70", 70), ("official", 94)])
def test_side_of_a_patch(monkeypatch, kind, side):
  # The statistics of an instance norm are the whole picture's.
  monkeypatch.setattr(discriminators, "instance_norm", lambda x: x)
  module = Discriminator(kind=kind, widths=NARROW)
  image = jnp.zeros((1, 256, 256, 3))
  variables = drawn(module, image)
  middle = module.apply(variables, image)[0].shape[1] // 2
  gradient = jax.jit(
    jax.grad(lambda x: module.apply(variables, x)[0][0, middle, middle, 0])
  )(image)
  seen = np.argwhere(np.abs(gradient[0]).sum(-1) > 0)
  np.testing.assert_array_equal(seen.max(0) - seen.min(0) + 1, [side, side])


@pytest.mark.parametrize(("kind", "side"), [("patch70", 6), ("official", 4)])
def test_size_of_the_map(kind, side):
  module = Discriminator(kind=kind, widths=NARROW)
  image = np.zeros((2, 64, 64, 3), "float32")
  logits, features = module.apply(drawn(module, image), image)
  assert logits.shape == (2, side, side, 1) and logits.dtype == jnp.float32
  assert [f.shape[-1] for f in features] == [4, 4, 4, 4, 1]


@pytest.mark.parametrize("kind", ["patch70", "official"])
def test_which_layers_are_normalised(kind):
  module = Discriminator(kind=kind, widths=(3, 4, 5, 6))
  image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3))
  _, features = module.apply(drawn(module, image), image.astype("float32"))
  for i, feature in enumerate(features):
    # Undo LeakyReLU 0.2: what was normalised has mean 0.
    before = np.where(feature < 0, feature / 0.2, feature)
    normalised = np.abs(before.mean((1, 2))).max() < 1e-4
    assert normalised == (i < 4 and (i > 0 or kind == "official")), i


@pytest.mark.parametrize(
  ("kind", "parameters"), [("patch70", 2_764_737), ("official", 2_764_736)]
)
def test_parameter_count(kind, parameters):
  module = Discriminator(kind=kind)
  image = jax.ShapeDtypeStruct((1, 64, 64, 3), "float32")
  shapes = jax.eval_shape(module.init, jax.random.key(0), image)
  assert set(shapes) == {"params"}  # no spectral norms
  assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == parameters


def test_unknown_kind_is_refused():
  module = Discriminator(kind="patch94")
  with pytest.raises(UserError, match=r"kind=patch94.*patch70"):
    module.init(jax.random.key(0), np.zeros((1, 64, 64, 3), "float32"))
