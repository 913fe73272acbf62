"""Writes teacher features to shards, and goes on where a killed run stopped.

The layout is that of `feature_format`; `teacher_features` reads it.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
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
  shard_name,
)
from sginpaint.errors import UserError
from sginpaint.files import digest, write_atomically

# More shards than this would meet the limit on open files.
_MAX_SHARDS = 512
_MIN_RECORDS = 256


class FeatureWriter:
  """Fills a directory with features; resumable after a kill.

  A shard counts once it is whole, renamed and entered in progress.json; what a
  kill interrupts is made again from `next_index` on.

  Attributes:
    directory: where they go.
    next_index: position of the example that `write` takes next; the number of
      examples when the store is complete.
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
  ):
    """Opens a directory to fill or to go on filling.

    Args:
      directory: made if it is not there.
      metadata: JSON values that say what the features are made from.
      ids: of all examples, in order.
      dtype: "bfloat16" | "int8".
      views: of each example; ("identity", "flip") or ("identity",).
      records_per_shard: examples per file; None = at least 256, and at most
        512 files.
      overwrite: throw away features in there that were made otherwise.

    Raises:
      UserError: there are features in it that were made otherwise, or another
        process is writing there.
    """
    if dtype not in DTYPES:
      raise UserError(f"config.teacher.dtype: {dtype!r}; use bfloat16 or int8")
    self.directory = Path(directory)
    self._ids = list(ids)
    per_shard = records_per_shard or max(
      _MIN_RECORDS, -(-len(self._ids) // _MAX_SHARDS)
    )
    self._header = json.loads(json.dumps(dict(metadata))) | {
      "version": VERSION,
      "count": len(self._ids),
      "ids_hash": digest(*self._ids),
      "dtype": dtype,
      "views": list(views),
      "records_per_shard": per_shard,
    }
    self._file: ArrayRecordWriter | None = None
    self.directory.mkdir(parents=True, exist_ok=True)
    self._lock_directory()
    progress = self._found(overwrite)
    self._shape = progress.get("shape")
    self._shards = progress.get("shards", [])
    self.next_index = min(len(self._shards) * per_shard, len(self._ids))

  def write(self, features: Any) -> None:
    """Writes the next examples.

    Args:
      features: [n, views, h, w, F], of any float dtype.

    Raises:
      ValueError: more than there are ids, another shape than before, or a
        value that is not finite.
    """
    chex.assert_rank(features, 5)
    features = np.asarray(features)
    header = self._header
    if self.next_index + len(features) > header["count"]:
      raise ValueError(f"more features than {header['count']} ids")
    shape = list(features.shape[2:])
    if self._shape is None:
      self._shape = shape
    if features.shape[1] != len(header["views"]) or shape != self._shape:
      raise ValueError(
        f"features are {features.shape}, not [n, {len(header['views'])}, "
        f"{', '.join(map(str, self._shape))}]"
      )
    for example in features:
      if self._file is None:
        self._file = ArrayRecordWriter(
          str(self._partial), "group_size:1,uncompressed"
        )
      for view in example:
        self._file.write(encode(view, dtype=header["dtype"]))
      self.next_index += 1
      last = self.next_index == header["count"]
      if last or self.next_index % header["records_per_shard"] == 0:
        self._finish_shard(self._file)

  def close(self) -> None:
    """Ends the writing; a store that is complete gets its metadata.json.

    Otherwise whole shards stay, to go on from.
    """
    if self._file is not None:
      self._file.close()
      self._file = None
      self._partial.unlink()
      self.next_index = len(self._shards) * self._header["records_per_shard"]
    elif self.next_index == self._header["count"]:
      write_atomically(self.directory / IDS, json.dumps(self._ids))
      write_atomically(self.directory / METADATA, self._description())
      (self.directory / PROGRESS).unlink(missing_ok=True)
    self._lock.close()

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_) -> None:
    self.close()

  @property
  def _partial(self) -> Path:
    return self.directory / f"{shard_name(len(self._shards))}.partial"

  def _description(self) -> str:
    content = {"shape": self._shape, "shards": self._shards}
    return json.dumps(self._header | content, indent=1)

  def _finish_shard(self, file: ArrayRecordWriter) -> None:
    file.close()
    self._file = None
    shard = {"bytes": self._partial.stat().st_size}
    with self._partial.open("rb") as written:
      os.fsync(written.fileno())
    shard["crc32"] = checksum(self._partial)
    os.replace(self._partial, self.directory / shard_name(len(self._shards)))
    self._shards.append(shard)
    write_atomically(self.directory / PROGRESS, self._description())

  def _lock_directory(self) -> None:
    self._lock = (self.directory / ".lock").open("w")
    try:
      fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
      self._lock.close()
      raise UserError(
        f"{self.directory}: another process writes features there; wait for it"
      ) from e

  def _found(self, overwrite: bool) -> dict[str, Any]:
    """What an earlier run left, if it may be used."""
    for name in (METADATA, PROGRESS):
      if (path := self.directory / name).is_file():
        break
    else:
      return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    difference = first_difference(stored, self._header)
    if not difference:
      return stored
    if not overwrite:
      self._lock.close()
      raise UserError(
        f"{self.directory}: features made otherwise are in there ({difference})"
        "; delete it, choose another, or overwrite it with --overwrite"
      )
    path.unlink()
    for shard in self.directory.glob("features-*.array_record*"):
      shard.unlink()
    return {}
