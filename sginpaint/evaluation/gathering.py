"""What is kept of the batches of an evaluation, and how it is kept on disk.

A batch leaves behind its rows, what the analyses and the reviewers found, its
features and the pictures worth showing. All of it is in one record, which can
be added again in place of the batch: an interrupted evaluation adds the records
of what it did before, in order, and goes on, with the same numbers.
"""

import dataclasses
import hashlib
import pathlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from flax import serialization

from sginpaint.errors import UserError
from sginpaint.evaluation.analyses import Analyst
from sginpaint.evaluation.analysis import Findings
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.predictor import Measured
from sginpaint.evaluation.protocols import KNOWN_CHANGED
from sginpaint.evaluation.results import Panel, Row, count_classes
from sginpaint.evaluation.reviewers import Reviewer
from sginpaint.files import write_atomically

_FOLDER = "partial"


class Gathering:
  """Adds up batches.

  Attributes:
    manifest: the pairs of the evaluation.
    rows: of all pictures so far.
  """

  def __init__(
    self,
    manifest: Manifest,
    *,
    analyst: Analyst,
    reviewers: Sequence[Reviewer],
    collector: Collector,
    gallery: Gallery,
  ):
    """Starts empty; every part is added to, and asked for its end elsewhere."""
    self.manifest, self._analyst = manifest, analyst
    self._reviewers, self._collector = tuple(reviewers), collector
    self._gallery = gallery
    self._holes = hashlib.sha256()
    self.rows: list[Row] = []

  def add(self, measured: Measured) -> dict[str, Any]:
    """Takes in a batch; returns what `restore` needs to do it again.

    Raises:
      UserError: a method changed a known pixel.
    """
    rows = rows_of(measured, self.manifest)
    _check_known(rows)
    panels = self._gallery.offer(measured, rows)
    memories = [r.memory[-1] for r in self._reviewers if r.memory]
    holes = np.packbits(measured.mask > 0.5)
    self._count(rows, measured.found, measured.features, holes)
    return {
      "rows": [dataclasses.asdict(row) for row in rows],
      "found": {
        name: {"counts": dict(f.counts), "values": dict(f.values)}
        for name, f in measured.found.items()
      },
      "features": dict(measured.features),
      "holes": holes,
      "memories": memories,
      "panels": {str(i): _fields_of(panel) for i, panel in panels.items()},
    }

  def restore(self, record: Mapping[str, Any]) -> None:
    """Takes in what `add` returned."""
    rows = [Row(**fields) for fields in record["rows"]]
    panels = {
      int(i): Panel(row=rows[int(i)], **fields)
      for i, fields in record["panels"].items()
    }
    self._gallery.offer_again(rows, panels)
    found = {name: Findings(**f) for name, f in record["found"].items()}
    with_memory = [r for r in self._reviewers if r.REMEMBERS]
    for reviewer, memory in zip(with_memory, record["memories"], strict=True):
      reviewer.memory.append(memory)
    self._count(rows, found, record["features"], record["holes"])

  def _count(
    self,
    rows: list[Row],
    found: Mapping[str, Findings],
    features: Mapping[str, np.ndarray],
    holes: np.ndarray,
  ) -> None:
    self._collector.add([row.index for row in rows], features)
    self._analyst.add(found, rows)
    self.rows += rows
    self._holes.update(holes.tobytes())

  @property
  def holes(self) -> str:
    """sha256 of the masks as they were used, in order."""
    return self._holes.hexdigest()


def rows_of(measured: Measured, manifest: Manifest) -> list[Row]:
  """One row per picture of a measured batch."""
  ratios = measured.mask.astype(np.float64).mean(axis=(1, 2, 3))
  pairs = [manifest.pair(int(index)) for index in measured.index]
  labels = measured.labels
  counts = None if labels is None else count_classes(labels).tolist()
  return [
    Row(
      index=pair.index,
      image=pair.image,
      mask=pair.mask,
      ratio=float(ratios[i]),
      scores={
        method: {name: float(values[i]) for name, values in scores.items()}
        for method, scores in measured.scores.items()
      },
      classes=None if counts is None else counts[i],
    )
    for i, pair in enumerate(pairs)
  ]


def _check_known(rows: Sequence[Row]) -> None:
  for row in rows:
    for method, scores in row.scores.items():
      if changed := scores[KNOWN_CHANGED]:
        raise UserError(
          f"picture {row.image}: {method} changes {changed:.0f} known pixels, "
          "which a fill must leave alone; its scores would count them"
        )


def _fields_of(panel: Panel) -> dict[str, Any]:
  """All but the row, which is in the record already."""
  fields = {f.name: getattr(panel, f.name) for f in dataclasses.fields(panel)}
  del fields["row"]
  return {
    name: dict(value) if isinstance(value, Mapping) else value
    for name, value in fields.items()
  }


class Records:
  """The records of an evaluation on disk, until it is complete.

  They lie in a folder named by all that the numbers depend on, so that another
  evaluation never adds them.
  """

  def __init__(self, output_dir: str | pathlib.Path, key: str):
    """Writes nothing.

    Args:
      output_dir: of the evaluation.
      key: names the checkpoint, the pairs and the settings.
    """
    self._folder = pathlib.Path(output_dir) / _FOLDER / key

  def read(self) -> Iterator[dict[str, Any]]:
    """Yields the records from the first batch on, as far as there are any."""
    number = 0
    while (path := self._path(number)).is_file():
      yield serialization.msgpack_restore(path.read_bytes())
      number += 1

  def write(self, number: int, record: Mapping[str, Any]) -> None:
    """Keeps the record of batch `number`, counted from 0."""
    # In place: a copy would sort the methods by name.
    data = serialization.msgpack_serialize(dict(record), in_place=True)
    write_atomically(self._path(number), data)

  def _path(self, number: int) -> pathlib.Path:
    return self._folder / f"{number:06d}.msgpack"


def delete_records(output_dir: str | pathlib.Path) -> None:
  """What was kept under a folder: its evaluation is complete and written."""
  shutil.rmtree(pathlib.Path(output_dir) / _FOLDER, ignore_errors=True)
