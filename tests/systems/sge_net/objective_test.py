"""SGE-Net's terms against eqs. 7-9, written out in numpy."""

import types

import jax
import numpy as np
import pytest

from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.systems.sge_net.objective import SGENet
from tests.systems.sge_net import small

KEY = jax.random.key(0)
KEYS = ("", "_1", "_2", "_3", "_4")


def made():
  """Outputs of a generator, by scale."""
  generator = np.random.default_rng(3)
  outputs = {}
  for scale, key in enumerate(KEYS):
    side = 32 >> scale
    shape = (2, side, side)
    picture = generator.uniform(-1, 1, (*shape, 3))
    outputs[f"image{key}"] = picture.astype("float32")
    logits = 2 * generator.normal(size=(*shape, small.CLASSES))
    outputs[f"segmentation_logits{key}"] = logits.astype("float32")
  return outputs


def enlarged(x):
  """[B, h, w, C] to 32 x 32, linearly between the middles of pixels."""
  for axis in (1, 2):
    n = x.shape[axis]
    at = np.clip((np.arange(32) + 0.5) * n / 32 - 0.5, 0, n - 1)
    low = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
    high = np.minimum(low + 1, n - 1)
    share = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
    x = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
  return x


@pytest.fixture(name="judge", scope="module")
def _judge():
  """(a system without generator, its discriminator's variables)."""
  system = SGENet(generator=None, discriminator=small.small_discriminator())
  variables = jax.jit(system.discriminator.init)(KEY, small.example()[0])
  return system, variables


def batch_of(**fields):
  image, mask = small.example()
  return Batch(image=image, mask=mask, segmentation=small.labels(), **fields)


def scores(system, variables, image):
  logits = system.discriminator.apply(variables, image)
  return [np.asarray(x, np.float64) for x in logits]


def over_scales(function, logits):
  return np.mean([function(x).mean((1, 2, 3)) for x in logits], axis=0)


def test_generator_terms_are_equations_7_to_9(judge):
  system, variables = judge
  batch, outputs = batch_of(), made()
  terms, _ = system.generator_terms(
    variables, {}, batch, outputs, KEY, train=False
  )
  assert set(terms) == {"image", "perceptual", "adversarial", "segmentation"}
  np.testing.assert_array_equal(terms["perceptual"], [0, 0])
  error, entropy = np.zeros(2), np.zeros(2)
  known = batch.segmentation != 255
  for key in KEYS:
    picture = enlarged(outputs[f"image{key}"].astype(np.float64))
    error += np.abs(picture - batch.image).mean((1, 2, 3))
    logits = enlarged(outputs[f"segmentation_logits{key}"].astype(np.float64))
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for b, i, j in np.argwhere(known):
      entropy[b] -= logs[b, i, j, batch.segmentation[b, i, j]]
  np.testing.assert_allclose(terms["image"], error, rtol=1e-5)
  assert known[0].any()
  assert not known[1].any()
  expected = [entropy[0] / known[0].sum(), 0]
  np.testing.assert_allclose(terms["segmentation"], expected, rtol=1e-5)
  fooled = over_scales(
    lambda x: np.log1p(np.exp(-x)), scores(system, variables, outputs["image"])
  )
  np.testing.assert_allclose(terms["adversarial"], fooled, rtol=1e-4)


def test_discriminator_term_is_equation_8(judge):
  system, variables = judge
  batch, outputs = batch_of(), made()
  terms, _ = system.discriminator_terms(
    variables, {}, batch, outputs, KEY, train=False
  )
  real = scores(system, variables, batch.image)
  fake = scores(system, variables, outputs["image"])
  expected = over_scales(lambda x: np.log1p(np.exp(-x)), real)
  expected += over_scales(lambda x: np.log1p(np.exp(x)), fake)
  np.testing.assert_allclose(terms["adversarial"], expected / 2, rtol=1e-4)


def test_perceptual_term_compares_every_scale(judge):
  def see(factor, picture, *, train):
    assert not train
    return {
      "relu2_2": factor * picture,
      "relu3_3": picture[:, ::2],
      "relu4_3": picture[:, :, :1] ** 2,
      "logits": None,
    }

  system = SGENet(
    generator=None,
    discriminator=judge[0].discriminator,
    frozen={"perceptual": types.SimpleNamespace(apply=see)},
    perceptual="somewhere",
  )
  batch, outputs = batch_of(), made()
  frozen = {"perceptual": 3.0}
  rest = (batch, outputs, KEY)
  terms, _ = system.generator_terms(judge[1], frozen, *rest, train=True)
  expected, truth = np.zeros(2), batch.image
  for key in KEYS:
    p = enlarged(outputs[f"image{key}"].astype(np.float64))
    first = p[:, :, :1] ** 2 - truth[:, :, :1] ** 2
    for layer in (3 * (p - truth), (p - truth)[:, ::2], first):
      expected += np.abs(layer).mean((1, 2, 3))
  np.testing.assert_allclose(terms["perceptual"], expected, rtol=1e-5)
  missing = SGENet(
    generator=None, discriminator=system.discriminator, perceptual="somewhere"
  )
  with pytest.raises(ValueError, match="'somewhere'"):
    missing.generator_terms(judge[1], {}, *rest, train=True)


def test_without_a_segmentation_there_is_no_such_term(judge):
  system, variables = judge
  image, mask = small.example()
  outputs = {k: v for k, v in made().items() if k.startswith("image")}
  batch = Batch(image=image, mask=mask)
  rest = (variables, {}, batch)
  terms, _ = system.generator_terms(*rest, outputs, KEY, train=False)
  assert set(terms) == {"image", "perceptual", "adversarial"}
  with pytest.raises(ValueError, match=r"batch\.segmentation"):
    system.generator_terms(*rest, made(), KEY, train=False)


def built(num_classes, *, told=0.0, **fields):
  return SGENet.build(
    model={"generator": fields, "discriminator": {}},
    objective={"perceptual": "none", "told": told},
    num_classes=num_classes,
    num_attributes=0,
    dtype="float32",
    frozen={},
  )


def test_data_without_labels_is_refused_where_they_are_needed():
  with pytest.raises(UserError, match="basic_net_no_segmentation"):
    built(0)
  plain = built(0, segmentation=False, guided=False, reliability="none")
  assert plain.GUIDANCE == ()
  assert built(2).GUIDANCE == ("segmentation",)


def test_spectral_vectors_move_at_every_look(judge):
  system, variables = judge
  batch, outputs = batch_of(), made()
  rest = ({}, batch, outputs, KEY)
  _, collections = system.discriminator_terms(variables, *rest, train=True)
  seen = {**variables, **collections}
  _, collections = system.generator_terms(seen, *rest, train=True)
  moved = variables
  for _ in range(3):
    _, state = system.discriminator.apply(
      moved, batch.image, train=True, mutable=["spectral_norm"]
    )
    moved = {**moved, **state}
  for got, want in zip(
    jax.tree.leaves(collections),
    jax.tree.leaves(moved["spectral_norm"]),
    strict=True,
  ):
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize("train", [False, True])
def test_some_training_examples_are_told_their_labels(train):
  module = small.small_generator("sg_net")
  system = SGENet(generator=module, told=0.5)
  variables = small.drawn(module, *small.example())
  batch = batch_of()
  labels = np.repeat(batch.segmentation[:1], 2, 0)  # those of the second: none
  batch = batch.replace(segmentation=labels)
  apply = jax.jit(module.apply)
  own = apply(variables, batch.image, batch.mask)["image"]
  guided = apply(variables, batch.image, batch.mask, labels)["image"]
  assert np.abs(own - guided).max((1, 2, 3)).min() > 1e-3
  generate = jax.jit(system.generate, static_argnames="train")
  seen = set()
  for i in range(6):
    outputs, _ = generate(variables, {}, batch, jax.random.key(i), train=train)
    for found, a, b in zip(outputs["image"], own, guided, strict=True):
      distances = [np.abs(found - x).max() for x in (a, b)]
      assert min(distances) < 1e-4
      seen.add(int(np.argmin(distances)))
  assert seen == ({0, 1} if train else {0})


@pytest.mark.parametrize("told", [-0.1, 1.5])
def test_share_that_is_told_is_checked(told):
  with pytest.raises(UserError, match=r"config\.objective\.told"):
    built(3, told=told)


def test_basic_net_cannot_be_told():
  with pytest.raises(UserError, match="guided=False"):
    built(3, told=0.25, guided=False, reliability="none")
