"""ESPA's stages: which losses, which gradients, which map guides."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.batch import Batch, Guidance
from sginpaint.errors import UserError
from sginpaint.systems.espa.objective import ESPA
from tests.systems.espa.examples import drawn

K = 3
AUTOENCODER = {"width": 4, "attention": True}
DECODER = {"widths": (8, 8, 4, 4), "hidden": 4}
JUDGE = {"kind": "patch70", "widths": (4, 4, 4, 4)}


class Segmenter(nn.Module):
  """Says class 0 in dark pixels, 1 in others, of what it is shown."""

  @nn.compact
  def __call__(self, image, *, train):
    assert not train
    light = image.mean(-1, keepdims=True)
    none = jnp.full_like(light, -1e3)
    return {"segmentation_logits": jnp.concatenate([-light, light, none], -1)}


class Pyramid(nn.Module):
  """In the place of VGG: each layer is its number times the picture."""

  @nn.compact
  def __call__(self, image, *, train):
    assert not train
    return {f"relu{i}_1": i * image for i in range(1, 6)} | {"logits": image}


def system(stage=2, *, segmenter=True, perceptual=False):
  """A narrow one, with or without what predicts the map."""
  decoder = None if stage == 1 else DECODER
  return ESPA.build(
    model={
      "generator": {"autoencoder": AUTOENCODER, "decoder": decoder},
      "discriminator": JUDGE,
    },
    objective={
      "stage": stage,
      "perceptual": "runs/vgg" if perceptual else "none",
      "segmenter": "runs/segmenter" if segmenter else "none",
    },
    num_classes=K,
    num_attributes=0,
    dtype="float32",
    frozen={
      **({"segmenter": Segmenter()} if segmenter else {}),
      **({"perceptual": Pyramid()} if perceptual else {}),
    },
  )


def batch(guidance=None):
  rng = np.random.default_rng(0)
  image = rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
  mask = np.zeros((2, 32, 32, 1), np.float32)
  mask[:, 8:24, 4:20] = 1
  labels = rng.integers(0, K, (2, 32, 32)).astype(np.int32)
  told = None if guidance is None else Guidance(segmentation=guidance)
  return Batch(image=image, mask=mask, segmentation=labels, guidance=told)


@pytest.fixture(scope="module")
def variables():
  """Of stages 2 and 3, which have the same networks."""
  built = system()
  return {
    "generator": drawn(built.generator, *built.generator_inputs(batch())),
    "discriminator": drawn(
      built.discriminator, *built.discriminator_inputs(batch())
    ),
  }


def test_terms_of_the_joint_stage_by_hand(variables):
  built, judge = system(3, perceptual=True), variables["discriminator"]
  outputs, _ = built.generate(
    variables["generator"], {}, batch(), None, train=False
  )
  key = jax.random.key(1)
  frozen = {"perceptual": {}}
  terms, _ = built.generator_terms(
    judge, frozen, batch(), outputs, key, train=False
  )
  logits, _ = built.discriminator.apply(judge, outputs["image"], train=False)
  expected = {
    "image": np.abs(outputs["image"] - batch().image).mean((1, 2, 3)),
    "coarse_image": np.abs(outputs["coarse"] - batch().image).mean((1, 2, 3)),
    "adversarial": ((np.asarray(logits) - 1) ** 2).mean((1, 2, 3)),
  }
  for name, output in (("", "image"), ("coarse_", "coarse")):
    errors = (np.asarray(outputs[output]) - batch().image) ** 2
    # Layers 1 to 5: sum of i ** 2.
    expected[f"{name}perceptual"] = 55 * errors.mean((1, 2, 3))
  assert set(terms) == set(expected)
  for name, value in expected.items():
    np.testing.assert_allclose(terms[name], value, rtol=1e-5, err_msg=name)


def test_discriminator_wants_real_one_and_fake_zero(variables):
  built, judge = system(), variables["discriminator"]
  outputs = {"image": 0.5 * batch().image}
  terms, _ = built.discriminator_terms(
    judge, {}, batch(), outputs, jax.random.key(1), train=False
  )
  real, fake = (
    np.asarray(built.discriminator.apply(judge, x, train=False)[0])
    for x in (batch().image, outputs["image"])
  )
  expected = 0.5 * ((real - 1) ** 2 + fake**2).mean((1, 2, 3))
  np.testing.assert_allclose(terms["adversarial"], expected, rtol=1e-5)


@pytest.mark.parametrize("stage", [2, 3])
def test_which_parts_a_stage_trains(variables, stage):
  built = system(stage)

  def loss(params):
    generator = {**variables["generator"], "params": params}
    outputs, _ = built.generate(generator, {}, batch(), None, train=False)
    return jnp.abs(outputs["image"] - batch().image).mean()

  gradients = jax.jit(jax.grad(loss))(variables["generator"]["params"])
  sizes = {
    name: max(float(jnp.abs(g).max()) for g in jax.tree.leaves(tree))
    for name, tree in gradients.items()
  }
  assert sizes["decoder"] > 0
  assert (sizes["autoencoder"] > 0) == (stage == 3)


def served(variables, given, *, segmenter=True):
  built = system(segmenter=segmenter)
  frozen = {"segmenter": {}} if segmenter else {}
  return built.predict(variables["generator"], frozen, given)


def test_predicted_map_is_read_off_the_composited_coarse_result(variables):
  outputs, given = served(variables, batch()), batch()
  shown = np.where(given.mask > 0.5, outputs["coarse"], given.image)
  expected = (shown.mean(-1) > 0).astype(int)
  np.testing.assert_array_equal(outputs["segmentation"], expected)
  told = served(variables, batch(guidance=expected))
  np.testing.assert_array_equal(outputs["image"], told["image"])


def test_a_class_that_is_said_replaces_the_predicted_one(variables):
  plain = served(variables, batch())
  edit = np.full((2, 32, 32), 255, np.int32)
  unsaid = served(variables, batch(guidance=edit))
  np.testing.assert_array_equal(unsaid["image"], plain["image"])
  edit[:, 10:20, 6:16] = 2
  whole = np.where(edit == 255, plain["segmentation"], edit)
  results = [
    served(variables, batch(guidance=m))["image"] for m in (edit, whole)
  ]
  np.testing.assert_array_equal(*results)
  assert np.abs(results[0] - plain["image"]).max() > 1e-3


def test_an_edit_needs_only_what_was_prepared(variables):
  built, edit = system(), np.full((2, 32, 32), 1, np.int32)
  prepared = built.prepare(variables["generator"], {"segmenter": {}}, batch())
  decoder = {
    name: {"decoder": tree["decoder"]}
    for name, tree in variables["generator"].items()
  }
  completed = built.complete(decoder, {}, batch(guidance=edit), prepared)
  whole = served(variables, batch(guidance=edit))
  np.testing.assert_array_equal(completed["image"], whole["image"])


def test_without_segmenter_nothing_is_said_where_no_map_is(variables):
  assert system(segmenter=False).needs_map
  assert not system().needs_map
  assert not system(1, segmenter=False).needs_map
  nothing = np.full((2, 32, 32), 255, np.int32)
  plain, told = (
    served(variables, batch(guidance), segmenter=False)
    for guidance in (None, nothing)
  )
  np.testing.assert_array_equal(plain["image"], told["image"])
  assert "segmentation" not in plain
  given = batch(guidance=batch().segmentation)
  outputs = served(variables, given, segmenter=False)
  trained, _ = system().generate(
    variables["generator"], {}, batch(), None, train=False
  )
  np.testing.assert_allclose(outputs["image"], trained["image"], atol=1e-6)


def test_first_stage_serves_its_coarse_picture():
  built = system(1)
  variables = drawn(built.generator, *built.generator_inputs(batch()))
  assert set(variables["params"]) == {"autoencoder"}
  assert built.GUIDANCE == ()
  outputs = built.predict(variables, {"segmenter": {}}, batch())
  np.testing.assert_array_equal(outputs["image"], outputs["coarse"])
  terms, _ = built.generator_terms(
    None, {}, batch(), outputs, None, train=False
  )
  assert set(terms) == {"image", "perceptual"}


@pytest.mark.parametrize("stage", [0, 1, 2, 4])
def test_stage_and_decoder_must_agree(stage):
  decoder = DECODER if stage == 1 else None
  with pytest.raises(UserError, match="config.objective.stage"):
    ESPA.build(
      model={"generator": {"autoencoder": {}, "decoder": decoder}},
      objective={"stage": stage},
      num_classes=K,
      num_attributes=0,
      dtype="float32",
      frozen={},
    )
