"""Metrics against hand-computed values and scikit-image."""

import jax
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sginpaint.evaluation import metrics
from sginpaint.evaluation.metrics import Mean


def _pictures(seed: int = 0, shape=(3, 24, 30, 3)):
  rng = np.random.default_rng(seed)
  a = rng.integers(0, 256, shape).astype(np.uint8)
  noise = rng.integers(-40, 41, shape)
  b = np.clip(a.astype(int) + noise, 0, 255).astype(np.uint8)
  return a, b


class TestPercent:
  def test_whole_picture_in_the_unit_range(self):
    a, b = _pictures()
    difference = a / 255.0 - b / 255.0
    np.testing.assert_allclose(
      metrics.l1_percent(a, b),
      100 * np.abs(difference).mean((1, 2, 3)),
      rtol=1e-5,
    )
    np.testing.assert_allclose(
      metrics.l2_percent(a, b), 100 * (difference**2).mean((1, 2, 3)), rtol=1e-5
    )


class TestSkimage:
  def test_psnr(self):
    a, b = _pictures()
    expected = [
      peak_signal_noise_ratio(x, y, data_range=255)
      for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(metrics.psnr(a, b), expected, atol=1e-4)

  @pytest.mark.parametrize("sample", [False, True])
  @pytest.mark.parametrize(
    ("ours", "theirs"),
    [
      ({"window": "gaussian"}, {"gaussian_weights": True, "sigma": 1.5}),
      ({"window": "uniform", "size": 11}, {"win_size": 11}),
      ({"window": "uniform", "size": 7}, {"win_size": 7}),
    ],
  )
  def test_ssim(self, ours, theirs, sample):
    a, b = _pictures()
    expected = [
      structural_similarity(
        x, y, data_range=255, channel_axis=-1, use_sample_covariance=sample,
        **theirs,
      )
      for x, y in zip(a, b, strict=True)
    ]  # fmt: skip
    result = jax.jit(
      lambda a, b: metrics.ssim(a, b, sample_covariance=sample, **ours)
    )(a, b)
    np.testing.assert_allclose(result, expected, atol=1e-5)

  def test_ssim_of_nearly_flat_pictures_keeps_its_digits(self):
    # Variances below one grey level are differences of numbers near 65000.
    a = np.full((1, 32, 32, 3), 254.0, np.float32)
    b = a + np.random.default_rng(0).normal(0, 0.3, a.shape)
    b = b.astype(np.float32)
    expected = structural_similarity(
      a[0].astype(np.float64), b[0].astype(np.float64), data_range=255,
      channel_axis=-1, gaussian_weights=True, use_sample_covariance=False,
    )  # fmt: skip
    np.testing.assert_allclose(metrics.ssim(a, b), [expected], atol=1e-5)

  @pytest.mark.parametrize("size", [10, 17])
  def test_ssim_refuses_a_window_that_cannot_be_laid(self, size):
    a = np.zeros((1, 16, 16, 3))
    with pytest.raises(ValueError, match="odd and fit into 16x16"):
      metrics.ssim(a, a, size=size)


class TestHole:
  def test_hole_psnr_by_hand(self):
    truth = np.zeros((1, 2, 2, 3), np.uint8)
    fill = truth.copy()
    fill[0, 0, 0] = [10, 0, 0]
    fill[0, 0, 1] = [0, 20, 0]
    fill[0, 1, 1] = 255  # outside the hole: must not count
    mask = np.array([[1, 1], [0, 0]], np.float32).reshape(1, 2, 2, 1)
    expected = 10 * np.log10(255**2 / ((100 + 400) / 6))
    np.testing.assert_allclose(
      metrics.hole_psnr(truth, fill, mask), [expected], rtol=1e-6
    )
    np.testing.assert_allclose(
      metrics.hole_mae(truth, fill, mask), [30 / 6 / 255], rtol=1e-6
    )

  def test_without_a_hole_there_is_no_score(self):
    a, b = _pictures()
    mask = np.zeros((3, 24, 30, 1))
    mask[1] = 1
    for metric in (metrics.hole_psnr, metrics.hole_mae):
      missing = np.isnan(metric(a, b, mask))
      assert missing.tolist() == [True, False, True]

  def test_hole_of_everything_equals_the_whole_picture(self):
    a, b = _pictures()
    mask = np.ones((3, 24, 30, 1))
    np.testing.assert_allclose(
      metrics.hole_psnr(a, b, mask), metrics.psnr(a, b), rtol=1e-6
    )
    np.testing.assert_allclose(
      metrics.hole_mae(a, b, mask), metrics.mae(a, b), rtol=1e-6
    )


class TestBand:
  def test_is_the_hole_near_known_pixels_by_a_slow_loop(self):
    rng = np.random.default_rng(1)
    mask = (rng.random((2, 26, 31, 1)) > 0.02).astype(np.float32)
    mask[1, :, 14:] = 0
    found = np.asarray(metrics.band(mask))[..., 0]
    for picture, hole in zip(found, mask[..., 0] > 0.5, strict=True):
      known = np.argwhere(~hole)
      for y, x in np.ndindex(hole.shape):
        near = (np.abs(known - (y, x)).max(axis=1) <= metrics.BAND).any()
        assert picture[y, x] == (hole[y, x] and near)

  def test_error_counts_in_the_band_only(self):
    truth = np.zeros((1, 32, 32, 3), np.uint8)
    mask = np.zeros((1, 32, 32, 1), np.float32)
    mask[:, 4:28, 4:28] = 1
    fill = truth.copy()
    fill[:, 4, 4:28] = 51  # one row of the band's 24 * 24 - 16 * 16 pixels
    fill[:, 14:18, 14:18] = 255  # far inside
    expected = 24 * 0.2 / (24**2 - 16**2)
    found = metrics.band_mae(truth, fill, mask)
    np.testing.assert_allclose(found, [expected], rtol=1e-5)
    nothing = [np.zeros_like(mask), np.ones_like(mask)]
    for other in nothing:
      assert np.isnan(metrics.band_mae(truth, fill, other)).all()


class TestCap:
  def test_identical_pictures_are_capped_and_seen(self):
    a, b = _pictures()
    b[1] = a[1]
    values = metrics.psnr(a, b)
    assert values[1] == 100.0
    assert metrics.is_capped(values).tolist() == [False, True, False]


class TestError:
  def test_opposite_errors_cancel_in_l1_spl_only(self):
    a = np.full((1, 4, 4, 3), 100, np.uint8)
    b = a.copy()
    b[..., 0] += 51
    b[..., 1] -= 51
    np.testing.assert_allclose(metrics.mae(a, b), [0.2 * 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(metrics.l1_spl(a, b), [0.0], atol=1e-7)


class TestMean:
  def test_merged_ragged_batches_equal_the_mean_of_all(self):
    values = np.random.default_rng(0).normal(size=10)
    padded = np.append(values[8:], [1e9, 1e9])
    total = Mean.of(values[:4]).merge(Mean.of(values[4:8]))
    total = total.merge(Mean.of(padded, np.array([True, True, False, False])))
    assert total.compute() == pytest.approx(values.mean())
    assert total.count == 10

  def test_left_out_nan_does_not_spread(self):
    values = np.array([1.0, np.nan, 3.0])
    assert Mean.of(values, np.array([True, False, True])).compute() == 2.0
    assert np.isnan(Mean.of(values).compute())

  def test_adds_up_inside_jit(self):
    mean = jax.jit(lambda x: Mean.of(x).merge(Mean.of(2 * x)))(np.arange(3.0))
    assert mean.compute() == pytest.approx(1.5)

  def test_shapes_must_match(self):
    with pytest.raises(ValueError, match="one shape"):
      Mean.of(np.zeros(3), np.ones((3, 1), bool))
