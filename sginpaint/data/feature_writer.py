"""Writes teacher features, several processes at once, and goes on after a kill.

A shard is the unit of work. A process takes one that is missing, fills a draft,
renames it, and notes size and checksum beside it; what a kill interrupts is
made again by whoever comes next. Who finds all shards noted writes
metadata.json. The layout is that of `feature_format`; `teacher_features` reads
it.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import chex
import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter

from sginpaint.data.feature_format import (
  DTYPES,
  IDS,
  METADATA,
  PROGRESS,
  VERSION,
  VIEWS,
  checksum,
  encode,
  first_difference,
  is_whole,
  note_name,
  shard_name,
)
from sginpaint.data.feature_locks import FeatureLocks
from sginpaint.errors import UserError, check_choice
from sginpaint.files import digest, write_atomically

# More shards than this would meet the limit on open files.
_MAX_SHARDS = 512
_MIN_RECORDS = 256


class FeatureWriter:
  """Fills a directory with features, beside other processes.

  Attributes:
    directory: where they go.
    ranges: positions of the examples of each shard.
  """

  def __init__(
    self,
    directory: str | Path,
    metadata: Mapping[str, Any],
    ids: Sequence[str],
    *,
    dtype: str = "bfloat16",
    views: Sequence[str] = VIEWS,
    records_per_shard: int | None = None,
    overwrite: bool = False,
    discard: Sequence[int] = (),
  ):
    """Opens a directory to fill or to go on filling.

    Args:
      directory: made if it is not there.
      metadata: JSON values that say what the features are made from.
      ids: of all examples, in order.
      dtype: "bfloat16" | "int8".
      views: of each example; ("identity", "flip") or ("identity",).
      records_per_shard: examples per file; None = as begun, or a multiple of
        256 that gives at most 512 files.
      overwrite: throw away features in there that were made otherwise.
      discard: shards to make again.

    Raises:
      UserError: there are features in it that were made otherwise, or they
        should be overwritten and another process is writing there.
    """
    check_choice("teacher.dtype", dtype, DTYPES)
    self.directory = Path(directory)
    self._ids = list(ids)
    self._header = json.loads(json.dumps(dict(metadata))) | {
      "version": VERSION,
      "count": len(self._ids),
      "ids_hash": digest(*self._ids),
      "dtype": dtype,
      "views": list(views),
    }
    if records_per_shard:
      self._header["records_per_shard"] = records_per_shard
    self._file: ArrayRecordWriter | None = None
    self._shard, self._next = -1, 0
    self._shape: list[int] | None = None
    self.directory.mkdir(parents=True, exist_ok=True)
    self._locks = FeatureLocks(self.directory)
    try:
      with self._locks.state():
        self._open(overwrite, set(discard))
    except BaseException:
      self._locks.close()
      raise
    count, size = len(self._ids), self._header["records_per_shard"]
    self.ranges = [
      range(i, min(i + size, count)) for i in range(0, count, size)
    ]

  def missing(self) -> list[int]:
    """Shards that are not whole, whether or not somebody is at work on them."""
    if (self.directory / METADATA).is_file():
      return []
    notes = (self._note(i) for i in range(len(self.ranges)))
    missing = [i for i, note in enumerate(notes) if note is None]
    # Another process may have ended the work while we looked.
    return [] if (self.directory / METADATA).is_file() else missing

  def claim(self, first: int = 0, step: int = 1) -> Iterator[range]:
    """Takes one missing shard after another; `write` all of each.

    Args:
      first: begin with shards first, first + step, ..., so that processes that
        start together do not compete; what is left then is taken in order.
      step: how many processes there are.

    Yields:
      Positions of the examples of a shard, held against other processes until
      they are written.
    """
    missing = self.missing()
    for shard in sorted(missing, key=lambda i: ((i - first) % step != 0, i)):
      if not self._locks.take(shard):
        continue
      done = (self.directory / METADATA).is_file()
      if not done and self._note(shard) is None:
        self._shard, self._next = shard, self.ranges[shard].start
        yield self.ranges[shard]
      else:
        self._locks.release(shard)

  def write(self, features: Any) -> None:
    """Writes the next examples of the shard that was claimed.

    Args:
      features: [n, views, h, w, F], of any float dtype.

    Raises:
      ValueError: more than were claimed, another shape than before, or a value
        that is not finite.
    """
    chex.assert_rank(features, 5)
    features = np.asarray(features)
    left = self.ranges[self._shard].stop - self._next if self._shard >= 0 else 0
    if len(features) > left:
      raise ValueError(f"{len(features)} features for {left} claimed examples")
    views, shape = len(self._header["views"]), list(features.shape[2:])
    self._shape = self._shape or shape
    if features.shape[1] != views or shape != self._shape:
      raise ValueError(
        f"features are {features.shape}, not [n, {views}, "
        f"{', '.join(map(str, self._shape))}]"
      )
    records = [
      encode(view, dtype=self._header["dtype"])
      for example in features
      for view in example
    ]
    if self._file is None:
      self._file = ArrayRecordWriter(
        str(self._draft), "group_size:1,uncompressed"
      )
    for record in records:
      self._file.write(record)
    self._next += len(features)
    if self._next == self.ranges[self._shard].stop:
      self._finish_shard(self._file)

  def close(self) -> None:
    """Ends the writing; a store that is complete gets its metadata.json.

    Otherwise whole shards stay, to go on from.
    """
    if self._file is not None:
      self._file.close()
      self._file = None
      self._draft.unlink()
    with self._locks.state():
      self._complete()
    self._locks.close()

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_) -> None:
    self.close()

  @property
  def _draft(self) -> Path:
    return self.directory / f"{shard_name(self._shard)}.partial"

  def _note(self, shard: int) -> dict[str, Any] | None:
    """What is noted of a shard, where the shard is as noted."""
    try:
      text = (self.directory / note_name(shard)).read_text(encoding="utf-8")
    except FileNotFoundError:
      return None
    note = json.loads(text)
    return note if is_whole(self.directory / shard_name(shard), note) else None

  def _write_note(self, shard: int, note: Mapping[str, Any]) -> None:
    write_atomically(self.directory / note_name(shard), json.dumps(dict(note)))

  def _finish_shard(self, file: ArrayRecordWriter) -> None:
    file.close()
    self._file = None
    with self._draft.open("rb") as written:
      os.fsync(written.fileno())
    note = {
      "bytes": self._draft.stat().st_size,
      "crc32": checksum(self._draft),
      "shape": self._shape,
    }
    os.replace(self._draft, self.directory / shard_name(self._shard))
    self._write_note(self._shard, note)
    self._locks.release(self._shard)
    self._shard = -1

  def _complete(self) -> None:
    """Describes the store, where all shards are noted."""
    if self.missing() or (self.directory / METADATA).is_file():
      return
    notes = [self._note(i) or {} for i in range(len(self.ranges))]
    shapes = [note.pop("shape") for note in notes]
    content = {"shape": shapes[0] if shapes else self._shape, "shards": notes}
    write_atomically(self.directory / IDS, json.dumps(self._ids))
    write_atomically(
      self.directory / METADATA, json.dumps(self._header | content, indent=1)
    )
    (self.directory / PROGRESS).unlink(missing_ok=True)
    for shard in range(len(self.ranges)):
      (self.directory / note_name(shard)).unlink(missing_ok=True)

  def _open(self, overwrite: bool, discard: set[int]) -> None:
    """Goes on with what is there, if it may be used, or begins."""
    for name in (METADATA, PROGRESS):
      if (path := self.directory / name).is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        break
    else:
      stored = {}
    if stored and (difference := first_difference(stored, self._header)):
      if not overwrite:
        raise UserError(
          f"{self.directory}: features made otherwise are in there "
          f"({difference}); delete it, choose another, or overwrite it with "
          "--overwrite"
        )
      self._clear()
      stored = {}
    self._locks.use()
    least = -(-len(self._ids) // (_MIN_RECORDS * _MAX_SHARDS)) or 1
    per_shard = stored.get("records_per_shard", least * _MIN_RECORDS)
    self._header.setdefault("records_per_shard", per_shard)
    self._reopen(stored, discard)
    if not (self.directory / METADATA).is_file():
      write_atomically(
        self.directory / PROGRESS, json.dumps(self._header, indent=1)
      )

  def _clear(self) -> None:
    if not self._locks.take_all():
      raise UserError(
        f"{self.directory}: another process writes features there; wait for it"
      )
    for name in (METADATA, PROGRESS):
      (self.directory / name).unlink(missing_ok=True)
    for path in self.directory.glob("features-*"):
      path.unlink()

  def _reopen(self, stored: Mapping[str, Any], discard: set[int]) -> None:
    """Makes shards missing that are to be made again, of a whole store too."""
    for shard in discard:
      (self.directory / note_name(shard)).unlink(missing_ok=True)
    described = self.directory / METADATA
    if not described.is_file():
      return
    good = {
      i: note | {"shape": stored["shape"]}
      for i, note in enumerate(stored["shards"])
      if i not in discard and is_whole(self.directory / shard_name(i), note)
    }
    if len(good) < len(stored["shards"]):
      for i, note in good.items():
        self._write_note(i, note)
      described.unlink()
