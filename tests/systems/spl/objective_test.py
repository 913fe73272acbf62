"""SPL's terms against the paper's equations, written out in numpy."""

import types

import jax
import numpy as np
import pytest

from sginpaint.batch import Batch
from sginpaint.systems.spl.networks import Discriminator
from sginpaint.systems.spl.objective import SPL

KEY = jax.random.key(0)


def picture(seed, *shape):
  shape = shape or (2, 16, 16, 3)
  values = np.random.default_rng(seed).uniform(-1, 1, shape)
  return values.astype(np.float32)


@pytest.fixture
def mask():
  mask = np.zeros((2, 16, 16, 1), np.float32)
  mask[0, 4:12, 2:9] = mask[1, :3] = 1
  return mask


@pytest.fixture
def judge():
  """(a system without generator, its discriminator's variables)."""
  system = SPL(
    generator=None, discriminator=Discriminator(widths=(2, 3)), delta=2.0
  )
  return system, system.discriminator.init(KEY, picture(0))


def score(system, variables, image):
  return np.asarray(system.discriminator.apply(variables, image)[0], np.float64)


def test_generator_terms_are_equations_5_9_and_10(judge, mask):
  system, variables = judge
  truth, made = picture(1), picture(2)
  taught, learnt = picture(3, 2, 4, 4, 5), picture(4, 2, 4, 4, 5)
  terms, _ = system.generator_terms(
    variables,
    {},
    Batch(image=truth, mask=mask, teacher_features=taught),
    {"image": made, "prior": learnt},
    KEY,
    train=False,
  )
  assert set(terms) == {"image", "adversarial", "prior"}
  # Pictures in [0, 1] as in the paper.
  error = np.abs((made + 1) / 2 - (truth + 1) / 2) * (1 + 2 * mask)
  np.testing.assert_allclose(terms["image"], error.mean((1, 2, 3)), rtol=1e-5)
  error = np.abs(learnt - taught) * (1 + 3 * mask[:, ::4, ::4])
  np.testing.assert_allclose(terms["prior"], error.mean((1, 2, 3)), rtol=1e-5)
  fooled = np.log1p(np.exp(-score(system, variables, made)))
  np.testing.assert_allclose(
    terms["adversarial"], fooled.mean((1, 2, 3)), rtol=1e-4
  )


def test_discriminator_term_is_equation_11(judge, mask):
  system, variables = judge
  truth, made = picture(1), picture(2)
  batch, outputs = Batch(image=truth, mask=mask), {"image": made}
  terms, _ = system.discriminator_terms(
    variables, {}, batch, outputs, KEY, train=False
  )
  real = np.log1p(np.exp(-score(system, variables, truth)))
  fake = np.log1p(np.exp(score(system, variables, made)))
  expected = (real + fake).mean((1, 2, 3)) / 2
  np.testing.assert_allclose(terms["adversarial"], expected, rtol=1e-4)


def test_real_and_fake_each_move_the_spectral_vectors(judge, mask):
  system, variables = judge
  batch, outputs = Batch(image=picture(1), mask=mask), {"image": picture(2)}
  _, collections = system.discriminator_terms(
    variables, {}, batch, outputs, KEY, train=True
  )
  moved = variables
  for _ in range(2):
    _, state = system.discriminator.apply(
      moved, picture(1), train=True, mutable=["spectral_norm"]
    )
    moved = {**moved, **state}
  for got, want in zip(
    jax.tree.leaves(collections),
    jax.tree.leaves(moved["spectral_norm"]),
    strict=True,
  ):
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_online_teacher_is_asked_where_nothing_is_precomputed(judge, mask):
  system, variables = judge
  told = lambda frozen, image, *, train: {"layer2": frozen * image[:, ::8, ::8]}
  system = SPL(
    generator=None,
    discriminator=system.discriminator,
    frozen={"teacher": types.SimpleNamespace(apply=told)},
  )
  image = picture(5, 2, 32, 32, 3)
  batch = Batch(image=picture(1), mask=mask, teacher_image=image)
  outputs = {"image": picture(2), "prior": 2 * image[:, ::8, ::8]}
  arguments = {"teacher": 2.0}, batch, outputs, KEY
  terms, _ = system.generator_terms(variables, *arguments, train=False)
  np.testing.assert_array_equal(terms["prior"], [0, 0])
  batch = batch.replace(teacher_image=None)
  arguments = {"teacher": 2.0}, batch, outputs, KEY
  with pytest.raises(ValueError, match="teacher_features"):
    system.generator_terms(variables, *arguments, train=False)
