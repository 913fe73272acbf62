"""Tests of sginpaint.losses.perceptual against hand-made numbers and loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.backbones.vgg import VGG16, VGG19, official_indices
from sginpaint.errors import UserError
from sginpaint.losses.perceptual import (
  PRESETS,
  perceptual_loss,
  perceptual_terms,
)


def _features(seed):
  rng = np.random.default_rng(seed)
  shapes = {"layer1": (2, 3, 4, 5), "layer2": (2, 2, 2, 6), "features": (2, 7)}
  return {
    name: rng.normal(size=shape).astype(np.float32)
    for name, shape in shapes.items()
  }


@pytest.mark.parametrize(("kind", "power"), [("l1", 1), ("squared", 2)])
def test_matches_loop_reference(kind, power):
  predicted, target = _features(0), _features(1)
  layers = {"layer1": 0.25, "layer2": 2.0, "features": 1.0}
  expected = np.zeros(2)
  for layer, weight in layers.items():
    for b in range(2):
      a, t = predicted[layer][b], target[layer][b]
      errors = [abs(float(a[i] - t[i])) ** power for i in np.ndindex(a.shape)]
      expected[b] += weight * sum(errors) / a.size
  loss = perceptual_loss(predicted, target, layers=layers, kind=kind)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_terms_are_unweighted_and_of_the_chosen_layers():
  one = {"a": jnp.ones((1, 2, 2, 3)), "b": jnp.ones((1, 1, 1, 2))}
  four = {"a": jnp.full((1, 2, 2, 3), 4.0), "b": jnp.zeros((1, 1, 1, 2))}
  terms = perceptual_terms(one, four, layers={"a": 100.0}, kind="squared")
  assert set(terms) == {"a"}
  np.testing.assert_allclose(terms["a"], [9.0])


def test_target_gets_no_gradient():
  predicted, target = _features(0), _features(1)

  def total(predicted, target):
    loss = perceptual_loss(predicted, target, layers={"layer1": 3.0})
    return jnp.sum(loss)

  left, right = jax.grad(total, (0, 1))(predicted, target)
  sign = np.sign(predicted["layer1"] - target["layer1"])
  np.testing.assert_allclose(left["layer1"], 3.0 * sign / 60, rtol=1e-5)
  assert not any(np.any(g) for g in jax.tree.leaves(right))
  assert not np.any(left["layer2"])


def test_bfloat16_features_are_compared_in_float32():
  ones = jnp.ones((1, 64, 64, 4), jnp.bfloat16)
  loss = perceptual_loss(
    {"a": ones.at[0, 0, 0, 0].set(9.0)}, {"a": ones}, layers={"a": 1.0}
  )
  assert loss.dtype == jnp.float32
  np.testing.assert_allclose(loss, [8.0 / 16384], rtol=1e-6)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"layers": {"relu9_9": 1.0}}, "'relu9_9'; it has features, layer1"),
    ({"layers": {"layer1": 1.0}, "kind": "l3"}, "'l3'.*l1 or squared"),
    ({"layers": {}}, "no layers"),
  ],
)
def test_mistakes_say_what_there_is(options, message):
  with pytest.raises(UserError, match=message):
    perceptual_loss(_features(0), _features(1), **options)


def test_presets_name_the_papers_layers():
  indices = {"vgg16": official_indices(VGG16), "vgg19": official_indices(VGG19)}
  found = {
    name: [indices[preset.network][layer] for layer in preset.layers]
    for name, preset in PRESETS.items()
  }
  assert found == {
    "sge_net": [8, 15, 22],
    "espa": [1, 6, 11, 20, 29],
    "spade": [1, 6, 11, 20, 29],
  }
  assert sum(PRESETS["spade"].layers.values()) == 1 + 15 / 32
  assert [PRESETS[n].kind for n in found] == ["l1", "squared", "l1"]
  assert [PRESETS[n].normalize for n in found] == [True, True, False]
