"""The systems of the library: one line each, one folder each."""

from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from sginpaint.batch import Batch
from sginpaint.errors import UserError, check_choice
from sginpaint.systems.backbone.objective import Backbone
from sginpaint.systems.base import System, Variables
from sginpaint.systems.boosted_gan.objective import BoostedGAN
from sginpaint.systems.classifier.objective import Classifier
from sginpaint.systems.espa.objective import ESPA
from sginpaint.systems.segmenter.objective import Segmenter
from sginpaint.systems.sge_net.objective import SGENet
from sginpaint.systems.spl.objective import SPL

SYSTEMS: dict[str, type[System]] = {
  "backbone": Backbone,
  "boosted_gan": BoostedGAN,
  "classifier": Classifier,
  "espa": ESPA,
  "segmenter": Segmenter,
  "sge_net": SGENet,
  "spl": SPL,
}


def build_system(
  config: ConfigDict, frozen: Mapping[str, nn.Module] | None = None
) -> System:
  """The system that a config describes.

  Args:
    config: a resolved config (configs/common.py).
    frozen: modules of networks that the system uses but does not train.

  Raises:
    UserError: `config.system` is not a key of `SYSTEMS`, or the sections of the
      config are not those of that system.
  """
  check_choice("system", config.system, SYSTEMS)
  try:
    return SYSTEMS[config.system].build(
      model=config.model.to_dict(),
      objective=config.objective.to_dict(),
      num_classes=len(config.data.classes),
      num_attributes=len(config.data.attributes),
      dtype=config.dtype,
      frozen=frozen or {},
    )
  except (KeyError, TypeError) as e:  # a field is lacking, or is not known
    raise UserError(
      f"config.system={config.system}: config.model or config.objective is of "
      f"another system or version ({e}); take those of a config of this one"
    ) from e


def network_shapes(config: ConfigDict) -> dict[str, Variables]:
  """{player: shapes of its variables}, of those there are."""
  shapes = jax.eval_shape(
    build_system(config).init, jax.random.key(0), example_batch(config)
  )
  return {player: tree for player, tree in shapes.items() if tree is not None}


def example_batch(config: ConfigDict, batch_size: int = 1) -> Batch:
  """A batch of zeros with the shapes that the networks of `config` see."""
  b, s = batch_size, config.data.image_size
  return Batch(
    image=jnp.zeros((b, s, s, 3)),
    mask=jnp.zeros((b, s, s, 1)),
    segmentation=jnp.zeros((b, s, s), jnp.int32),
    attributes=jnp.zeros((b, len(config.data.attributes))),
  )
