"""Tests of sginpaint.systems.classifier.objective."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from configs import embedding_attributes
from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.losses.classification import asymmetric_loss
from sginpaint.systems.classifier.objective import Classifier

TINY = {"generator": {"name": "tresnet", "width": 4, "layers": [1, 1, 1, 1]}}


def _system(attributes=3, **objective):
  return Classifier.build(
    model=TINY,
    objective=objective,
    num_attributes=attributes,
    num_classes=0,
    dtype="float32",
    frozen={},
  )


def _batch(size=8, mask=None):
  rng = np.random.default_rng(0)
  image = rng.uniform(-1, 1, (size, 32, 32, 3)).astype(np.float32)
  attributes = (rng.random((size, 3)) > 0.5).astype(np.float32)
  return Batch(image=image, attributes=attributes, mask=mask)


def _hole(size):
  return jnp.zeros((size, 32, 32, 1)).at[:, 8:24, 8:24].set(1.0)


def _ready(system, batch):
  return jax.jit(lambda: system.init(jax.random.key(0), batch)["generator"])()


def test_generate_returns_floats_of_known_shapes():
  system, batch = _system(), _batch(2)
  outputs, collections = jax.eval_shape(
    lambda variables: system.generate(
      variables, {}, batch, jax.random.key(1), train=True
    ),
    _ready(system, batch),
  )
  assert outputs["attribute_logits"].shape == (2, 3)
  assert outputs["layer2"].shape == (2, 4, 4, 8)
  assert outputs["features"].shape == (2, 128)
  dtypes = {x.dtype for x in jax.tree.leaves(outputs)}
  assert dtypes == {jnp.dtype("float32")}
  assert set(collections) == {"batch_stats"}


def test_term_is_asl_with_the_objective_of_the_config():
  system = _system(gamma_negative=2.0, gamma_positive=0.0, margin=0.1)
  batch = _batch(2)
  logits = jnp.array([[1.0, -1.0, 0.5], [0.0, 2.0, -3.0]])
  terms, collections = system.generator_terms(
    None, {}, batch, {"attribute_logits": logits}, jax.random.key(0), train=True
  )
  expected = asymmetric_loss(
    logits, batch.attributes, gamma_negative=2.0, gamma_positive=0.0, margin=0.1
  )
  assert set(terms) == {"classification"}
  np.testing.assert_array_equal(terms["classification"], expected)
  assert collections == {}


def test_the_embedding_is_trained_by_binary_cross_entropy():
  objective = embedding_attributes.get_config("quick").objective.to_dict()
  system, batch = _system(**objective), _batch(2)
  assert system.holes
  logits = jnp.array([[1.0, -9.0, 0.5], [0.0, 2.0, -3.0]])
  terms, _ = system.generator_terms(
    None, {}, batch, {"attribute_logits": logits}, jax.random.key(0), train=True
  )
  entropy = optax.sigmoid_binary_cross_entropy(logits, batch.attributes)
  np.testing.assert_allclose(
    terms["classification"], entropy.sum(-1), rtol=1e-5
  )


def test_predict_needs_no_labels():
  system, batch = _system(), _batch(2)
  variables = _ready(system, batch)
  served = system.predict(variables, {}, batch.replace(attributes=None))
  np.testing.assert_allclose(
    served["attributes"],
    1 / (1 + np.exp(-served["attribute_logits"])),
    rtol=1e-5,
  )


def test_uint8_pictures_are_read_as_in_the_step():
  system, batch = _system(), _batch(2)
  variables = _ready(system, batch)
  image = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), np.uint8)
  raw = system.predict(variables, {}, Batch(image=image))
  done = system.predict(
    variables, {}, Batch(image=image.astype(np.float32) / 127.5 - 1)
  )
  np.testing.assert_allclose(
    raw["attribute_logits"], done["attribute_logits"], atol=1e-5
  )


@pytest.mark.parametrize("holes", [False, True])
def test_pixels_in_the_hole_matter_only_without_holes(holes):
  system, batch = _system(holes=holes), _batch(2, mask=_hole(2))
  variables = _ready(system, batch)
  other = batch.replace(image=jnp.where(batch.mask > 0.5, 0.7, batch.image))
  first = system.predict(variables, {}, batch)["features"]
  second = system.predict(variables, {}, other)["features"]
  assert bool(jnp.array_equal(first, second)) == holes


def test_training_with_holes_greys_about_half_of_the_pictures():
  batch = Batch(image=jnp.ones((64, 32, 32, 3)), mask=_hole(64))
  seen = []

  class Spy:
    def apply(self, variables, image, **kwargs):
      seen.append(image)
      return {"logits": jnp.zeros((64, 3))}

  system = Classifier(generator=Spy(), holes=True)
  for seed in (0, 1):
    system.generate({}, {}, batch, jax.random.key(seed), train=True)
  greyed = [np.asarray(x[:, 16, 16, 0]) == 0.0 for x in seen]
  assert 16 < greyed[0].sum() < 48
  assert (greyed[0] != greyed[1]).any()
  np.testing.assert_array_equal(seen[0][:, 0, 0], np.ones((64, 3)))


def test_holes_without_a_mask_are_refused_in_training():
  system, batch = _system(holes=True), _batch(2)
  with pytest.raises(ValueError, match=r"batch\.mask"):
    system.generate(
      _ready(system, batch), {}, batch, jax.random.key(0), train=True
    )


def test_data_without_attributes_is_a_user_error():
  with pytest.raises(UserError, match="attributes"):
    _system(attributes=0)


def test_overfits_eight_pictures():
  system, batch = _system(), _batch(8)
  variables = _ready(system, batch)
  tx = optax.adam(3e-3)

  @jax.jit
  def step(variables, opt_state):
    def loss(params):
      new = {**variables, "params": params}
      outputs, collections = system.generate(new, {}, batch, None, train=True)
      terms, _ = system.generator_terms(
        None, {}, batch, outputs, None, train=True
      )
      return jnp.mean(terms["classification"]), collections

    (value, collections), gradient = jax.value_and_grad(loss, has_aux=True)(
      variables["params"]
    )
    updates, opt_state = tx.update(gradient, opt_state)
    params = optax.apply_updates(variables["params"], updates)
    return {"params": params, **collections}, opt_state, value

  opt_state = tx.init(variables["params"])
  losses = []
  for _ in range(60):
    variables, opt_state, value = step(variables, opt_state)
    losses.append(float(value))
  assert losses[-1] < 0.1 * losses[0]
  served = system.predict(variables, {}, batch)["attributes"]
  np.testing.assert_array_equal(served > 0.5, batch.attributes > 0.5)
