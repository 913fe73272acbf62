"""Tests of sginpaint.losses.feature_matching."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.layers.discriminators import (
  MultiScalePatchGAN,
  PatchDiscriminator,
)
from sginpaint.losses.feature_matching import feature_matching_loss


def _maps(*values):
  """One scale whose maps are constant; the last is its logits."""
  maps = [jnp.full((1, 2, 2, i + 1), v) for i, v in enumerate(values)]
  return maps[-1], maps


def test_sums_layers_averages_scales_and_leaves_out_logits():
  fake = [_maps(1.0, 2.0, 50.0), _maps(7.0, 50.0)]
  real = [_maps(0.0, 5.0, -50.0), _maps(3.0, -50.0)]
  loss = feature_matching_loss(fake, real)
  np.testing.assert_allclose(loss, [((1.0 + 3.0) + 4.0) / 2])


def test_real_side_gets_no_gradient():
  fake, real = [_maps(1.0, 0.0)], [_maps(3.0, 0.0)]
  gradients = jax.grad(
    lambda f, r: feature_matching_loss(f, r)[0], argnums=(0, 1)
  )(fake, real)
  np.testing.assert_allclose(
    gradients[0][0][1][0], np.full((1, 2, 2, 1), -0.25)
  )
  assert not any(np.any(g) for g in jax.tree.leaves(gradients[1]))


def test_takes_what_the_multi_scale_discriminator_returns():
  """Per example, and against the definition on its own maps."""
  patch = functools.partial(
    PatchDiscriminator, widths=(4, 6), strides=(2, 1), spectral=False
  )
  net = MultiScalePatchGAN(scales=2, discriminator=patch)
  rng = np.random.default_rng(0)
  fake, real = rng.normal(size=(2, 3, 16, 16, 3)).astype(np.float32)
  variables = jax.jit(net.init)(jax.random.key(0), fake)
  judge = jax.jit(net.apply)
  scores = [judge(variables, image) for image in (fake, real)]
  expected = np.zeros(3)
  for scale in range(2):
    for layer in range(2):
      a, b = (np.asarray(s[scale][1][layer], np.float64) for s in scores)
      expected += np.abs(a - b).mean((1, 2, 3)) / 2
  loss = feature_matching_loss(*scores)
  assert loss.shape == (3,)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_numbers_of_scales_must_agree():
  with pytest.raises(ValueError, match="zip"):
    feature_matching_loss([_maps(1.0, 0.0)], [])
