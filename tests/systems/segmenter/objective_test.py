"""Tests of sginpaint.systems.segmenter.objective."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.losses.segmentation import cross_entropy, ohem_cross_entropy
from sginpaint.systems.segmenter.objective import Segmenter, labels_at

K, SIDE = 3, 32
LAYERS = [1, 1, 1, 1]
NETWORKS = {
  "bisenet": {"name": "bisenet", "width": 4, "layers": LAYERS},
  "deeplab": {
    "name": "deeplab", "width": 4, "layers": LAYERS, "momentum": 0.9,
  },
}  # fmt: skip


def _system(name="bisenet", classes=K, **objective):
  return Segmenter.build(
    model={"generator": NETWORKS[name]},
    objective=objective,
    num_attributes=0,
    num_classes=classes,
    dtype="float32",
    frozen={},
  )


def _batch(count=2, mask=None):
  """Every class has a colour, in stripes; the first two rows are open."""
  rng = np.random.default_rng(0)
  stripes = rng.integers(0, K, (count, SIDE // 8, 1)).repeat(8, 1)
  labels = np.broadcast_to(stripes, (count, SIDE, SIDE)).copy()
  image = np.eye(3)[labels] * 1.6 - 0.8
  labels[:, :2] = 255
  return Batch(
    image=image.astype(np.float32),
    segmentation=labels.astype(np.int32),
    mask=mask,
  )


def _hole(count):
  return jnp.zeros((count, SIDE, SIDE, 1)).at[:, 8:24, 8:24].set(1.0)


def _predict(system, variables, batch):
  return jax.jit(system.predict)(variables, {}, batch)


def _ready(system, batch):
  return jax.jit(lambda: system.init(jax.random.key(0), batch)["generator"])()


@pytest.mark.parametrize(
  ("name", "auxiliary"),
  [("bisenet", [(SIDE, SIDE)] * 2), ("deeplab", [(5, 5), (3, 3), (4, 4)])],
)
def test_generate_returns_flat_floats_of_known_shapes(name, auxiliary):
  system, batch = _system(name), _batch()
  outputs, collections = jax.eval_shape(
    lambda: system.generate(
      system.init(jax.random.key(0), batch)["generator"],
      {},
      batch,
      jax.random.key(1),
      train=True,
    )
  )
  assert outputs["segmentation_logits"].shape == (2, SIDE, SIDE, K)
  assert [outputs[f"auxiliary_{i}"].shape for i in range(len(auxiliary))] == [
    (2, *size, K) for size in auxiliary
  ]
  assert f"auxiliary_{len(auxiliary)}" not in outputs
  assert {x.dtype for x in outputs.values()} == {jnp.dtype("float32")}
  assert set(collections) == {"batch_stats"}


def test_terms_are_the_sums_over_heads():
  """Full-size main logits, smaller ones against labels of their size."""
  system, batch = _system(threshold=0.5), _batch()
  rng = np.random.default_rng(1)
  main, first, second = (
    jnp.array(rng.normal(size=(2, side, side, K)), jnp.float32)
    for side in (SIDE, SIDE, 8)
  )
  outputs = {
    "segmentation_logits": main,
    "auxiliary_0": first,
    "auxiliary_1": second,
    "features": jnp.zeros((2, 4, 4, 7)),
  }
  terms, collections = system.generator_terms(
    None, {}, batch, outputs, jax.random.key(0), train=True
  )
  small = batch.segmentation[:, 2::4, 2::4]
  loss = lambda logits, labels: ohem_cross_entropy(
    logits, labels, threshold=0.5
  )
  assert set(terms) == {"segmentation", "auxiliary"}
  np.testing.assert_allclose(
    terms["segmentation"], loss(main, batch.segmentation), rtol=1e-6
  )
  np.testing.assert_allclose(
    terms["auxiliary"],
    loss(first, batch.segmentation) + loss(second, small),
    rtol=1e-6,
  )
  assert collections == {}


def test_coarse_logits_take_the_place_of_enlarged_ones():
  system, batch = _system(loss="cross_entropy"), _batch()
  coarse = jnp.array(
    np.random.default_rng(2).normal(size=(2, 16, 16, K)), jnp.float32
  )
  outputs = {
    "segmentation_logits": jnp.zeros((2, SIDE, SIDE, K)),
    "coarse_logits": coarse,
  }
  terms, _ = system.generator_terms(
    None, {}, batch, outputs, jax.random.key(0), train=True
  )
  expected = cross_entropy(coarse, batch.segmentation[:, 1::2, 1::2])
  np.testing.assert_allclose(terms["segmentation"], expected, rtol=1e-6)
  assert not terms["auxiliary"].any()


def test_labels_are_sampled_at_pixel_centres():
  labels = np.arange(6, dtype=np.int32).reshape(1, 1, 6).repeat(4, 1)
  np.testing.assert_array_equal(labels_at(labels, 2, 3)[0], [[1, 3, 5]] * 2)
  np.testing.assert_array_equal(labels_at(labels, 1, 1)[0], [[3]])
  assert labels_at(labels, 4, 6) is labels


def test_predict_serves_class_and_confidence_without_labels():
  system, batch = _system(), _batch()
  variables = _ready(system, batch)
  served = _predict(system, variables, batch.replace(segmentation=None))
  logits = np.asarray(served["segmentation_logits"], np.float64)
  share = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
  np.testing.assert_array_equal(served["segmentation"], logits.argmax(-1))
  assert served["segmentation"].dtype == jnp.int32
  np.testing.assert_allclose(served["confidence"], share.max(-1), rtol=1e-5)


@pytest.mark.parametrize("holes", [False, True])
def test_pixels_in_the_hole_matter_only_without_holes(holes):
  system, batch = _system(holes=holes), _batch(mask=_hole(2))
  variables = _ready(system, batch)
  other = batch.replace(image=jnp.where(batch.mask > 0.5, 0.7, batch.image))
  first, second = (
    _predict(system, variables, b)["segmentation_logits"]
    for b in (batch, other)
  )
  assert bool(jnp.array_equal(first, second)) == holes


def test_holes_without_a_mask_are_refused_in_training():
  system, batch = _system(holes=True), _batch()
  with pytest.raises(ValueError, match=r"batch\.mask"):
    system.generate(
      _ready(system, batch), {}, batch, jax.random.key(0), train=True
    )


def test_what_a_config_can_get_wrong_is_a_user_error():
  with pytest.raises(UserError, match="no classes"):
    _system(classes=0)
  with pytest.raises(UserError, match="loss=ohm: not known; choose from ohem"):
    _system(loss="ohm")


def test_overfits_two_pictures():
  system, batch = _system(), _batch()
  variables = _ready(system, batch)
  tx = optax.adam(1e-2)

  @jax.jit
  def step(variables, opt_state):
    def total(params):
      new = {**variables, "params": params}
      outputs, collections = system.generate(new, {}, batch, None, train=True)
      terms, _ = system.generator_terms(
        None, {}, batch, outputs, None, train=True
      )
      return sum(map(jnp.mean, terms.values())), collections

    gradient, collections = jax.grad(total, has_aux=True)(variables["params"])
    updates, opt_state = tx.update(gradient, opt_state)
    params = optax.apply_updates(variables["params"], updates)
    return {"params": params, **collections}, opt_state

  opt_state = tx.init(variables["params"])
  for _ in range(60):
    variables, opt_state = step(variables, opt_state)
  found = _predict(system, variables, batch)["segmentation"]
  labelled = batch.segmentation != 255
  assert (found == batch.segmentation)[labelled].mean() > 0.85
