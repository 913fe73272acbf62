"""The nearest known label against a search through all pixels."""

import numpy as np
import pytest

from sginpaint.evaluation.hole_segmentation import nearest_labels


def _distances(labels, hole):
  """{(y, x): [(squared distance, label)] of the pixels that may be copied}."""
  known = [
    (p, label)
    for p, label in np.ndenumerate(labels)
    if label != 255 and not hole[p]
  ]
  return {
    (y, x): sorted(((y - v) ** 2 + (x - u) ** 2, k) for (v, u), k in known)
    for y, x in np.ndindex(labels.shape)
  }


@pytest.mark.parametrize("seed", range(4))
def test_no_labelled_pixel_is_nearer_than_the_one_that_is_copied(seed):
  rng = np.random.default_rng(seed)
  labels = rng.choice([0, 1, 2, 255], (7, 9)).astype(np.int32)
  hole = rng.random((7, 9)) < (0.5, 0.9)[seed % 2]
  found = np.asarray(
    nearest_labels(labels[None], hole[None, ..., None].astype("f4"), 3)
  )[0]
  for place, candidates in _distances(labels, hole).items():
    nearest = {k for d, k in candidates if d == candidates[0][0]}
    assert found[place] in nearest


def test_known_labels_stay():
  labels = np.random.default_rng(0).integers(0, 3, (1, 5, 5))
  found = nearest_labels(labels, np.zeros((1, 5, 5, 1)), 3)
  np.testing.assert_array_equal(found, labels)


def test_what_lies_in_the_hole_is_not_copied():
  labels = np.full((1, 4, 6), 2)
  mask = np.ones((1, 4, 6, 1))
  labels[0, 3, 5], mask[0, 3, 5] = 1, 0
  assert (np.asarray(nearest_labels(labels, mask, 3)) == 1).all()


def test_without_anything_to_copy_it_is_the_first_class():
  labels = np.full((1, 4, 4), 2)
  found = nearest_labels(labels, np.ones((1, 4, 4, 1)), 3)
  assert (np.asarray(found) == 0).all()
