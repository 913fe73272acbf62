"""A system without weights, for tests of what surrounds a network."""

import dataclasses
import types
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from ml_collections import ConfigDict

from sginpaint.systems import base


class Nothing(nn.Module):
  """Stands where a generator has to be."""


@dataclasses.dataclass(frozen=True)
class MeanColour(base.System):
  """Fills holes with the mean of what is known; reports its guidance.

  Attributes:
    broken: predict NaN.
  """

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation", "attributes")

  generator: nn.Module = dataclasses.field(default_factory=Nothing)
  broken: bool = False

  def predict(self, variables, frozen, batch):
    known = 1 - batch.mask
    total = (batch.image * known).sum((1, 2), keepdims=True)
    mean = total / jnp.maximum(known.sum((1, 2), keepdims=True), 1)
    image = jnp.broadcast_to(mean, batch.image.shape)
    outputs = {
      "image": image * jnp.nan if self.broken else image,
      "confidence": 1 - batch.mask[..., 0],
      "scales": {"half": batch.image[:, ::2, ::2]},
    }
    if batch.guidance is not None:
      if batch.guidance.segmentation is not None:
        # Paints the class index: tests see which label reached which pixel.
        told = batch.guidance.segmentation
        outputs["segmentation"] = told
        painted = jnp.stack([told / 127.5 - 1.0] * 3, -1)
        outputs["image"] = jnp.where(told[..., None] == 255, image, painted)
      if batch.guidance.attributes is not None:
        outputs["attributes"] = batch.guidance.attributes
    return outputs


@dataclasses.dataclass(frozen=True)
class Untold(MeanColour):
  """Takes no guidance."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ()


def loaded(size: int = 32, *, system: base.System | None = None):
  """What `checkpoints.load` returns, of a system without weights."""
  config = ConfigDict({"system": "mean_colour"})
  config.data = ConfigDict(
    {
      "image_size": size,
      "classes": [
        {"name": f"class {i}", "colour": (i, 255 - i, 40), "mirror": ""}
        for i in range(200)
      ],
      "attributes": ["day", "snow", "people"],
    }
  )
  return types.SimpleNamespace(
    config=config,
    system=system or MeanColour(),
    variables={"params": {}},
    frozen={},
    step=7,
    hash="0" * 64,
    workdir="somewhere",
    frozen_hashes={},
  )
