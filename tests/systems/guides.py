"""Networks that guide others, as small as they get and never trained."""

import contextlib
import dataclasses
import importlib

import flax.linen as nn
import pytest
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.data.builders.synthetic_scenes import classes, scene
from sginpaint.data.classes import ClassInfo
from sginpaint.systems import build_system, example_batch
from sginpaint.systems.segmenter import objective as segmenter
from tests.systems.boosted_gan.small import drawn

CLASSES = tuple(
  dataclasses.asdict(ClassInfo(name, colour))
  for name, colour in classes.CLASSES
)
ATTRIBUTES = tuple(scene.ATTRIBUTES)


class Pointwise(nn.Module):
  """Sees no further than a pixel: a BiSeNet takes seconds to trace."""

  num_classes: int
  dtype: str

  @nn.compact
  def __call__(self, image, *, train=False):
    logits = nn.Dense(self.num_classes)(image)
    return {"segmentation_logits": logits, "auxiliary": []}


# {config: its model.generator}
NETWORKS = {
  "embedding_attributes": {
    "name": "vgg",
    "layers": (1,),
    "widths": (2,),
    "head": "mean",
  },
  "embedding_segmentation": {"name": "pointwise"},
  "segmenter": {"name": "pointwise"},
}


@contextlib.contextmanager
def known():
  """Configs may name `Pointwise`."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(segmenter.NETWORKS, "pointwise", Pointwise)
    yield


def config_of(name, attributes=ATTRIBUTES):
  """configs/<name>.py with such a network."""
  config = importlib.import_module(f"configs.{name}").get_config("quick")
  config.data.image_size = 32
  config.data.classes, config.data.attributes = CLASSES, attributes
  config.model.generator = ConfigDict(NETWORKS[name])
  return config


def network(folder, name, attributes=ATTRIBUTES):
  """A workdir of configs/<name>.py."""
  config = config_of(name, attributes)
  built = build_system(config)
  inputs = built.generator_inputs(example_batch(config))
  variables = drawn(built.generator, *inputs)
  checkpoints.save_generator(str(folder), config, 5, variables)
  return str(folder)
