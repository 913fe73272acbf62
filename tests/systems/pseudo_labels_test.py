"""Labels that a network's own confident predictions make."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.systems.classifier.objective import Classifier
from sginpaint.systems.pseudo_labels import (
  NAME,
  confident_attributes,
  confident_classes,
)
from sginpaint.systems.segmenter.objective import Segmenter


def logit(probability):
  return math.log(probability / (1 - probability))


def test_attributes_by_hand():
  shares = [[0.95, 0.91, 0.89], [0.5, 0.11, 0.09]]
  logits = jnp.array([list(map(logit, row)) for row in shares])
  found = confident_attributes(logits, confidence=0.9)
  np.testing.assert_array_equal(
    found, [[1, 1, np.nan], [np.nan, np.nan, 0]], strict=False
  )
  np.testing.assert_array_equal(
    confident_attributes(logits, confidence=0.5), [[1, 1, 1], [np.nan, 0, 0]]
  )


def test_classes_as_loops_do():
  rng = np.random.default_rng(0)
  logits = 3 * rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
  expected = np.full((2, 4, 5), 255)
  for place in np.ndindex(2, 4, 5):
    odds = np.exp(logits[place].astype(np.float64))
    if odds.max() / odds.sum() > 0.9:
      expected[place] = odds.argmax()
  found = confident_classes(jnp.asarray(logits), confidence=0.9)
  assert found.dtype == jnp.int32
  assert set(np.unique(expected)) == {0, 1, 2, 255}
  np.testing.assert_array_equal(found, expected)


class Network:
  """Logits that are a function of each picture's top left pixel."""

  def __init__(self, name, of_pixel):
    self.name, self.of_pixel, self.seen = name, of_pixel, []

  def apply(self, variables, image, *, train, rngs=None):
    assert not train
    self.seen.append(image)
    return {self.name: self.of_pixel(image)}


def batch_of(levels, **fields):
  image = np.broadcast_to(np.reshape(levels, (-1, 1, 1, 1)), (3, 4, 4, 3))
  hole = np.zeros((3, 4, 4, 1)).astype(np.float32)
  hole[:, :2] = 1
  return Batch(image=jnp.asarray(image, jnp.float32), mask=hole, **fields)


def terms_of(system, batch, outputs):
  return system.generator_terms(
    None, {NAME: {"params": {}}}, batch, outputs, jax.random.key(0), train=True
  )[0]


def test_classifier_learns_what_the_copy_is_sure_of_in_whole_pictures():
  copy = Network("logits", lambda x: 10 * x[:, 0, 0, :2] * jnp.array([1, -1]))
  system = Classifier(
    generator=None,
    frozen={NAME: copy},
    **{"gamma_negative": 0.0, "gamma_positive": 0.0, "margin": 0.0},
    holes=True,
    pseudo_labels="runs/first",
  )
  batch = batch_of([0.8, 0.01, -0.8], attributes=jnp.ones((3, 2)))
  logits = jnp.array([[0.3, -2.0], [5.0, 5.0], [1.0, 0.4]])
  found = terms_of(system, batch, {"attribute_logits": logits})
  entropy = optax.sigmoid_binary_cross_entropy(
    logits, jnp.array([[1.0, 0], [0, 0], [0, 1]])
  ).sum(-1)
  np.testing.assert_allclose(
    found["classification"], entropy * np.array([1, 0, 1]), rtol=1e-5
  )
  np.testing.assert_array_equal(copy.seen[0], batch.image)
  unlabelled = terms_of(
    system, batch.replace(attributes=None), {"attribute_logits": logits}
  )
  np.testing.assert_array_equal(
    found["classification"], unlabelled["classification"]
  )


def test_segmenter_learns_what_the_copy_is_sure_of_in_whole_pictures():
  copy = Network("segmentation_logits", lambda x: 10 * x * jnp.arange(3))
  system = Segmenter(
    generator=None,
    frozen={NAME: copy},
    loss="cross_entropy",
    pseudo_labels="runs/first",
  )
  assert not system.learns_from_maps and Segmenter(None).learns_from_maps
  batch = batch_of([0.8, 0.01, -0.8])
  logits = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 4, 3)))
  found = terms_of(system, batch, {"segmentation_logits": logits})
  each = -jax.nn.log_softmax(logits).mean((1, 2))
  expected = [each[0, 2], 0.0, each[2, 0]]  # the second is of no class
  np.testing.assert_allclose(found["segmentation"], expected, rtol=1e-5)
  np.testing.assert_array_equal(copy.seen[0], batch.image)


@pytest.mark.parametrize("confidence", [0.4, 1.0])
def test_confidence_must_be_one(confidence):
  for system in (Classifier, Segmenter):
    with pytest.raises(UserError, match=r"config\.objective\.confidence"):
      system(generator=None, confidence=confidence)
