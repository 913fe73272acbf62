"""Distances between sets of features against formulas and scikit-learn."""

import numpy as np
import pytest

from sginpaint.evaluation import distributions
from sginpaint.evaluation.distributions import (
  Moments,
  frechet_distance,
  kernel_distance,
  separability,
  separating_plane,
)


def _normal(n, d, seed=0, shift=0.0):
  return np.random.default_rng(seed).normal(shift, 1.0, size=(n, d))


def _pairs(n, d, shift):
  """Real rows and fakes that were made from them."""
  rng = np.random.default_rng(0)
  real = rng.normal(size=(n, d))
  fake = 0.6 * real + 0.8 * rng.normal(size=(n, d)) + shift / np.sqrt(d)
  return real, fake


class TestMoments:
  @pytest.mark.parametrize("cut", [1, 17, 49])
  def test_merged_parts_are_the_whole(self, cut):
    rows = _normal(50, 5) * 3 + 1000
    merged = Moments.of(rows[:cut]).merge(Moments.of(rows[cut:]))
    assert merged.count == 50
    np.testing.assert_allclose(merged.mean, rows.mean(0), rtol=1e-13)
    np.testing.assert_allclose(
      merged.covariance, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-9
    )

  def test_one_row_has_no_covariance(self):
    with pytest.raises(ValueError, match="two rows"):
      _ = Moments.of(np.ones((1, 3))).covariance


class TestFrechetDistance:
  def test_independent_axes_have_a_closed_form(self):
    mean_a, mean_b = np.array([1.0, 2.0, 3.0]), np.array([0.0, 4.0, 3.5])
    sd_a, sd_b = np.array([1.0, 2.0, 0.0]), np.array([3.0, 0.5, 2.0])
    a, b = (
      Moments(11, mean, np.diag(sd**2) * 10)
      for mean, sd in ((mean_a, sd_a), (mean_b, sd_b))
    )
    expected = ((mean_a - mean_b) ** 2 + (sd_a - sd_b) ** 2).sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)

  def test_moving_a_set_adds_the_square_of_the_step(self):
    rows = _normal(30, 4)
    moved = rows + [3.0, 0.0, 4.0, 0.0]
    distance = frechet_distance(Moments.of(rows), Moments.of(moved))
    assert distance == pytest.approx(25.0, rel=1e-9)

  def test_turning_both_sets_changes_nothing(self):
    a, b = _normal(9, 12), _normal(9, 12, seed=1, shift=0.5) * 2
    turn = np.linalg.qr(_normal(12, 12, seed=2))[0]
    plain = frechet_distance(Moments.of(a), Moments.of(b))
    turned = frechet_distance(Moments.of(a @ turn), Moments.of(b @ turn))
    assert turned == pytest.approx(plain, rel=1e-6)
    assert plain > 1

  def test_float32_features_far_from_zero_keep_their_precision(self):
    a = (_normal(400, 6) * 0.01 + 100).astype(np.float32)
    b = (_normal(400, 6, seed=1) * 0.01 + 100).astype(np.float32)
    exact = frechet_distance(
      *(Moments.of(x.astype(np.float64) - 100) for x in (a, b))
    )
    distance = frechet_distance(Moments.of(a), Moments.of(b))
    assert distance == pytest.approx(exact, rel=1e-4)


def _loop_kernel_distance(a, b):
  """The unbiased estimate, one pair of rows at a time."""

  def k(x, y):
    return (np.dot(x, y) / len(x) + 1) ** 3

  def same(rows):
    n = len(rows)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    return sum(k(rows[i], rows[j]) for i, j in pairs) / len(pairs)

  across = np.mean([k(x, y) for x in a for y in b])
  return same(a) + same(b) - 2 * across


class TestKernelDistance:
  def test_matches_loop_reference(self):
    a, b = _normal(7, 5), _normal(7, 5, seed=1, shift=0.3)
    expected = _loop_kernel_distance(a, b)
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-10)

  def test_subsets_are_seeded_and_average_to_the_whole(self, monkeypatch):
    a, b = _normal(60, 4), _normal(60, 4, seed=1, shift=0.5)
    whole = kernel_distance(a, b)
    monkeypatch.setattr(distributions, "_SUBSET_SIZE", 20)
    first, again, other = (kernel_distance(a, b, seed=s) for s in (0, 0, 1))
    assert first == again != other
    assert first == pytest.approx(whole, rel=0.15)
    assert other == pytest.approx(whole, rel=0.15)

  def test_is_unbiased(self):
    distances = [
      kernel_distance(
        _normal(10, 3, seed=2 * i), _normal(10, 3, seed=2 * i + 1)
      )
      for i in range(400)
    ]
    error = np.std(distances) / np.sqrt(len(distances))
    assert abs(np.mean(distances)) < 3 * error
    assert min(distances) < 0

  def test_one_row_is_refused(self):
    with pytest.raises(ValueError, match="two rows"):
      kernel_distance(np.ones((1, 3)), np.ones((5, 3)))


# LinearSVC(dual=False, tol=1e-12) of scikit-learn 1.9.1 for `_pairs`.
_SKLEARN_40 = [
  -0.18156148, -0.20412572, -0.02432481, -0.07703865, -0.00500846, -0.04687046,
  0.11180613,
]  # fmt: skip
_SKLEARN_12 = {0: 0.31586217, 9: -0.84544288, 24: -1.1539292, 30: 0.3022203}


class TestSeparability:
  def test_plane_and_scores_are_those_of_scikit_learn(self):
    real, fake = _pairs(40, 6, 0.5)
    rows, signs = np.concatenate([real, fake]), np.repeat([1.0, -1.0], 40)
    plane = separating_plane(rows, signs)
    np.testing.assert_allclose(plane, _SKLEARN_40, atol=1e-7)
    assert separability(real, fake) == pytest.approx((0.35, 0.25))

  def test_plane_with_fewer_rows_than_features(self):
    real, fake = _pairs(12, 30, 0.3)
    rows, signs = np.concatenate([real, fake]), np.repeat([1.0, -1.0], 12)
    plane = separating_plane(rows, signs)
    for index, weight in _SKLEARN_12.items():
      assert plane[index] == pytest.approx(weight, abs=1e-6)
    assert separability(real, fake) == (0.0, 0.0)

  def test_rows_far_apart_in_scale_converge(self):
    real, fake = _pairs(200, 20, 2.0)
    scale = np.logspace(-2, 3, 20)
    rows = np.concatenate([real, fake]) * scale
    signs = np.repeat([1.0, -1.0], 200)
    w = separating_plane(rows, signs)
    x = np.concatenate([rows, np.ones((400, 1))], 1) * signs[:, None]
    gradient = w - 2 * x.T @ np.maximum(0, 1 - x @ w)
    at_zero = -2 * x.T @ np.ones(400)
    assert np.linalg.norm(gradient) < 1e-8 * np.linalg.norm(at_zero)

  def test_the_same_pictures_cannot_be_told_apart(self):
    real = _normal(20, 3)
    assert separability(real, real) == (0.5, 0.0)
