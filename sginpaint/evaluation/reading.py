"""Shows pictures to a network that reads them, whole and with holes.

What guides inpainting reads corrupted pictures, so it is scored on both: on the
picture as it is, and with the hole that the same picture has in an evaluation
of inpainting (manifest.py), grey, whether or not the network was trained with
holes. `config.eval.masks` = "none" leaves the second out.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import tqdm

from sginpaint.batch import Batch, normalize_image, to_uint8
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import BatchIterator, evaluation_batches
from sginpaint.data.splits import Split
from sginpaint.evaluation import pairing, provenance
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.predictor import check_finite
from sginpaint.files import write_atomically

WHOLE, CORRUPTED = "whole", "corrupted"

# (outputs of `predict`, batch, mask or None) -> arrays [B, ...], jittable.
Look = Callable[
  [Mapping[str, jax.Array], Batch, jax.Array | None], Mapping[str, jax.Array]
]


@dataclasses.dataclass(frozen=True)
class Read:
  """A batch without its padding: n pictures and what was found of them.

  Attributes:
    batch: numpy; `image` uint8 and, with holes, `mask` float32 [n, S, S, 1].
    found: {WHOLE or CORRUPTED: what `Look` returned, n of each}.
  """

  batch: Batch
  found: Mapping[str, Mapping[str, np.ndarray]]

  @property
  def index(self) -> np.ndarray:
    """int [n], positions in the split."""
    return np.asarray(self.batch.index)


class Reader:
  """The first `config.eval.count` pictures of a split, with their holes."""

  def __init__(self, loaded: Loaded, split: Split):
    """Pairs the pictures with holes.

    Args:
      loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
      split: of a data set.

    Raises:
      UserError: see `build_manifest`.
    """
    self._loaded, self._split = loaded, split
    options = loaded.config.eval
    self.count = min(options.count or len(split), len(split))
    self._manifest: Manifest | None = None
    if options.masks != pairing.NONE:
      everything = pairing.manifest_of(split, loaded.config, count=0)
      # In the order of the split, so that these are the first pictures of it.
      self._manifest = dataclasses.replace(
        everything, pairs=everything.pairs[: self.count]
      )
    self._ratios: dict[int, float] = {}
    self._holes = hashlib.sha256()

  @property
  def readings(self) -> tuple[str, ...]:
    """WHOLE and, unless masks are none, CORRUPTED."""
    return (WHOLE,) if self._manifest is None else (WHOLE, CORRUPTED)

  def read(self, look: Look) -> Iterator[Read]:
    """Yields every batch with what `look` finds in the network's outputs.

    Raises:
      UserError: the network puts out NaN or infinity.
    """
    system = self._loaded.system

    @jax.jit
    def see(variables, frozen, batch, mask):
      outputs = system.predict(variables, frozen, seen(batch.image, mask))
      finite = [
        jnp.isfinite(x).reshape(len(x), -1).all(-1) for x in outputs.values()
      ]
      return look(outputs, batch, mask), jnp.stack(finite).all(0)

    bar = tqdm.tqdm(
      total=self.count, desc="evaluate", unit="picture", disable=None
    )
    with self._batches() as batches, bar:
      for batch in batches:
        # Padding repeats a picture that is there, so it has a mask as well.
        mask = self._manifest and self._manifest.draw(np.asarray(batch.index))
        n = int(np.asarray(batch.valid).sum())
        found = {}
        for reading in self.readings:
          hole = mask if reading == CORRUPTED else None
          looked, finite = jax.device_get(
            see(self._loaded.variables, self._loaded.frozen, batch, hole)
          )
          check_finite(finite[:n], np.asarray(batch.index)[:n])
          found[reading] = _first(n, looked)
        batch = _first(n, batch.replace(mask=mask))
        self._remember(batch)
        yield Read(batch, found)
        bar.update(n)

  def _batches(self) -> BatchIterator:
    data = self._loaded.config.data
    return evaluation_batches(
      self._split,
      batch_size=self._loaded.config.eval.batch_size,
      image_size=data.image_size,
      resize=data.resize,
      crop_size=data.crop_size,
      threads=data.threads,
      indices=range(self.count),
    )

  def _remember(self, batch: Batch) -> None:
    if batch.mask is not None:
      ratios = np.asarray(batch.mask, np.float64).mean((1, 2, 3))
      for index, ratio in zip(np.asarray(batch.index), ratios, strict=True):
        self._ratios[int(index)] = float(ratio)
      self._holes.update(np.packbits(batch.mask > 0.5).tobytes())

  def record(self, weights: str) -> dict[str, Any]:
    """`provenance` of metrics.json; complete once everything was read.

    Args:
      weights: which weights the checkpoint holds.
    """
    facts = provenance.describe(self._loaded, self._split, weights)
    if self._manifest is None:
      return facts
    done = self._manifest.completed(self._ratios)
    return facts | pairing.describe(done, self._holes.hexdigest())

  def save_pairs(self, output: Path, record: dict[str, Any]) -> None:
    """Writes manifest.jsonl, where there are holes.

    Args:
      output: folder.
      record: what `record` returned.
    """
    if self._manifest is not None:
      done = self._manifest.completed(self._ratios)
      write_atomically(output / "manifest.jsonl", pairing.jsonl(done, record))


def seen(image: chex.Array, mask: chex.Array | None) -> Batch:
  """What a network is shown of pictures: nothing under the hole.

  Args:
    image: uint8 or [-1, 1] [B, H, W, 3].
    mask: [B, H, W, 1], 1 = hole; None = whole pictures.
  """
  pixels = normalize_image(image)
  if mask is not None:
    pixels = jnp.where(mask > 0.5, 0.0, pixels)
  return Batch(image=pixels, mask=mask)


def shown(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """The corrupted picture uint8 [H, W, 3] as the network was shown it."""
  return np.asarray(to_uint8(seen(image, mask).image))


def _first(n: int, tree: Any) -> Any:
  """The first n of every array, on the host."""
  return jax.tree.map(lambda x: np.asarray(x)[:n], tree)
