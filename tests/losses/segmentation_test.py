"""Tests of sginpaint.losses.segmentation against loops over the pixels."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.losses import segmentation

K = 3


def drawn(seed=0, shape=(3, 4, 5)):
  """Logits and labels; a third ignored, and all of the last picture."""
  rng = np.random.default_rng(seed)
  logits = rng.normal(0, 2, (*shape, K)).astype(np.float32)
  labels = rng.integers(0, K, shape)
  labels[rng.random(shape) < 1 / 3] = 255
  labels[-1] = 255
  return logits, labels.astype(np.int32)


def losses_of(logits, labels):
  """-log softmax of every labelled pixel of one picture, by loops."""
  values = []
  for x, label in zip(logits.reshape(-1, K), labels.ravel(), strict=True):
    if label != 255:
      p = np.exp(x.astype(np.float64)) / np.exp(x.astype(np.float64)).sum()
      values.append(-np.log(p[label]))
  return values


def test_cross_entropy_matches_loop():
  logits, labels = drawn()
  expected = [
    np.mean(losses_of(*pair) or [0.0])
    for pair in zip(logits, labels, strict=True)
  ]
  assert expected[-1] == 0.0
  got = jax.jit(segmentation.cross_entropy)(logits, labels)
  np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_cross_entropy_takes_another_ignored_label():
  logits, labels = drawn()
  changed = np.where(labels == 255, -7, labels)
  np.testing.assert_array_equal(
    segmentation.cross_entropy(logits, changed, ignore=-7),
    segmentation.cross_entropy(logits, labels),
  )


def mined(losses, threshold, min_kept):
  """Mean of what a person would pick out of a sorted list."""
  ordered = sorted(losses, reverse=True)
  hard = [x for x in ordered if np.exp(-x) < threshold]
  chosen = hard if len(hard) > min_kept else ordered[:min_kept]
  return np.mean(chosen) if chosen else 0.0


@pytest.mark.parametrize("threshold", [0.05, 0.7, 0.999])
@pytest.mark.parametrize("min_kept", [1, 6, 1000])
def test_ohem_matches_sorted_list(threshold, min_kept):
  logits, labels = drawn()
  expected = [
    mined(losses_of(*pair), threshold, min_kept)
    for pair in zip(logits, labels, strict=True)
  ]
  got = segmentation.ohem_cross_entropy(
    logits, labels, threshold=threshold, min_kept=min_kept
  )
  np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_ohem_keeps_a_sixteenth_unless_told():
  logits, labels = drawn(shape=(2, 8, 8))
  # No pixel is hard, so that the number alone decides.
  loss = functools.partial(segmentation.ohem_cross_entropy, threshold=1e-9)
  got = loss(logits, labels)
  four, five = (loss(logits, labels, min_kept=n) for n in (4, 5))
  assert got[0] == four[0] != five[0]


def test_ohem_pulls_on_the_chosen_pixels_only():
  logits = np.zeros((1, 1, 4, K), np.float32)
  # Probabilities of class 0: 0.98 0.33 0.91 and ignored.
  logits[0, 0, :, 0] = 4.5, 0.0, 3.0, 0.0
  labels = np.array([[[0, 0, 0, 255]]])

  def moved(min_kept):
    loss = functools.partial(segmentation.ohem_cross_entropy, min_kept=min_kept)
    gradient = jax.jit(jax.grad(lambda x: loss(x, labels)[0]))(logits)
    return np.any(gradient[0, 0] != 0, axis=-1).tolist()

  assert moved(1) == [False, True, False, False]
  assert moved(2) == [False, True, True, False]
  assert moved(4) == [True, True, True, False]


def test_ohem_pulls_alike_on_pixels_of_one_loss():
  logits, labels = np.zeros((1, 1, 4, K)), np.zeros((1, 1, 4), int)
  loss = functools.partial(segmentation.ohem_cross_entropy, threshold=1e-9)
  value, pull = jax.value_and_grad(lambda x: loss(x, labels, min_kept=3)[0])(
    jnp.asarray(logits, jnp.float32)
  )
  np.testing.assert_allclose(value, np.log(K), rtol=1e-6)
  # Four share what three had: each pulls with a quarter of 1/K - 1.
  np.testing.assert_allclose(pull[0, 0, :, 0], (1 / K - 1) / 4, rtol=1e-5)


LOSSES = [segmentation.cross_entropy, segmentation.ohem_cross_entropy]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_picture_is_judged_by_itself(loss):
  logits, labels = drawn()
  whole = loss(logits, labels)
  alone = [loss(logits[i : i + 1], labels[i : i + 1])[0] for i in range(3)]
  np.testing.assert_allclose(whole, alone, rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4, 1e30])
def test_gradient_is_finite_and_zero_where_ignored(loss, size):
  logits, labels = drawn()
  sum_of = jax.jit(lambda x: jnp.sum(loss(x, labels)))
  gradient = jax.grad(sum_of)(size * logits)
  assert np.isfinite(gradient).all()
  assert np.any(gradient != 0)
  assert not np.any(np.asarray(gradient)[labels == 255])


@pytest.mark.parametrize("loss", LOSSES)
def test_half_precision_is_summed_in_float32(loss):
  logits, labels = drawn(shape=(2, 64, 64))
  half = jnp.asarray(logits, jnp.bfloat16)
  got = loss(half, labels)
  assert got.dtype == jnp.float32
  np.testing.assert_array_equal(got, loss(half.astype(jnp.float32), labels))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("wrong", [K, 254, -1])
def test_label_that_is_no_class_is_not_passed_over(loss, wrong):
  logits, labels = drawn()
  labels[0, 1, 2] = wrong
  got = np.asarray(loss(logits, labels))
  assert np.isnan(got[0])
  assert np.isfinite(got[1:]).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_labels_of_another_size_are_refused(loss):
  logits, labels = drawn()
  with pytest.raises(AssertionError):
    loss(logits, labels[:, :2])
