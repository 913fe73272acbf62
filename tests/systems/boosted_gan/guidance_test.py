"""What guides a boosted GAN, what it serves, and what its ablations lack."""

import jax
import numpy as np
import pytest

from sginpaint.batch import Guidance, composite
from sginpaint.errors import UserError
from sginpaint.systems.boosted_gan.objective import BoostedGAN
from tests.systems.boosted_gan import small
from tests.systems.boosted_gan.small import FROZEN, batch, system


def predict(variables, guidance=None, **switches):
  return system(**switches).predict(
    variables["generator"], FROZEN, batch(guidance)
  )


def test_what_is_served(variables):
  served = predict(variables)
  assert set(served) == {
    "image",
    "attributes",
    "attribute_logits",
    "segmentation",
    "segmentation_logits",
    "confidence",
  }
  logits = np.asarray(served["segmentation_logits"])
  np.testing.assert_array_equal(served["segmentation"], logits.argmax(-1))
  p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
  np.testing.assert_allclose(served["confidence"], p.max(-1), rtol=1e-5)


def test_an_attribute_that_is_said_counts_in_the_hole(variables):
  plain = predict(variables)
  told = np.full((2, small.A), np.nan, "f4")
  unsaid = predict(variables, Guidance(attributes=told))
  np.testing.assert_array_equal(plain["image"], unsaid["image"])
  told[0, 1] = 1 - np.round(plain["attributes"][0, 1])
  served = predict(variables, Guidance(attributes=told))
  expected = np.array(plain["attributes"])
  expected[0, 1] = told[0, 1]
  np.testing.assert_array_equal(served["attributes"], expected)
  given = batch()
  before, after = (
    np.asarray(composite(x["image"], given.image, given.mask))
    for x in (plain, served)
  )
  hole = np.broadcast_to(given.mask > 0, before.shape)
  np.testing.assert_array_equal(before[~hole], after[~hole])
  assert np.abs(before - after)[0][hole[0]].max() > 1e-3
  np.testing.assert_array_equal(before[1], after[1])


def test_a_class_that_is_said_replaces_the_predicted_one(variables):
  plain = predict(variables)
  labels = np.full((2, small.SIDE, small.SIDE), 255, np.int32)
  unsaid = predict(variables, Guidance(segmentation=labels))
  np.testing.assert_array_equal(plain["image"], unsaid["image"])
  labels[0, 10:20, 6:16] = 1
  served = predict(variables, Guidance(segmentation=labels))
  assert np.abs(served["image"][0] - plain["image"][0]).max() > 1e-3
  np.testing.assert_array_equal(served["image"][1], plain["image"][1])
  np.testing.assert_array_equal(served["segmentation"], plain["segmentation"])


def test_what_only_discriminators_are_told_guides_nothing():
  built = system(told=(False, True))
  player = small.players(built)["generator"]
  others = Guidance(attributes=np.ones((2, small.A + 4), "f4"))
  plain, told = (
    built.predict(player, FROZEN, batch(said)) for said in (None, others)
  )
  np.testing.assert_array_equal(plain["image"], told["image"])
  assert "attribute_logits" in told
  assert "attributes" not in told


@pytest.mark.parametrize(
  ("told", "guidance"),
  [
    ((True, True), ("attributes", "segmentation")),
    ((True, False), ("attributes",)),
    ((False, True), ("segmentation",)),
    ((False, False), ()),
  ],
)
def test_ablations_have_what_they_are_told_and_judged_by(told, guidance):
  built = system(told=told, judged=told)
  assert guidance == built.GUIDANCE
  used = {n: v for n, v in FROZEN.items() if getattr(built, n) != "none"}

  def terms():
    players, key = small.players(built), jax.random.key(0)
    made, _ = built.generate(
      players["generator"], used, batch(), key, train=True
    )
    rest = (players["discriminator"], used, batch(), made, key)
    return (
      built.discriminator_terms(*rest, train=True)[0],
      built.generator_terms(*rest, train=True)[0],
    )

  names = {"global", *guidance}
  assert [*map(set, jax.eval_shape(terms))] == [names, names | {"image"}]


def test_a_judge_of_weight_0_does_not_exist():
  built = system(judged=(False, False))
  assert built.GUIDANCE == ("attributes", "segmentation")
  judges = small.players(built)["discriminator"]["params"]
  assert set(judges) == {"global_trunk", "global_head"}


@pytest.mark.parametrize(
  ("fields", "counts", "message"),
  [
    ({"classifier": "none"}, (3, 4), "objective.classifier=none"),
    ({"segmenter": "none"}, (3, 4), "objective.segmenter=none"),
    ({}, (0, 4), "0 attributes, too few"),
    ({}, (3, 1), "1 classes, too few"),
  ],
)
def test_what_nobody_says_nobody_can_be_told(fields, counts, message):
  with pytest.raises(UserError, match=message):
    BoostedGAN.build(
      model={"generator": {}, "discriminator": {}},
      objective={"classifier": "a", "segmenter": "b"} | fields,
      num_attributes=counts[0],
      num_classes=counts[1],
      dtype="float32",
      frozen={},
    )
