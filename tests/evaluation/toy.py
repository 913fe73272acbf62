"""Pictures of one colour each, and a system that can see the colour.

Under any hole the truth equals what is around it, so the system is exact, or
off by a known number of grey levels, and every score is known by hand.
"""

import dataclasses
from collections.abc import Sequence

import flax.linen as nn
import jax
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

  @property
  def labelled(self) -> np.ndarray:
    return np.ones(self.count, bool)

  def content(self, index: int) -> str:
    return f"grey {20 + 10 * index}"

  def __len__(self) -> int:
    return self.count

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    return {
      "image": np.full((SIZE, SIZE, 3), 20 + 10 * index, np.uint8),
      "segmentation": np.full((SIZE, SIZE), index % 2, np.int32),
      "attributes": np.array([index % 2, 1 - index % 2], np.float32),
    }


@dataclasses.dataclass(frozen=True)
class LabelledExamples(PlainExamples):
  """The same pictures, with classes 0, 1 and 255 at random places."""

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    labels = np.random.default_rng(index).choice(
      np.array([0, 1, 1, 255], np.int32), (SIZE, SIZE)
    )
    return {**super().__getitem__(index), "segmentation": labels}


@dataclasses.dataclass(frozen=True)
class UnlabelledExamples(PlainExamples):
  """The same pictures in a data set with classes, but without label files."""

  @property
  def labelled(self) -> np.ndarray:
    return np.zeros(self.count, bool)

  def __getitem__(self, index: int) -> dict[str, np.ndarray]:
    unknown = np.full((SIZE, SIZE), 255, np.int32)
    return {**super().__getitem__(index), "segmentation": unknown}


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
class MapSystem(PlainSystem):
  """With a label map and a confidence of full and of half size."""

  def predict(self, variables, frozen, batch):
    image = super().predict(variables, frozen, batch)["image"]
    bright = image[:, :1, :1, 0] * 0.5 + 0.5
    full, half = columns(SIZE), columns(SIZE // 2)
    return {
      "image": image,
      "image_1": image[:, ::2, ::2] + 16 / 127.5,
      "scales": (image[:, ::2, ::2], image),
      "segmentation": jnp.broadcast_to(MAP, (len(image), SIZE, SIZE)),
      "segmentation_1": jnp.ones((len(image), SIZE // 2, SIZE // 2), int),
      "confidence": 0.503 + 0.47 * bright * full,
      "confidence_1": 0.5 + 0.2 * bright * half,
    }


MAP = np.indices((SIZE, SIZE)).sum(0) % 2


def columns(size: int) -> np.ndarray:
  """[size, size], from 0 on the left to nearly 1."""
  return np.broadcast_to(np.arange(size, dtype=np.float32) / size, (size,) * 2)


@dataclasses.dataclass(frozen=True)
class PlainSegmenter(System):
  """Class 1 where a picture is brighter than `level`."""

  generator: nn.Module = dataclasses.field(default_factory=_Nothing)
  level: float = 0.0

  def predict(self, variables, frozen, batch):
    bright = batch.image[..., 0] > self.level / 127.5 - 1
    return {
      "segmentation": bright.astype(jnp.int32),
      "segmentation_logits": jax.nn.one_hot(bright.astype(int), 2),
      "confidence": jnp.ones(bright.shape),
    }


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


def labelled_split(count: int) -> Split:
  return Split("test", LabelledExamples(count), CLASSES, ATTRIBUTES)


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
