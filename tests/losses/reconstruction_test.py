"""Tests of sginpaint.losses.reconstruction against hand-computed values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.losses import reconstruction


def _pair():
  target = jnp.zeros((2, 1, 2, 3))
  prediction = target.at[0, 0, 0].set(jnp.array([1.0, -2.0, 0.0]))
  return prediction.at[1, 0, 1, 2].set(-6.0), target


def test_l1_is_a_mean_over_pixels_and_channels():
  loss = reconstruction.l1(*_pair())
  np.testing.assert_allclose(loss, [0.5, 1.0], rtol=1e-6)


def test_l2_is_a_mean_of_squares():
  loss = reconstruction.l2(*_pair())
  np.testing.assert_allclose(loss, [5 / 6, 6.0], rtol=1e-6)


def test_hole_weight_by_hand():
  mask = jnp.array([1.0, 0.0]).reshape(1, 1, 2, 1)
  weight = reconstruction.hole_weight(mask, 5.0)
  np.testing.assert_array_equal(weight.ravel(), [6.0, 1.0])


def test_weighted_l1_of_equation_9():
  """Delta 2; the hole is the first pixel of both examples."""
  mask = jnp.tile(jnp.array([1.0, 0.0]).reshape(1, 1, 2, 1), (2, 1, 1, 1))
  weight = reconstruction.hole_weight(mask, 2.0)
  loss = reconstruction.l1(*_pair(), weight=weight)
  np.testing.assert_allclose(loss, [1.5, 1.0], rtol=1e-6)


@pytest.mark.parametrize("size", [1e-10, 1.0, 1e10])
def test_gradient_is_a_sign_at_every_magnitude(size):
  target = jnp.zeros((1, 1, 1, 3))
  prediction = jnp.array([size, -size, 0.0]).reshape(1, 1, 1, 3)
  gradient = jax.grad(lambda x: reconstruction.l1(x, target)[0])(prediction)
  np.testing.assert_allclose(
    np.abs(gradient.ravel()[:2]), [1 / 3, 1 / 3], rtol=1e-6
  )
  assert np.isfinite(gradient).all()


def test_bfloat16_is_averaged_in_float32():
  ones = jnp.ones((1, 64, 64, 1), jnp.bfloat16)
  loss = reconstruction.l1(ones.at[0, 0, 0, 0].set(9.0), jnp.zeros_like(ones))
  assert loss.dtype == jnp.float32
  np.testing.assert_allclose(loss, [1.0 + 8.0 / 4096], rtol=1e-6)


def test_shapes_that_differ_are_refused():
  prediction, target = _pair()
  with pytest.raises(AssertionError):
    reconstruction.l1(prediction, target[:1])
  with pytest.raises(AssertionError):
    reconstruction.l1(prediction, target, weight=jnp.ones((2, 1, 1, 1)))
