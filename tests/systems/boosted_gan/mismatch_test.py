"""Mismatched pairs never match, whatever the batch."""

import jax
import numpy as np
import pytest

from sginpaint.systems.boosted_gan.mismatch import (
  mismatched_attributes,
  mismatched_maps,
)

KEYS = jax.random.split(jax.random.key(3), 40)


# One function each, so that equal shapes are compiled once.
COMPILED = {
  function: jax.jit(jax.vmap(function, (0, None)))
  for function in (mismatched_attributes, mismatched_maps)
}


def over_keys(function, x):
  return np.asarray(COMPILED[function](KEYS, x))


def soft(shape, seed=0):
  return np.random.default_rng(seed).uniform(0.02, 0.98, shape).astype("f4")


@pytest.mark.parametrize(
  "attributes",
  [
    soft((1, 5)),
    np.repeat(soft((1, 5)), 4, axis=0),
    np.full((4, 5), 0.5, "f4"),
    np.full((4, 5), np.nextafter(np.float32(0.5), np.float32(0))),
    np.zeros((4, 5), "f4"),
    np.ones((2, 1), "f4"),
  ],
  ids=["one", "equal", "halves", "below_half", "zeros", "single"],
)
def test_equal_attributes_get_one_to_three_opposites(attributes):
  found = over_keys(mismatched_attributes, attributes)
  changed = ((found > 0.5) != (attributes > 0.5)).sum(-1)
  assert set(changed.ravel()) == set(range(1, min(3, attributes.shape[1]) + 1))
  assert found.min() >= 0
  assert found.max() <= 1


def test_different_attributes_are_those_of_another_picture():
  rounded = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
  attributes = np.abs(rounded - 0.3 * soft((4, 3), 1)).astype("f4")
  shifts = set()
  for found in over_keys(mismatched_attributes, attributes):
    shift = next(
      s for s in range(4) if np.array_equal(np.roll(attributes, s, 0), found)
    )
    shifts.add(shift)
  assert shifts == {1, 2, 3}


def labels_to_maps(labels, classes=4):
  """Soft maps [B, H, W, K] whose largest channel is the label."""
  noise = soft((*labels.shape, classes), 2)
  return (noise + np.eye(classes)[labels]).astype("f4") / (noise.sum() + 1)


CHECKS = np.indices((2, 8, 8)).sum(0)[0] % 4


@pytest.mark.parametrize(
  "labels",
  [CHECKS[None], np.stack([CHECKS] * 2), np.full((2, 8, 8), 2)],
  ids=["one", "equal", "one_class"],
)
def test_equal_maps_have_their_classes_exchanged(labels):
  maps = labels_to_maps(labels)
  found = over_keys(mismatched_maps, maps)
  assert (found.argmax(-1) != labels).all()
  sorted_by_pixel = np.broadcast_to(np.sort(maps, -1), found.shape)
  np.testing.assert_array_equal(np.sort(found, -1), sorted_by_pixel)
  for example, own in zip(found[0], labels, strict=True):
    pairs = set(zip(own.ravel(), example.argmax(-1).ravel(), strict=True))
    assert len(pairs) == len(np.unique(own))


@pytest.mark.parametrize(("changed", "exchanged"), [(3, True), (4, False)])
def test_over_95_percent_agreement_counts_as_equal(changed, exchanged):
  labels = np.stack([CHECKS, CHECKS])
  labels[1].ravel()[:changed] = (labels[1].ravel()[:changed] + 1) % 4
  maps = labels_to_maps(labels)
  for found in over_keys(mismatched_maps, maps):
    assert np.array_equal(found, maps[::-1]) != exchanged
    assert ((found.argmax(-1) == labels).mean((1, 2)) <= 0.95).all()


def test_two_classes_suffice():
  maps = labels_to_maps(CHECKS[None] % 2, classes=2)
  found = over_keys(mismatched_maps, maps)
  np.testing.assert_array_equal(found, [maps[..., ::-1]] * len(KEYS))
