"""Pictures that no network of ours makes: of other programs, of baselines.

They are evaluated like a checkpoint: `load_given` makes what `checkpoints.load`
makes, with a system that has no weights and is asked for pictures instead.
"""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import cv2
import flax.linen as nn
import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.evaluation.baselines import RADIUS, fill_batch
from sginpaint.evaluation.results import SYSTEM
from sginpaint.files import digest
from sginpaint.systems.base import System

# (index [B], truth uint8 [B, S, S, 3], mask [B, S, S, 1], threads) -> uint8
# [B, S, S, 3]; what it says of known pixels is not looked at.
Fill = Callable[
  [np.ndarray, np.ndarray, np.ndarray, ThreadPoolExecutor], np.ndarray
]
NO_STEP = 0


class _Nothing(nn.Module):
  """Stands where a generator has to be."""


@dataclasses.dataclass(frozen=True)
class GivenPictures(System):
  """A system whose pictures come from the host.

  Attributes:
    fill: makes them.
  """

  GUIDANCE: ClassVar[tuple[str, ...]] = ()

  generator: nn.Module = dataclasses.field(default_factory=_Nothing)
  fill: Fill | None = None

  def predict(self, variables, frozen, batch) -> dict[str, jax.Array]:
    """The damaged picture; `fill` takes its place."""
    del variables, frozen
    return {"image": batch.image}


def given_fills(
  system: System,
) -> Callable[
  [np.ndarray, np.ndarray, np.ndarray, ThreadPoolExecutor],
  dict[str, np.ndarray],
]:
  """What the host puts in the place of the system's pictures.

  Returns:
    A function with the arguments of a `Fill` that gives {SYSTEM: pictures},
    known pixels put back; {} of a system of our own.
  """
  fill = system.fill if isinstance(system, GivenPictures) else None

  def fills(index, truth, mask, pool) -> dict[str, np.ndarray]:
    if fill is None:
      return {}
    pictures = fill(index, truth, mask, pool)
    return {SYSTEM: np.where(mask > 0.5, pictures, truth)}

  return fills


def load_given(
  fill: Fill, config: ConfigDict, *, kind: str, key: str
) -> Loaded:
  """`fill` in the place of a checkpoint.

  Args:
    fill: makes the pictures.
    config: of the evaluation.
    kind: stands where the name of a system would.
    key: of what makes the pictures, or of these; its digest is their hash.
  """
  config = config.copy_and_resolve_references()
  config.system = kind
  # What another program was trained with is not known.
  config.data.train_split = config.masks.path = ""
  return Loaded(
    config=config,
    system=GivenPictures(fill=fill),
    variables={},
    frozen={},
    step=NO_STEP,
    hash=digest(kind, key),
    workdir="",
  )


def load_baseline(name: str, config: ConfigDict) -> Loaded:
  """A key of `baselines.BASELINES` in the place of a checkpoint."""

  def fill(index, truth, mask, pool) -> np.ndarray:
    del index
    return fill_batch(name, truth, mask, pool)

  key = f"radius {RADIUS}, OpenCV {cv2.__version__}"
  return load_given(fill, config, kind=name, key=key)
