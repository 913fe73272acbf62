"""Pictures of one colour each, and a system that can see the colour.

Under any hole the truth equals what is around it, so the system is exact, or
off by a known number of grey levels, and every score is known by hand.
"""

import dataclasses
from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from configs.common import get_config
from sginpaint.checkpoints import Loaded
from sginpaint.data.classes import ClassInfo
from sginpaint.data.splits import Split
from sginpaint.systems.base import System

SIZE = 16
CLASSES = (ClassInfo("sky", (0, 0, 200)), ClassInfo("ground", (90, 60, 0)))
ATTRIBUTES = ("bright", "dark")


class _Nothing(nn.Module):
  def __call__(self, x, *, train=False):
    return x


@dataclasses.dataclass(frozen=True)
class PlainExamples:
  """Picture i is grey of level 20 + 10 i."""

  count: int

  @property
  def ids(self) -> Sequence[str]:
    return [f"plain_{i}" for i in range(self.count)]

  @property
  def fingerprint(self) -> str:
    return f"plain{self.count}"

  def __len__(self) -> int:
    return self.count

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    return {
      "image": np.full((SIZE, SIZE, 3), 20 + 10 * index, np.uint8),
      "segmentation": np.full((SIZE, SIZE), index % 2, np.int32),
      "attributes": np.array([index % 2, 1 - index % 2], np.float32),
    }


@dataclasses.dataclass(frozen=True)
class PlainSystem(System):
  """Fills with the colour around, `off` grey levels too bright."""

  generator: nn.Module = dataclasses.field(default_factory=_Nothing)
  off: float = 0.0
  seen: list = dataclasses.field(default_factory=list)

  def predict(self, variables, frozen, batch):
    self.seen.append(batch)
    known = 1.0 - batch.mask
    total = (batch.image * known).sum((1, 2), keepdims=True)
    mean = total / known.sum((1, 2), keepdims=True)
    image = jnp.broadcast_to(mean + self.off / 127.5, batch.image.shape)
    return {"image": image, "prior": batch.image[:, ::4, ::4]}


@dataclasses.dataclass(frozen=True)
class PlainClassifier(System):
  """Logits that are right for the attributes of `PlainExamples`."""

  generator: nn.Module = dataclasses.field(default_factory=_Nothing)

  def predict(self, variables, frozen, batch):
    level = batch.image[:, 0, 0, 0] * 127.5 + 127.5
    odd = jnp.round((level - 20) / 10) % 2 * 2 - 1
    return {"attribute_logits": jnp.stack([odd, -odd], axis=-1)}


def plain_split(count: int) -> Split:
  return Split("test", PlainExamples(count), CLASSES, ATTRIBUTES)


def load_toy(system: System, **eval_fields) -> Loaded:
  """`system` as if it came from a checkpoint of step 7."""
  config = get_config()
  config.system = "plain"
  config.data.image_size = SIZE
  config.data.name = "plain"
  config.data.attributes = ATTRIBUTES
  config.data.classes = tuple(map(dataclasses.asdict, CLASSES))
  config.eval.update({"batch_size": 4, "panels": 3, "baselines": ()})
  config.eval.update(eval_fields)
  return Loaded(
    config=config,
    system=system,
    variables={"params": {}},
    frozen={},
    step=7,
    hash="0" * 64,
    workdir="toy",
  )
