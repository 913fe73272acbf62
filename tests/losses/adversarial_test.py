"""Tests of sginpaint.losses.adversarial against hand-computed values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.losses import adversarial

KINDS = ("bce", "hinge", "least_squares", "wasserstein")

# log(1 + e^-2) and log(1 + e^2).
SOFT_MINUS, SOFT_PLUS = 0.1269280, 2.1269280

REAL = {
  "bce": [(SOFT_MINUS + np.log(2)) / 2, SOFT_PLUS],
  "hinge": [0.5, 3.0],
  "least_squares": [1.0, 9.0],
  "wasserstein": [-1.0, 2.0],
}
FAKE = {
  "bce": [(SOFT_PLUS + np.log(2)) / 2, SOFT_MINUS],
  "hinge": [2.0, 0.0],
  "least_squares": [2.0, 4.0],
  "wasserstein": [1.0, -2.0],
}
GENERATOR = {
  "bce": REAL["bce"],
  "hinge": [-1.0, 2.0],
  "least_squares": REAL["least_squares"],
  "wasserstein": REAL["wasserstein"],
}


def _patches():
  """Two examples of 1x2 patches: (2, 0) and (-2, -2)."""
  return jnp.array([[2.0, 0.0], [-2.0, -2.0]]).reshape(2, 1, 2, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_hand_computed_values(kind):
  logits = _patches()
  real = adversarial.real_loss(logits, kind=kind)
  fake = adversarial.fake_loss(logits, kind=kind)
  np.testing.assert_allclose(real, REAL[kind], rtol=1e-6)
  np.testing.assert_allclose(fake, FAKE[kind], rtol=1e-6)
  np.testing.assert_allclose(
    adversarial.generator_loss(logits, kind=kind), GENERATOR[kind], rtol=1e-6
  )


@pytest.mark.parametrize("kind", KINDS)
def test_discriminator_loss_is_mean_of_both_halves(kind):
  both = adversarial.discriminator_loss(_patches(), _patches()[::-1], kind=kind)
  expected = (np.array(REAL[kind]) + np.array(FAKE[kind][::-1])) / 2
  np.testing.assert_allclose(both, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["real_loss", "fake_loss", "generator_loss"])
def test_finite_over_twenty_orders_of_magnitude(kind, name):
  sizes = 10.0 ** np.arange(-10, 11)
  logits = jnp.asarray(np.concatenate([-sizes, [0.0], sizes]))[:, None]
  loss = getattr(adversarial, name)
  value, gradient = jax.value_and_grad(lambda x: jnp.sum(loss(x, kind=kind)))(
    logits
  )
  assert np.isfinite(value)
  assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("kind", KINDS)
def test_every_scale_weighs_the_same(kind):
  fine, coarse = _patches(), jnp.full((2, 1, 1, 1), 3.0)
  mean = adversarial.mean_over_scales(
    adversarial.fake_loss, [fine, coarse], kind=kind
  )
  alone = adversarial.fake_loss(coarse, kind=kind)
  np.testing.assert_allclose(
    mean, (np.array(FAKE[kind]) + alone) / 2, rtol=1e-6
  )


def test_saturated_generator_still_gets_a_gradient():
  """Where D is sure of the fake, log(1 - D) would be flat."""
  gradient = jax.grad(lambda x: adversarial.generator_loss(x)[0])(
    jnp.full((1, 1), -30.0)
  )
  np.testing.assert_allclose(gradient, [[-1.0]], rtol=1e-6)


def test_bfloat16_logits_are_averaged_in_float32():
  logits = jnp.full((1, 4096), 1.0, jnp.bfloat16).at[0, 0].set(9.0)
  loss = adversarial.fake_loss(logits, kind="hinge")
  assert loss.dtype == jnp.float32
  np.testing.assert_allclose(loss, [2.0 + 8.0 / 4096], rtol=1e-6)


def test_unknown_kind_is_named():
  with pytest.raises(UserError, match="'wgan'"):
    adversarial.real_loss(_patches(), kind="wgan")
  with pytest.raises(UserError, match="'wgan'"):
    adversarial.generator_loss(_patches(), kind="wgan")
