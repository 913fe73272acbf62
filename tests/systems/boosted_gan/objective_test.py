"""The boosted GAN's losses by hand, and who learns from which."""

import dataclasses
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.systems.boosted_gan.small import FROZEN, K, batch, system


class Judge(nn.Module):
  """Adds the first pixel to the first number of what it is told."""

  attributes: bool = True
  segmentation: bool = True

  @nn.compact
  def __call__(self, image, attributes, segmentation, *, train):
    pixel = image[:, 0, 0, 0]
    return {
      "global": [2 * pixel],
      "attributes": [pixel + 3 * a[:, 0] for a in attributes],
      "segmentation": [pixel - m[:, 0, 0, 0] for m in segmentation],
    }


REAL, FAKE = (0.5, -0.25), (-1.0, 0.75)
VECTOR = (0.9, 0.2)  # the first attribute of both pictures
CHANNEL = (0.8, 0.1)  # the first channel of their first pixels


def outputs():
  """Of two pictures, so that the mismatch is the other one's."""
  maps = np.zeros((2, 4, 4, 2), "f4")
  maps[..., 0] = np.reshape(CHANNEL, (2, 1, 1))
  maps[..., 1] = 1 - maps[..., 0]
  vectors = np.stack([VECTOR, (0.4, 0.4)], axis=1).astype("f4")
  image = np.broadcast_to(np.reshape(FAKE, (2, 1, 1, 1)), (2, 4, 4, 3))
  return {"image": image, "real_attributes": vectors, "real_segmentation": maps}


def judged_by_hand():
  image = np.broadcast_to(np.reshape(REAL, (2, 1, 1, 1)), (2, 4, 4, 3))
  built = dataclasses.replace(system(), discriminator=Judge())
  return built, batch().replace(image=image)


def log_one_plus_exp(x):
  return math.log(1 + math.exp(x))


def test_discriminators_losses_by_hand():
  built, given = judged_by_hand()
  terms, _ = built.discriminator_terms(
    {"params": {}}, {}, given, outputs(), jax.random.key(0), train=True
  )
  for b in (0, 1):
    r, f, other = REAL[b], FAKE[b], 1 - b
    expected = {
      "global": log_one_plus_exp(-2 * r) + log_one_plus_exp(2 * f),
      "attributes": log_one_plus_exp(-(r + 3 * VECTOR[b]))
      + log_one_plus_exp(f + 3 * VECTOR[b])
      + log_one_plus_exp(r + 3 * VECTOR[other]),
      "segmentation": log_one_plus_exp(-(r - CHANNEL[b]))
      + log_one_plus_exp(f - CHANNEL[b])
      + log_one_plus_exp(r - CHANNEL[other]),
    }
    found = {name: float(term[b]) for name, term in terms.items()}
    assert found == pytest.approx(expected, rel=1e-5)


def test_generators_loss_by_hand():
  built, given = judged_by_hand()
  terms, _ = built.generator_terms(
    {"params": {}}, {}, given, outputs(), jax.random.key(0), train=True
  )
  for b in (0, 1):
    f = FAKE[b]
    expected = {
      "image": (REAL[b] - f) ** 2,
      "global": log_one_plus_exp(-2 * f),
      "attributes": log_one_plus_exp(-(f + 3 * VECTOR[b])),
      "segmentation": log_one_plus_exp(-(f - CHANNEL[b])),
    }
    found = {name: float(term[b]) for name, term in terms.items()}
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.fixture(name="training", scope="module")
def _training(variables):
  """What `generate` gives in training."""
  made, _ = system().generate(
    variables["generator"], FROZEN, batch(), None, train=True
  )
  return made


@pytest.fixture(name="gradients", scope="module")
def _gradients(variables, training):
  """{term: gradient of it by all discriminators' parameters}."""

  def terms_of(params):
    player = {**variables["discriminator"], "params": params}
    rest = ({}, batch(), training, jax.random.key(1))
    terms, _ = system().discriminator_terms(player, *rest, train=True)
    return {name: term.mean() for name, term in terms.items()}

  return jax.jit(jax.jacrev(terms_of))(variables["discriminator"]["params"])


@pytest.mark.parametrize("name", ["global", "attributes", "segmentation"])
def test_a_discriminator_learns_from_its_own_term_only(gradients, name):
  for module, tree in gradients[name].items():
    own = module.startswith(name)
    moved = [bool(np.any(g)) for g in jax.tree.leaves(tree)]
    assert any(moved) if own else not any(moved), module


def test_spectral_norms_go_from_real_to_restored_to_generator(
  variables, training
):
  judge = variables["discriminator"]
  rest = (FROZEN, batch(), training, jax.random.key(0))

  @jax.jit
  def step(judge, rest):
    _, after = system().discriminator_terms(judge, *rest, train=True)
    judge = {**judge, **after}
    return after, system().generator_terms(judge, *rest, train=True)[1]

  after, last = step(judge, rest)
  for path, learning, all_in_all in (
    (("global_trunk", "conv_0"), 2, 3),
    (("attributes_trunk", "conv_0"), 2, 3),
    (("attributes_head", "joined"), 3, 4),  # it meets a mismatched vector, too
    (("segmentation_trunk", "conv_0"), 3, 4),
  ):
    kernel, u, *found = (
      tree[path[0]][path[1]][leaf]
      for tree, leaf in (
        (judge["params"], "kernel"),
        *((v["spectral_norm"], "u") for v in (judge, after, last)),
      )
    )
    matrix, moved = kernel.reshape(-1, len(u)), [u]
    for _ in range(all_in_all):
      v = matrix @ moved[-1]
      u = v @ matrix
      moved.append(u / np.linalg.norm(u))
    for place, u in zip((learning, all_in_all), found, strict=True):
      assert np.abs(moved[place] - moved[place - 1]).max() > 1e-4
      np.testing.assert_allclose(u, moved[place], atol=2e-5)


def test_frozen_networks_have_no_gradient(variables):
  class Scaled(nn.Module):
    inner: nn.Module

    @nn.compact
    def __call__(self, image, *, train):
      scale = self.param("scale", nn.initializers.ones, ())
      return self.inner(scale * image, train=train)

  networks = system().frozen
  built = dataclasses.replace(
    system(), frozen={name: Scaled(net) for name, net in networks.items()}
  )
  values = {name: {"params": {"scale": jnp.ones(())}} for name in networks}

  def loss(values):
    made, _ = built.generate(
      variables["generator"], values, batch(), None, train=True
    )
    rest = (values, batch(), made, jax.random.key(0))
    judge = variables["discriminator"]
    terms, _ = built.generator_terms(judge, *rest, train=True)
    more, _ = built.discriminator_terms(judge, *rest, train=True)
    parts = jax.tree.leaves((terms, more, made["attributes"]))
    return sum(part.sum() for part in parts)

  assert not any(map(np.any, jax.tree.leaves(jax.jit(jax.grad(loss))(values))))


def test_generator_sees_corrupted_and_discriminators_whole_pictures(training):
  given = batch()
  sigmoid = lambda x: 1 / (1 + np.exp(-x))
  holed, whole = (
    sigmoid(5 * x.mean((1, 2)))
    for x in (given.image * (1 - given.mask), given.image)
  )
  np.testing.assert_allclose(training["attributes"], holed, rtol=1e-5)
  np.testing.assert_allclose(training["real_attributes"], whole, rtol=1e-5)
  hole = given.mask[..., 0] > 0
  real = np.asarray(training["real_segmentation"]).argmax(-1)
  seen = np.asarray(training["segmentation_logits"]).argmax(-1)
  np.testing.assert_array_equal(real[~hole], seen[~hole])
  assert (seen[hole] == K - 1).all()
  assert (real[hole] != K - 1).any()
