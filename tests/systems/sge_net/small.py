"""SGE-Net and its ablations, as small as they get."""

import functools

import jax
import numpy as np

from sginpaint.systems.sge_net.discriminator import Discriminator
from sginpaint.systems.sge_net.networks import Generator

CLASSES = 3
VARIANTS = {
  "sge_net": {},
  "sg_net": {"reliability": "none"},
  "basic_net": {"reliability": "none", "guided": False},
}

small_discriminator = functools.partial(
  Discriminator, widths=(2, 3), scales=2, deviation=0.3
)


def small_generator(variant="sge_net", **fields):
  """One of `VARIANTS`, with other fields where given."""
  fields = VARIANTS[variant] | fields
  return Generator(
    CLASSES, width=2, dilations=(2,), spade_hidden=3, deviation=0.2, **fields
  )


def example(height=32, width=32):
  """(image, mask) of two pictures."""
  generator = np.random.default_rng(0)
  image = generator.uniform(-1, 1, (2, height, width, 3)).astype("float32")
  mask = np.zeros((2, height, width, 1), "float32")
  mask[0, 6:20, 5:25] = mask[1, 8:, :9] = 1
  return image, mask


def labels(height=32, width=32):
  """int [2, H, W]; of the second picture nothing is known."""
  made = np.indices((height, width)).sum(0) // 11 % CLASSES
  made[:3] = 255
  return np.stack([made, np.full_like(made, 255)])


def drawn(module, *inputs):
  """Variables drawn in numpy: quicker than compiling the initialisers."""
  shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  generator = np.random.default_rng(1)
  return jax.tree.map(
    lambda x: 0.3 * generator.standard_normal(x.shape, "float32"), shapes
  )


def without_bias_nets(variables):
  """SG-Net's share of SGE-Net's variables."""
  return {
    "params": {
      name: {
        k: v for k, v in module.items() if k not in ("mask", "bias_0", "bias_1")
      }
      if name.startswith("sgim")
      else module
      for name, module in variables["params"].items()
    }
  }
