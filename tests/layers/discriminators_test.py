"""Patch discriminators: sizes, the pyramid, where instance norm begins."""

import functools

import jax
import numpy as np

from sginpaint.layers.discriminators import (
  MultiScalePatchGAN,
  PatchDiscriminator,
  halve,
)

TINY = functools.partial(PatchDiscriminator, widths=(3, 4), strides=(2, 1))


def picture(*shape):
  return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_logits_come_last_among_the_features():
  x = picture(2, 16, 12, 3)
  (logits, features), _ = TINY().init_with_output(jax.random.key(0), x)
  assert [f.shape for f in features] == [
    (2, 8, 6, 3),
    (2, 7, 5, 4),
    (2, 6, 4, 1),
  ]
  np.testing.assert_array_equal(features[-1], logits)


def test_instance_norm_starts_at_its_layer():
  x = picture(2, 16, 16, 3)
  module = TINY(instance_norm_from=1, spectral=False)
  variables = module.init(jax.random.key(0), x)
  _, features = module.apply(variables, x)
  _, plain = TINY(spectral=False).apply(variables, x)
  np.testing.assert_array_equal(features[0], plain[0])
  # Undo LeakyReLU 0.2: what is left was normalised.
  before = np.where(features[1] < 0, features[1] / 0.2, features[1])
  np.testing.assert_allclose(before.mean((1, 2)), 0, atol=1e-5)
  np.testing.assert_allclose(before.std((1, 2)), 1, atol=0.1)


def test_halve_does_not_count_the_padding():
  x = picture(1, 5, 4, 2)
  got = halve(x)
  assert got.shape == (1, 3, 2, 2)
  for i in range(3):
    for j in range(2):
      rows = slice(max(0, 2 * i - 1), 2 * i + 2)
      columns = slice(max(0, 2 * j - 1), 2 * j + 2)
      mean = x[0, rows, columns].mean((0, 1))
      np.testing.assert_allclose(got[0, i, j], mean, atol=1e-6)


def test_every_scale_has_its_own_weights_and_input():
  x = picture(1, 32, 32, 3)
  module = MultiScalePatchGAN(scales=3, discriminator=TINY)
  results, variables = module.init_with_output(jax.random.key(0), x)
  assert [logits.shape[1] for logits, _ in results] == [14, 6, 2]
  for i, (logits, _) in enumerate(results):
    alone = {name: tree[f"scale_{i}"] for name, tree in variables.items()}
    expected, _ = TINY().apply(alone, x)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    x = halve(x)


def test_training_moves_the_spectral_vectors_of_every_scale():
  x = picture(1, 16, 16, 3)
  module = MultiScalePatchGAN(scales=2, discriminator=TINY)
  variables = module.init(jax.random.key(0), x)
  _, state = module.apply(variables, x, train=True, mutable=["spectral_norm"])
  for i in range(2):
    before = variables["spectral_norm"][f"scale_{i}"]["conv_1"]["u"]
    after = state["spectral_norm"][f"scale_{i}"]["conv_1"]["u"]
    assert np.abs(after - before).max() > 1e-3


SPADES = functools.partial(TINY, use_bias=False, plain_ends=True)


def test_plain_ends_have_a_bias_and_no_spectral_norm():
  x = picture(1, 16, 16, 3)
  variables = SPADES().init(jax.random.key(0), x)
  shapes = jax.tree.map(np.shape, variables)
  assert shapes["params"] == {
    "plain_0": {"kernel": (4, 4, 3, 3), "bias": (3,)},
    "conv_1": {"kernel": (4, 4, 3, 4)},
    "plain_2": {"kernel": (4, 4, 4, 1), "bias": (1,)},
  }
  assert shapes["spectral_norm"].keys() == {"conv_1"}
  first = variables["params"]["plain_0"]["kernel"]
  doubled = {**variables["params"], "plain_0": {"kernel": 2 * first}}
  doubled["plain_0"]["bias"] = np.zeros(3, "float32")
  before = SPADES().apply(variables, x)[1][0]
  after = SPADES().apply({**variables, "params": doubled}, x)[1][0]
  np.testing.assert_allclose(after, 2 * before, rtol=1e-5)
