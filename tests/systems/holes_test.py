"""Tests of sginpaint.systems.holes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.systems.holes import grey_holes


def _pictures(count):
  mask = jnp.zeros((count, 8, 8, 1)).at[:, 2:6, 2:6].set(1.0)
  return jnp.full((count, 8, 8, 3), 0.7), mask


def test_training_greys_about_half_of_the_pictures_and_whole_holes():
  image, mask = _pictures(64)
  draws = []
  for seed in (0, 1):
    seen = np.asarray(grey_holes(jax.random.key(seed), image, mask, train=True))
    greyed = seen[:, 3, 3, 0] == 0.0
    expected = np.where(
      greyed[:, None, None, None] & (np.asarray(mask) > 0.5), 0.0, image
    )
    np.testing.assert_array_equal(seen, expected)
    draws.append(greyed)
  assert 16 < draws[0].sum() < 48
  assert (draws[0] != draws[1]).any()


def test_serving_greys_every_hole():
  image, mask = _pictures(2)
  seen = grey_holes(None, image, mask, train=False)
  np.testing.assert_array_equal(seen, np.where(mask > 0.5, 0.0, image))
  assert grey_holes(None, image, None, train=False) is image


@pytest.mark.parametrize("missing", ["mask", "key"])
def test_training_needs_mask_and_key(missing):
  image, mask = _pictures(2)
  given = {"mask": mask, "key": jax.random.key(0)} | {missing: None}
  with pytest.raises(ValueError, match=r"batch\.mask and a key"):
    grey_holes(given["key"], image, given["mask"], train=True)
