"""Features of a frozen teacher, computed once and read while training.

`FeatureWriter` fills a directory; `FeatureStore` reads it, after comparing what
the features were made from (teacher, layer, input, pictures) with what the
training needs. The layout is that of `feature_format`.

A convolutional network does not commute with mirroring, so both orientations
are stored; with the view `identity` alone, its features are mirrored along the
width instead, which is half as large and only approximate.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_data_source import (
  ArrayRecordDataSource,
)

from sginpaint.data.feature_format import (
  IDS,
  METADATA,
  PROGRESS,
  VERSION,
  bytes_per_picture,
  checksum,
  decode,
  first_difference,
  is_whole,
  note_name,
  shard_name,
)
from sginpaint.data.feature_writer import FeatureWriter
from sginpaint.errors import UserError

__all__ = ["FeatureStore", "FeatureWriter", "bytes_per_picture"]

COMMAND = "python -m sginpaint precompute --config=<as for training>"


class FeatureStore:
  """Random access to stored features; picklable, for many threads.

  Attributes:
    directory: where they are.
    metadata: all that is recorded about them.
  """

  def __init__(
    self,
    directory: str | Path,
    expected: Mapping[str, Any],
    *,
    check: bool = True,
  ):
    """Opens features that are there, complete, and made as expected.

    Args:
      directory: filled by a `FeatureWriter`.
      expected: fields of its metadata and the values that are needed.
      check: that all files are there, as long as they were.

    Raises:
      UserError: there are none, they are unfinished or damaged, or a field
        differs; names it, both values, and the command.
    """
    self.directory = Path(directory)
    self.metadata = self._read_metadata()
    difference = first_difference(
      self.metadata, {**expected, "version": VERSION}
    )
    if difference:
      raise UserError(
        f"{self.directory}: stale teacher features: {difference}; make them "
        f"again: {COMMAND} --overwrite"
      )
    if check:
      for path, shard in self._shards():
        if not is_whole(path, shard):
          raise self._damaged(path)

  def __len__(self) -> int:
    return self.metadata["count"]

  @property
  def shape(self) -> tuple[int, int, int]:
    """(h, w, F)."""
    return tuple(self.metadata["shape"])

  def read(self, example: int | str, *, flip: bool = False) -> np.ndarray:
    """Features of one picture or of its mirror image.

    Args:
      example: its position or its id.
      flip: of the mirror image.

    Returns:
      bfloat16 [h, w, F].

    Raises:
      UserError: no such id, or a damaged record.
    """
    if isinstance(example, str):
      if example not in self._positions:
        raise UserError(f"{self.directory}: no features of {example!r}")
      example = self._positions[example]
    views = self.metadata["views"]
    stored_flip = flip and "flip" in views
    view = views.index("flip" if stored_flip else "identity")
    try:
      record = self._records[example * len(views) + view]
    except (ValueError, RuntimeError) as e:
      if not 0 <= example < len(self):
        raise IndexError(f"example {example} of {len(self)}") from e
      shard = example // self.metadata["records_per_shard"]
      raise self._damaged(self.directory / shard_name(shard)) from e
    features = decode(record, self.shape, dtype=self.metadata["dtype"])
    return features[:, ::-1] if flip and not stored_flip else features

  def damaged(self) -> list[int]:
    """Reads every byte; the shards that are not what was written."""
    return [
      i
      for i, (path, shard) in enumerate(self._shards())
      if not is_whole(path, shard) or checksum(path) != shard["crc32"]
    ]

  def __getstate__(self) -> dict[str, Any]:
    cached = ("_records", "_positions")
    return {k: v for k, v in self.__dict__.items() if k not in cached}

  @functools.cached_property
  def _records(self) -> ArrayRecordDataSource:
    views = len(self.metadata["views"])
    per_shard = self.metadata["records_per_shard"]
    # With the numbers of records no shard is opened before it is needed.
    return ArrayRecordDataSource(
      [
        f"{path}[0:{views * min(per_shard, len(self) - i * per_shard)}]"
        for i, (path, _) in enumerate(self._shards())
      ]
    )

  @functools.cached_property
  def _positions(self) -> dict[str, int]:
    ids = json.loads((self.directory / IDS).read_text(encoding="utf-8"))
    return {name: i for i, name in enumerate(ids)}

  def _shards(self) -> list[tuple[Path, dict[str, int]]]:
    return [
      (self.directory / shard_name(i), shard)
      for i, shard in enumerate(self.metadata["shards"])
    ]

  def _read_metadata(self) -> dict[str, Any]:
    path = self.directory / METADATA
    if path.is_file():
      return json.loads(path.read_text(encoding="utf-8"))
    progress = self.directory / PROGRESS
    if not progress.is_file():
      raise UserError(
        f"{self.directory}: no teacher features there; make them: {COMMAND}"
      )
    found = json.loads(progress.read_text(encoding="utf-8"))
    shards = -(-found["count"] // found["records_per_shard"])
    done = sum((self.directory / note_name(i)).is_file() for i in range(shards))
    raise UserError(
      f"{self.directory}: teacher features are unfinished ({done} of {shards} "
      f"shards); go on: {COMMAND}"
    )

  def _damaged(self, path: Path) -> UserError:
    return UserError(
      f"{path}: missing or damaged; make it again: {COMMAND} --repair"
    )
