"""Tests of sginpaint.losses.classification.

Independent references: numbers worked out by hand, and a float64 numpy version
of ASL whose gradient is taken by central differences.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sginpaint.losses.classification import (
  asymmetric_loss,
  single_label_asymmetric_loss,
)


def _numpy_asl(x, y, *, gamma_negative, gamma_positive, margin, focus_at=None):
  """ASL entry by entry; `focus_at` are logits that give the focus factor."""
  p = 1 / (1 + np.exp(-x))
  q = np.minimum(1 - p + margin, 1)
  entropy = -(y * np.log(p) + (1 - y) * np.log(q))
  at = 1 / (1 + np.exp(-(x if focus_at is None else focus_at)))
  at = at * y + np.minimum(1 - at + margin, 1) * (1 - y)
  return entropy * (1 - at) ** (gamma_positive * y + gamma_negative * (1 - y))


def _draw():
  rng = np.random.default_rng(3)
  logits = rng.normal(0, 3, (3, 8))
  return logits, (rng.random((3, 8)) > 0.6).astype(np.float64)


def test_asl_by_hand():
  """Probabilities 0.8 and 0.3: (1 - .8) log .8 and .25^4 log .75."""
  logits = np.log(np.array([[0.8 / 0.2, 0.3 / 0.7]]))
  loss = asymmetric_loss(logits, np.array([[1.0, 0.0]]))
  expected = -0.2 * np.log(0.8) - 0.25**4 * np.log(0.75)
  np.testing.assert_allclose(loss, [expected], rtol=1e-5)


@pytest.mark.parametrize("gammas", [(4.0, 1.0), (4.0, 0.0), (2.0, 0.5)])
@pytest.mark.parametrize("margin", [0.05, 0.0])
@pytest.mark.parametrize("stop", [True, False])
def test_asl_and_gradient_match_numpy(gammas, margin, stop):
  logits, targets = _draw()
  options = {
    "gamma_negative": gammas[0],
    "gamma_positive": gammas[1],
    "margin": margin,
  }
  focus = logits if stop else None
  reference = lambda x: _numpy_asl(x, targets, focus_at=focus, **options)
  step = 1e-6
  slope = (reference(logits + step) - reference(logits - step)) / (2 * step)
  loss = lambda x: asymmetric_loss(
    x, targets, stop_focus_gradient=stop, **options
  )
  np.testing.assert_allclose(loss(logits), reference(logits).sum(-1), rtol=1e-5)
  gradient = jax.grad(lambda x: loss(x).sum())(logits)
  np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-6)


def test_asl_without_focus_is_the_summed_cross_entropy():
  logits, targets = _draw()
  loss = asymmetric_loss(
    logits, targets, gamma_negative=0.0, gamma_positive=0.0, margin=0.0
  )
  entropy = optax.sigmoid_binary_cross_entropy(logits, targets)
  np.testing.assert_allclose(loss, entropy.sum(-1), rtol=1e-5)


def test_unknown_targets_are_as_if_dropped():
  logits, targets = _draw()
  holed = targets.copy()
  holed[:, [1, 4]] = np.nan
  kept = np.delete(np.arange(8), [1, 4])
  value, gradient = jax.value_and_grad(
    lambda x: asymmetric_loss(x, holed).sum()
  )(logits)
  expected, slope = jax.value_and_grad(
    lambda x: asymmetric_loss(x, targets[:, kept]).sum()
  )(logits[:, kept])
  np.testing.assert_allclose(value, expected, rtol=1e-5)
  np.testing.assert_allclose(gradient[:, kept], slope, rtol=1e-5)
  np.testing.assert_array_equal(gradient[:, [1, 4]], np.zeros((3, 2)))


def test_example_without_labels_costs_nothing():
  targets = np.full((1, 3), np.nan)
  value, gradient = jax.value_and_grad(
    lambda x: asymmetric_loss(x, targets)[0]
  )(jnp.array([[5.0, -5.0, 0.0]]))
  assert value == 0.0
  np.testing.assert_array_equal(gradient, np.zeros((1, 3)))


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_asl_finite_over_twenty_orders_of_magnitude(target, gamma, margin):
  sizes = 10.0 ** np.arange(-10, 11)
  logits = np.concatenate([-sizes, [0.0], sizes])[None]
  loss = lambda x: asymmetric_loss(
    x,
    np.full_like(logits, target),
    gamma_negative=gamma,
    gamma_positive=gamma,
    margin=margin,
    stop_focus_gradient=False,
  )[0]
  value, gradient = jax.value_and_grad(loss)(logits)
  assert np.isfinite(value)
  assert np.isfinite(gradient).all()


def test_single_label_asl_by_hand():
  """Probabilities .5, .3, .2; true class 0; smoothing gives .9, .05, .05."""
  logits = np.log(np.array([[0.5, 0.3, 0.2]]))
  loss = single_label_asymmetric_loss(
    logits, np.array([0]), gamma_positive=1.0, smoothing=0.15
  )
  expected = -(
    0.9 * 0.5 * np.log(0.5)
    + 0.05 * 0.3**4 * np.log(0.3)
    + 0.05 * 0.2**4 * np.log(0.2)
  )
  np.testing.assert_allclose(loss, [expected], rtol=1e-5)


def test_single_label_asl_finite_at_extremes():
  logits = jnp.array([[1e10, -1e10, 0.0], [-1e10, 1e10, 1e-10]])
  loss = lambda x: single_label_asymmetric_loss(x, jnp.array([0, 0])).sum()
  value, gradient = jax.value_and_grad(loss)(logits)
  assert np.isfinite(value)
  assert np.isfinite(gradient).all()


def test_bfloat16_logits_give_float32_losses():
  logits = jnp.zeros((2, 3), jnp.bfloat16)
  assert asymmetric_loss(logits, jnp.ones((2, 3))).dtype == jnp.float32
