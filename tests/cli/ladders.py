"""Toy rows of a ladder, which train and are evaluated in a second."""

import contextlib
import dataclasses
from typing import ClassVar

import jax.numpy as jnp
import pytest

from sginpaint.cli import ladder
from sginpaint.systems import SYSTEMS
from tests.training.toy import ToyDiscriminator, ToyGenerator, ToySystem


@dataclasses.dataclass(frozen=True)
class Toy(ToySystem):
  """Built from a config."""

  @classmethod
  def build(cls, *, model, objective, **_):
    judged = objective["judged"]
    discriminator = ToyDiscriminator() if judged else None
    return cls(generator=ToyGenerator(), discriminator=discriminator)


class Guided(Toy):
  """Shows what it is told: its holes are the class index, as a grey level."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)

  def predict(self, variables, frozen, batch):
    outputs = super().predict(variables, frozen, batch)
    if batch.guidance is not None:
      told = batch.guidance.segmentation[..., None] / 127.5 - 1.0
      outputs["image"] = 0.0 * outputs["image"] + told
    return outputs


class Labels(Toy):
  """Makes no pictures: every pixel is of class 0."""

  def predict(self, variables, frozen, batch):
    shape = batch.image.shape[:3]
    return {
      "segmentation": jnp.zeros(shape, jnp.int32),
      "confidence": jnp.ones(shape),
    }


CONFIG = """
from configs import common

def get_config(arg=""):
  c = common.get_config()
  c.system = "{system}"
  c.objective.judged = {judged}
  c.loss_weights.generator = {{"l1": 1.0{game}}}
  c.loss_weights.discriminator = {{{disc}}}
  c.data.path = "{data}"
  c.data.builder_config, c.data.image_size = "32", 32
  c.steps, c.batch_size = 2, 4
  c.log.every, c.log.images_every = 1, 0
  c.eval.batch_size, c.eval.panels = 4, 1
  c.eval.count, c.eval.baselines = 4, ("mean_color",)
  {more}
  return c
"""


def config_file(path, data, *, system="toy", judged=True, more=""):
  """A config of a toy; `more` is one further statement."""
  path.write_text(
    CONFIG.format(
      system=system,
      judged=judged,
      game=', "game": 0.1' if judged else "",
      disc='"game": 1.0' if judged else "",
      data=data,
      more=more,
    )
  )
  return str(path)


@contextlib.contextmanager
def toys():
  """Makes the systems known by name."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(SYSTEMS, "toy", Toy)
    patch.setitem(SYSTEMS, "guided", Guided)
    patch.setitem(SYSTEMS, "labels", Labels)
    yield


def two_configs(folder, data):
  """Files of a system that takes no segmentation, and of one that does."""
  return [
    config_file(folder / "plain.py", data, judged=False),
    config_file(folder / "guided.py", data, system="guided"),
  ]


def run(configs, workdir, *flags, seeds=2, masks=("center",)):
  """The exit code of the command."""
  return ladder.main(
    [
      *("--configs", *configs, "--workdir", str(workdir)),
      *("--seeds", str(seeds), "--masks", *masks, *flags),
    ]
  )
