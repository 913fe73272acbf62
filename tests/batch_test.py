"""Ranges and composites of a batch."""

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import batch

LEVELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)


def test_every_level_survives_the_round_trip():
  image = batch.normalize_image(LEVELS)
  assert (image.dtype, image.min(), image.max()) == (jnp.float32, -1, 1)
  np.testing.assert_array_equal(batch.to_uint8(image), LEVELS)


def test_floats_are_taken_as_normalised():
  image = jnp.full((1, 2, 2, 3), 0.25, jnp.bfloat16)
  assert batch.normalize_image(image) is image


def test_uint8_is_rounded_and_clipped():
  levels = np.array([-9.0, 0.49, 0.51, 127.4, 254.6, 300.0])
  got = batch.to_uint8((levels / 127.5 - 1).astype(np.float32))
  assert got.tolist() == [0, 0, 1, 127, 255, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_composite_keeps_known_pixels_bit_for_bit(dtype):
  image = LEVELS.astype(dtype)
  mask = np.zeros((1, 16, 16, 1), np.float32)
  mask[:, 3:7, 2:9] = 1
  got = batch.composite(255.0 - image.astype(np.float32), image, mask)
  assert got.dtype == dtype
  np.testing.assert_array_equal(got, np.where(mask > 0, 255 - image, image))


def test_ignored_pixels_are_zeros_in_a_one_hot_map():
  labels = np.array([[[0, 2, batch.IGNORE]]], np.int32)
  got = batch.one_hot_segmentation(labels, 3)
  assert got.tolist() == [[[[1, 0, 0], [0, 0, 1], [0, 0, 0]]]]
