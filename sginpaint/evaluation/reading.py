"""Shows pictures to a network that reads them, whole and with holes.

What guides inpainting reads corrupted pictures, so it is scored on both: on the
picture as it is, and with the hole that the same picture has in an evaluation
of inpainting (manifest.py), grey, whether or not the network was trained with
holes. `config.eval.masks` = "none" leaves the second out, unless
`config.eval.manifest` says which pictures have which holes.

Pictures are read, kept and shared out in units, see sharing.py.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import Batch, to_uint8
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import (
  BatchIterator,
  evaluation_batches,
  geometry_options,
)
from sginpaint.data.splits import Split
from sginpaint.evaluation import pairing, placement, provenance
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.served import check_finite, seen
from sginpaint.evaluation.sharing import (
  Records,
  Team,
  parts_of,
  records_folder,
  share_of,
)
from sginpaint.files import write_atomically

WHOLE, CORRUPTED = "whole", "corrupted"

# (outputs of `predict`, batch, mask or None) -> arrays [B, ...], jittable.
Look = Callable[
  [Mapping[str, jax.Array], Batch, jax.Array | None], Mapping[str, jax.Array]
]


@dataclasses.dataclass(frozen=True)
class Read:
  """A unit without its padding: n pictures and what was found of them.

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
  """The first `config.eval.count` pictures of a split, with their holes.

  Where the config names a manifest, its pictures and no others.

  Attributes:
    indices: positions of the pictures in the split, ascending.
  """

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
    self._unit = options.batch_size
    count = None if options.manifest else options.count or None
    self.indices = list(range(len(split)))[:count]
    self._manifest: Manifest | None = None
    if options.manifest or options.masks != pairing.NONE:
      everything = pairing.manifest_of(split, loaded.config, count=0)
      # In the order of the split, so that these are the first pictures of it.
      self._manifest = dataclasses.replace(
        everything, pairs=everything.pairs[:count]
      )
      self.indices = self._manifest.indices
    self._ratios: dict[int, float] = {}
    self._holes = hashlib.sha256()

  @property
  def masks(self) -> str:
    """Kind or folder of the holes; "none" where there are none."""
    return pairing.NONE if self._manifest is None else self._manifest.masks

  @property
  def readings(self) -> tuple[str, ...]:
    """WHOLE and, unless masks are none, CORRUPTED."""
    return (WHOLE,) if self._manifest is None else (WHOLE, CORRUPTED)

  def measure(
    self,
    look: Look,
    keep: Callable[[Read], dict[str, Any]],
    *,
    output_dir: str | Path,
    weights: str,
    team: Team,
    progress: bool,
  ) -> Records:
    """Makes the record of every unit, this process its share of those missing.

    Args:
      look: finds something in the network's outputs.
      keep: what `units` shall give of a unit, as `Records.write` takes it.
      output_dir: of the evaluation.
      weights: which weights the checkpoint holds.
      team: who shares the work.
      progress: show a bar, on a terminal.

    Raises:
      UserError: the network puts out NaN or infinity.
    """
    pairs = self._manifest.hash if self._manifest else ""
    key = provenance.key(self._loaded, self._split, weights, pairs, [])
    units = len(parts_of(len(self.indices), self._unit))
    records = Records(units, records_folder(output_dir, key))
    with share_of(
      team, records, self.indices, self._unit, progress=progress
    ) as (wanted, write):
      for read in self._read(look, wanted):
        write(keep(read) | self._pairs_of(read.batch), len(read.index))
    return records

  def units(self, records: Records) -> Iterator[dict[str, Any]]:
    """Yields what was kept of each unit, in order."""
    for record in records.read():
      if "holes" in record:
        found = zip(record["index"], record["ratios"], strict=True)
        self._ratios |= {int(i): float(ratio) for i, ratio in found}
        self._holes.update(record["holes"].tobytes())
      yield record

  def _read(self, look: Look, indices: Sequence[int]) -> Iterator[Read]:
    """Yields a unit after the other; each device reads one at a time."""
    system = self._loaded.system
    variables = placement.everywhere(
      (self._loaded.variables, self._loaded.frozen)
    )

    @jax.jit
    def see(variables, frozen, batch, mask):
      outputs = system.predict(variables, frozen, seen(batch.image, mask))
      finite = [
        jnp.isfinite(x).reshape(len(x), -1).all(-1) for x in outputs.values()
      ]
      return look(outputs, batch, mask), jnp.stack(finite).all(0)

    with self._batches(indices) as batches:
      for batch in batches:
        # Padding repeats a picture that is there, so it has a mask as well.
        mask = self._manifest and self._manifest.draw(np.asarray(batch.index))
        n = int(np.asarray(batch.valid).sum())
        placed = jax.device_put((batch, mask), placement.in_parts())
        found = {}
        for reading in self.readings:
          hole = placed[1] if reading == CORRUPTED else None
          looked, finite = jax.device_get(see(*variables, placed[0], hole))
          check_finite(finite[:n], np.asarray(batch.index)[:n])
          found[reading] = looked
        batch = batch.replace(mask=mask)
        for part in parts_of(n, self._unit):
          yield Read(_rows(part, batch), _rows(part, found))

  def _batches(self, indices: Sequence[int]) -> BatchIterator:
    return evaluation_batches(
      self._split,
      batch_size=placement.batch_size(self._unit),
      **geometry_options(self._loaded.config.data, train=False),
      indices=indices,
    )

  def _pairs_of(self, batch: Batch) -> dict[str, Any]:
    """What a record tells of its pictures and their holes."""
    index = {"index": np.asarray(batch.index)}
    if batch.mask is None:
      return index
    return index | {
      "ratios": np.asarray(batch.mask, np.float64).mean((1, 2, 3)),
      "holes": np.packbits(batch.mask > 0.5),
    }

  def metrics(
    self,
    protocol: str,
    weights: str,
    section: Callable[[str], Mapping[str, Any]],
  ) -> dict[str, Any]:
    """Contents of metrics.json; complete once `units` has given all.

    Args:
      protocol: name of the way of scoring.
      weights: which weights the checkpoint holds.
      section: WHOLE or CORRUPTED -> what was found of such pictures.
    """
    found = {reading: section(reading) for reading in self.readings}
    return {
      "protocol": protocol,
      "step": self._loaded.step,
      "count": len(self.indices),
      "masks": self.masks,
      "guidance": "none",
      **found.pop(WHOLE),
      **found,
      "provenance": self._provenance(weights),
    }

  def _provenance(self, weights: str) -> dict[str, Any]:
    facts = provenance.describe(self._loaded, self._split, weights)
    if self._manifest is None:
      return facts
    done = self._manifest.completed(self._ratios)
    return facts | pairing.describe(done, self._holes.hexdigest())

  def save_pairs(self, output: Path, record: dict[str, Any]) -> None:
    """Writes manifest.jsonl, where there are holes.

    Args:
      output: folder.
      record: `provenance` of metrics.json.
    """
    if self._manifest is not None:
      done = self._manifest.completed(self._ratios)
      write_atomically(output / "manifest.jsonl", pairing.jsonl(done, record))


def shown(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """The corrupted picture uint8 [H, W, 3] as the network was shown it."""
  return np.asarray(to_uint8(seen(image, mask).image))


def _rows(part: slice, tree: Any) -> Any:
  """The same rows of every array, on the host."""
  return jax.tree.map(lambda x: np.asarray(x)[part], tree)
