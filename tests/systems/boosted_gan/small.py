"""A boosted GAN as small as it gets, and stand-ins for its frozen networks."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import Batch
from sginpaint.systems.boosted_gan.objective import BoostedGAN

A, K, SIDE = 3, 4, 32
GENERATOR = {"widths": (4, 6, 6), "dilations": (2,), "decoder_widths": (6, 4)}
JUDGE = {"widths": (4, 4), "hidden": 5}
FROZEN = {"classifier": {"params": {}}, "segmenter": {"params": {}}}


class Classifier(nn.Module):
  """Says how red, green and blue a picture is."""

  @nn.compact
  def __call__(self, image, *, train):
    assert not train
    return {"logits": 5 * image.mean((1, 2))}


class Segmenter(nn.Module):
  """Says which colour prevails, and class 3 where none does."""

  @nn.compact
  def __call__(self, image, *, train):
    assert not train
    none = jnp.full((*image.shape[:3], 1), 0.05)
    return {"segmentation_logits": 9 * jnp.concatenate([image, none], -1)}


def system(*, told=(True, True), judged=(True, True)):
  """Told and judged by (attributes, segmentation)."""
  spec = lambda i: "somewhere" if told[i] or judged[i] else "none"
  return BoostedGAN.build(
    model={
      "generator": {
        **GENERATOR,
        "attributes_input": told[0],
        "segmentation_input": told[1],
      },
      "discriminator": {
        **JUDGE,
        "attributes": judged[0],
        "segmentation": judged[1],
      },
    },
    objective={"classifier": spec(0), "segmenter": spec(1)},
    num_classes=K,
    num_attributes=A,
    dtype="float32",
    frozen={"classifier": Classifier(), "segmenter": Segmenter()},
  )


def batch(guidance=None):
  """Two pictures with a rectangle each."""
  rng = np.random.default_rng(0)
  image = rng.uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)
  image[0, :, :, 0] += 0.5
  image = np.clip(image, -1, 1)
  mask = np.zeros((2, SIDE, SIDE, 1), np.float32)
  mask[:, 8:24, 4:20] = 1
  return Batch(image=image, mask=mask, guidance=guidance)


def drawn(module, *inputs, scale=0.3):
  """Variables drawn in numpy: quicker than compiling the initialisers."""
  shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  rng = np.random.default_rng(1)
  return jax.tree.map(
    lambda x: scale * rng.standard_normal(x.shape, "float32"), shapes
  )


def players(built):
  """{player: variables} of a system."""
  example = batch()
  return {
    "generator": drawn(built.generator, *built.generator_inputs(example)),
    "discriminator": drawn(
      built.discriminator, *built.discriminator_inputs(example)
    ),
  }
