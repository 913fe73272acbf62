"""Tests of sginpaint.losses.distillation against slow references."""

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.losses.distillation import prior_loss


def _loop(predicted, teacher, mask, alpha):
  """Equation 5 pixel by pixel, the mask read at floor(i * in / out)."""
  batch, height, width, channels = predicted.shape
  result = np.zeros(batch)
  for b, i, j in np.ndindex(batch, height, width):
    row = int(np.floor(i * mask.shape[1] / height))
    column = int(np.floor(j * mask.shape[2] / width))
    weight = 1.0 + alpha * mask[b, row, column, 0]
    result[b] += weight * np.abs(predicted[b, i, j] - teacher[b, i, j]).sum()
  return result / (height * width * channels)


def test_matches_loop_reference_at_uneven_ratios():
  rng = np.random.default_rng(0)
  predicted, teacher = rng.normal(size=(2, 2, 4, 3, 5)).astype(np.float32)
  mask = (rng.random((2, 16, 11, 1)) > 0.5).astype(np.float32)
  loss = prior_loss(predicted, teacher, mask, alpha=3.0)
  np.testing.assert_allclose(
    loss, _loop(predicted, teacher, mask, 3.0), rtol=1e-5
  )


def test_mask_is_read_at_the_first_pixel_of_each_cell():
  """The pixel-centre rule would read pixel 2 of 4 and find no hole."""
  mask = jnp.zeros((1, 4, 4, 1)).at[0, 0, 0, 0].set(1.0)
  loss = prior_loss(jnp.ones((1, 1, 1, 2)), jnp.zeros((1, 1, 1, 2)), mask)
  np.testing.assert_allclose(loss, [4.0])


def test_teacher_gets_no_gradient():
  gradients = jax.grad(
    lambda p, t: prior_loss(p, t, jnp.ones((1, 4, 4, 1)))[0], argnums=(0, 1)
  )(jnp.ones((1, 2, 2, 3)), jnp.zeros((1, 2, 2, 3)))
  np.testing.assert_allclose(gradients[0], np.full((1, 2, 2, 3), 1 / 3))
  np.testing.assert_array_equal(gradients[1], np.zeros((1, 2, 2, 3)))


def test_bfloat16_features_are_compared_in_float32():
  features = jnp.full((1, 32, 32, 4), 1.0, jnp.bfloat16)
  loss = prior_loss(
    features.at[0, 0, 0, 0].set(9.0), features * 0, jnp.zeros((1, 64, 64, 1))
  )
  assert loss.dtype == jnp.float32
  np.testing.assert_allclose(loss, [1.0 + 8.0 / 4096], rtol=1e-6)
