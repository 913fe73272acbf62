"""SCEM against a sort in numpy, one picture at a time."""

import jax
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.systems.sge_net import scem


def maps(seed=0, shape=(4, 6, 8)):
  """(confidence, hole) of pictures without, with and full of holes."""
  generator = np.random.default_rng(seed)
  confidence = generator.uniform(0.2, 1, shape).astype("float32")
  hole = np.zeros(shape, "float32")
  hole[1, 2:5, 1:6] = hole[2] = 1
  hole[3] = generator.uniform(0, 1, shape[1:]) < 0.3
  return confidence, hole


def by_sorting(confidence, hole, unreliable):
  out = np.ones(confidence.shape)
  for values, missing, reliable in zip(confidence, hole, out, strict=True):
    inside = np.sort(values[missing > 0])
    count = int(np.ceil(unreliable * len(inside)))
    if count:
      reliable[(missing > 0) & (values <= inside[count - 1])] = 0
  return out


@pytest.mark.parametrize("unreliable", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_threshold_is_the_percentile_of_the_hole(unreliable):
  confidence, hole = maps()
  got = scem.reliability_of(confidence, hole, unreliable=unreliable)
  np.testing.assert_array_equal(got, by_sorting(confidence, hole, unreliable))
  known = hole == 0
  np.testing.assert_array_equal(np.asarray(got)[known], 1)
  if unreliable == 1:
    np.testing.assert_array_equal(got, 1 - hole)


def test_threshold_is_numpys_percentile():
  confidence, hole = maps()
  got = scem.reliability_of(confidence, hole, unreliable=0.75)
  inside = confidence[1][hole[1] > 0]
  threshold = np.percentile(inside, 75, method="inverted_cdf")
  np.testing.assert_array_equal(
    np.asarray(got)[1][hole[1] > 0], inside > threshold
  )


def test_share_of_the_image_is_the_literal_reading():
  confidence, hole = maps()
  got = scem.reliability_of(confidence, hole, unreliable=0.5, share_of="image")
  everywhere = np.ones_like(hole)
  np.testing.assert_array_equal(got, by_sorting(confidence, everywhere, 0.5))
  assert np.any(np.asarray(got)[hole == 0] == 0)


def test_equal_confidences_are_all_unreliable():
  _, hole = maps()
  got = scem.reliability_of(np.full_like(hole, 0.7), hole, unreliable=0.25)
  np.testing.assert_array_equal(got, 1 - hole)


def test_no_gradient_passes():
  _, hole = maps()
  logits = np.random.default_rng(1).normal(size=(*hole.shape, 3))

  def total(logits):
    confidence = scem.confidence_of(jax.nn.softmax(logits))
    reliable = scem.reliability_of(confidence, hole, unreliable=0.5)
    return (confidence + reliable).sum()

  gradient = jax.grad(total)(logits.astype("float32"))
  np.testing.assert_array_equal(gradient, 0)


def test_unknown_share_is_refused():
  confidence, hole = maps()
  with pytest.raises(UserError, match="share_of=picture: not known"):
    scem.reliability_of(confidence, hole, unreliable=0.5, share_of="picture")
