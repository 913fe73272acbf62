"""Region norms against the definition written out in loops."""

import jax
import numpy as np
import pytest

from sginpaint.systems.spl import region_norm as rn


def by_loops(x, mask, epsilon=1e-5):
  """Fill the outside with the region's mean, instance norm, scale, add."""
  x, mask = x.astype("float64"), mask.astype("float64")
  out = np.zeros_like(x)
  batch, height, width, channels = x.shape
  for b in range(batch):
    for region in (mask[b, :, :, 0], 1 - mask[b, :, :, 0]):
      area = region.sum() or 1.0
      for c in range(channels):
        part = x[b, :, :, c] * region
        mean = part.sum() / area
        filled = part + (1 - region) * mean
        normal = (filled - filled.mean()) / np.sqrt(filled.var() + epsilon)
        out[b, :, :, c] += normal * np.sqrt(area / (height * width))
  return out


def masks():
  generator = np.random.default_rng(1)
  mask = np.zeros((4, 8, 10, 1), "float32")
  mask[0, 2:6, 3:9] = 1
  mask[2] = 1
  mask[3] = generator.uniform(0, 1, mask[3].shape)
  return mask


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_region_norm_matches_loops(offset):
  x = np.random.default_rng(0).normal(offset, 1.5, (4, 8, 10, 3))
  x = x.astype("float32")
  got = rn.region_norm(x, masks())
  np.testing.assert_allclose(got, by_loops(x, masks()), atol=5e-5)


def test_no_gradient_reaches_the_mask():
  x = np.random.default_rng(0).normal(size=(4, 8, 10, 3)).astype("float32")
  gradient = jax.grad(lambda m: rn.region_norm(x, m).sum())(masks())
  np.testing.assert_array_equal(gradient, 0)


def test_basic_adds_both_shifts_everywhere():
  x = np.random.default_rng(0).normal(size=(4, 8, 10, 2)).astype("float32")
  params = {
    "hole_gamma": np.array([0.5, 0.0], "float32"),
    "hole_beta": np.array([1.0, 2.0], "float32"),
    "known_gamma": np.array([0.0, -0.5], "float32"),
    "known_beta": np.array([10.0, 20.0], "float32"),
  }
  # Twice the size: the module takes every second pixel of the mask.
  doubled = np.repeat(np.repeat(masks(), 2, 1), 2, 2)
  got = rn.RegionNormBasic().apply({"params": params}, x, doubled)
  factor = masks() * [1.5, 1.0] + (1 - masks()) * [1.0, 0.5]
  expected = by_loops(x, masks()) * factor + [11.0, 22.0]
  np.testing.assert_allclose(got, expected, atol=5e-5)


def test_basic_is_plain_region_norm_at_init():
  x = np.random.default_rng(0).normal(size=(4, 8, 10, 2)).astype("float32")
  module = rn.RegionNormBasic()
  got, _ = module.init_with_output(jax.random.key(0), x, masks())
  np.testing.assert_allclose(got, by_loops(x, masks()), atol=5e-5)


def test_learned_splits_at_the_threshold():
  x = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
  zeros = np.zeros((7, 7, 1, 1), "float32")
  importance = np.zeros((7, 7, 2, 1), "float32")
  importance[3, 3, 1] = 1  # the map is the sigmoid of the channel maximum
  affine = {"kernel": zeros, "bias": np.array([0.25], "float32")}
  params = {
    "importance": {"kernel": importance},
    "gamma": affine,
    "beta": affine,
  }
  got = rn.RegionNormLearned().apply({"params": {"affine": params}}, x)
  largest = x.max(-1, keepdims=True)
  region = (1 / (1 + np.exp(-largest)) >= 0.8).astype("float32")
  assert 0 < region.mean() < 1
  expected = by_loops(x, region) * 1.25 + 0.25
  np.testing.assert_allclose(got, expected, atol=5e-5)
