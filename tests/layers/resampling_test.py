"""Resampling against loops and hand-computed values."""

import jax
import numpy as np
import pytest

from sginpaint.layers import resampling


def ramp(*shape):
  return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def test_pixel_shuffle_moves_each_channel_to_its_place():
  x = ramp(2, 3, 4, 8)
  got = resampling.pixel_shuffle(x, 2)
  assert got.shape == (2, 6, 8, 2)
  for i in range(2):
    for j in range(2):
      for c in range(2):
        np.testing.assert_array_equal(
          got[:, i::2, j::2, c], x[..., c * 4 + i * 2 + j]
        )


def test_pixel_shuffle_refuses_channels_that_do_not_divide():
  with pytest.raises(AssertionError):
    resampling.pixel_shuffle(ramp(1, 2, 2, 6), 2)


def test_nearest_takes_the_floor_not_the_centre():
  np.testing.assert_array_equal(
    resampling.nearest_indices(64, 16), np.arange(0, 64, 4)
  )
  # float32 product: 70 * (64 / 82) is just below the integer rule's value.
  assert resampling.nearest_indices(64, 82).tolist() == [
    int(np.floor(np.float32(i) * np.float32(64 / 82))) for i in range(82)
  ]


@pytest.mark.parametrize("size", [(4, 3), (8, 12), (5, 9), (16, 6)])
def test_resize_nearest_matches_loops(size):
  x = ramp(1, 8, 6, 2)
  got = resampling.resize_nearest(x, size)
  for i in range(size[0]):
    for j in range(size[1]):
      source = x[0, i * 8 // size[0], j * 6 // size[1]]
      np.testing.assert_array_equal(got[0, i, j], source)


def test_upsample_nearest_is_resize_nearest():
  x = ramp(2, 3, 4, 5)
  np.testing.assert_array_equal(
    resampling.upsample_nearest(x, 3), resampling.resize_nearest(x, (9, 12))
  )


def test_reflect_pad_leaves_the_edge_pixel_out():
  got = resampling.reflect_pad(ramp(1, 3, 3, 1), 1)
  np.testing.assert_array_equal(
    got[0, :, :, 0],
    [[4, 3, 4, 5, 4], [1, 0, 1, 2, 1], [4, 3, 4, 5, 4], [7, 6, 7, 8, 7]]
    + [[4, 3, 4, 5, 4]],
  )


@pytest.mark.parametrize(
  ("options", "expected"),
  [
    ({}, [0.0, 0.5, 1.5, 2.5, 3.5, 4.0]),
    ({"align_corners": True}, [0.0, 0.8, 1.6, 2.4, 3.2, 4.0]),
  ],
)
def test_bilinear_row_by_hand(options, expected):
  x = np.array([0, 2, 4], "float32").reshape(1, 1, 3, 1)
  got = resampling.resize_bilinear(x, (1, 6), **options)
  np.testing.assert_allclose(got[0, 0, :, 0], expected, atol=1e-6)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(3, 5), (14, 20)])
def test_bilinear_matches_jax_image(antialias, size):
  x = np.random.default_rng(0).normal(size=(2, 7, 10, 3)).astype("float32")
  got = resampling.resize_bilinear(x, size, antialias=antialias)
  expected = jax.image.resize(x, (2, *size, 3), "bilinear", antialias=antialias)
  np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_cells_that_touch_the_hole_are_missing(factor):
  generator = np.random.default_rng(0)
  mask = (generator.random((2, 8, 12, 1)) < 0.1).astype("float32")
  expected = np.zeros((2, 8 // factor, 12 // factor, 1))
  for b, y, x, _ in np.argwhere(mask):
    expected[b, y // factor, x // factor] = 1
  assert 0 < expected.mean() < 1
  np.testing.assert_array_equal(resampling.hole_at(mask, factor), expected)
