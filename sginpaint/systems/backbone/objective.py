"""A plain network in a workdir, for losses and measures to load.

VGG, Inception, LPIPS and trunks without a head have weights that must lie
somewhere, in the one format of checkpoints there is. As a system such a network
is only its `generator`: it fills no pictures and cannot be trained or scored.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NoReturn, Self

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.backbones import NETWORKS
from sginpaint.batch import Batch, normalize_image
from sginpaint.errors import UserError
from sginpaint.systems.base import System, Variables, build_network


@dataclasses.dataclass(frozen=True)
class Backbone(System):
  """A network for losses and measures; it makes no pictures.

  Attributes:
    pictures: how many pictures the network takes at once (LPIPS: 2).
  """

  pictures: int = 1

  @classmethod
  def build(
    cls,
    *,
    model: Mapping[str, Any],
    objective: Mapping[str, Any],
    num_classes: int,
    num_attributes: int,
    dtype: str,
    frozen: Mapping[str, nn.Module],
  ) -> Self:
    """Builds `model["generator"]`: a key of NETWORKS and fields; no labels.

    Raises:
      UserError: the network's name is not known.
    """
    del num_classes, num_attributes
    network = build_network(
      NETWORKS, model["generator"], dtype=jnp.dtype(dtype)
    )
    return cls(generator=network, frozen=frozen, **objective)

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """The pictures, float in [-1, 1], as often as the network wants some."""
    return (normalize_image(batch.image),) * self.pictures

  def init(self, key: jax.Array, batch: Batch) -> dict[str, Variables | None]:
    """As `System.init`; not every network knows `train`."""
    inputs = self.generator_inputs(batch)
    return {
      "generator": self.generator.init(key, *inputs),
      "discriminator": None,
    }

  def generate(self, variables, frozen, batch, key, *, train) -> NoReturn:
    """Raises UserError: there is nothing to train."""
    self._refuse()

  def predict(self, variables, frozen, batch) -> NoReturn:
    """Raises UserError: there is nothing to fill or to score."""
    self._refuse()

  def _refuse(self) -> NoReturn:
    raise UserError(
      f"this workdir holds a {type(self.generator).__name__} for losses and "
      "measures; it fills no pictures and cannot be trained or evaluated"
    )
