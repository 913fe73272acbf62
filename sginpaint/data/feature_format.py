"""How teacher features lie on disk: records, shards and their description.

A directory holds `features-00000.array_record`, ..., `ids.json` and, written
last, `metadata.json`. While it is being filled, `progress.json` says instead
what is being made, and `features-00000.json` beside a shard that it is whole.
Record n * V + v is view v (of V) of example n: [h, w, F], row by row, as

    bfloat16   2 h w F bytes; exact for a teacher that computes in bfloat16
    int8       F float32 scales, then h w F signed bytes; value = scale * byte,
               scale = max |value| of that channel in that record / 127, so the
               error is at most scale / 2
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

VERSION = 1
DTYPES = ("bfloat16", "int8")
VIEWS = ("identity", "flip")
METADATA = "metadata.json"
PROGRESS = "progress.json"
IDS = "ids.json"
# Of an array_record file that is neither grouped nor compressed: it comes in
# blocks with a header each, every record has a header, and an index ends it.
_BLOCK, _BLOCK_HEADER = 2**16, 24
_RECORD_HEADER, _INDEX_ENTRY = 46, 16


def shard_name(index: int) -> str:
  """File name of a shard."""
  return f"features-{index:05d}.array_record"


def note_name(index: int) -> str:
  """File name of what tells that a shard is whole."""
  return f"features-{index:05d}.json"


def bytes_per_picture(
  shape: Sequence[int], *, dtype: str, views: Sequence[str] = VIEWS
) -> int:
  """Bytes that one picture takes on disk.

  Args:
    shape: (h, w, F).
    dtype: "bfloat16" | "int8".
    views: that are stored.
  """
  height, width, channels = shape
  values = height * width * channels
  view = 2 * values if dtype == "bfloat16" else values + 4 * channels
  return len(views) * view


def shard_bytes(
  count: int,
  shape: Sequence[int],
  *,
  dtype: str,
  views: Sequence[str] = VIEWS,
) -> int:
  """Bytes that the file of a shard of `count` pictures takes on disk.

  Args:
    count: of pictures.
    shape: (h, w, F).
    dtype: "bfloat16" | "int8".
    views: that are stored.
  """
  records = count * len(views)
  values = count * bytes_per_picture(shape, dtype=dtype, views=views)
  room = _BLOCK - _BLOCK_HEADER
  blocks = -(-(values + records * _RECORD_HEADER) // room)
  return _BLOCK * (blocks + -(-records * _INDEX_ENTRY // room))


def encode(features: np.ndarray, *, dtype: str) -> bytes:
  """[h, w, F] -> the bytes of a record.

  Raises:
    ValueError: a value is not finite.
  """
  values = np.asarray(features, np.float32)
  if not np.isfinite(values).all():
    raise ValueError("teacher features are not finite")
  if dtype == "bfloat16":
    return values.astype(ml_dtypes.bfloat16).tobytes()
  peak = np.abs(values).max(axis=(0, 1))
  # A channel of zeros, or one whose scale would vanish, needs any other scale.
  scale = np.maximum(peak / 127.0, np.finfo(np.float32).tiny)
  levels = np.clip(np.round(values / scale), -127, 127).astype(np.int8)
  return scale.astype("<f4").tobytes() + levels.tobytes()


def decode(record: bytes, shape: Sequence[int], *, dtype: str) -> np.ndarray:
  """The bytes of a record -> bfloat16 [h, w, F], read-only."""
  if dtype == "bfloat16":
    return np.frombuffer(record, ml_dtypes.bfloat16).reshape(shape)
  channels = shape[-1]
  scale = np.frombuffer(record, "<f4", count=channels)
  levels = np.frombuffer(record, np.int8, offset=4 * channels).reshape(shape)
  return (levels * scale).astype(ml_dtypes.bfloat16)


def first_difference(
  stored: Mapping[str, Any], expected: Mapping[str, Any]
) -> str:
  """Says which expected field differs and how, or "" where none does."""
  # As JSON hands them back: tuples are lists.
  for field, value in json.loads(json.dumps(dict(expected))).items():
    if field not in stored:
      return f"{field} is not recorded, but {value!r} is needed"
    if stored[field] != value:
      return f"{field} is {stored[field]!r}, but {value!r} is needed"
  return ""


def is_whole(path: Path, shard: Mapping[str, int]) -> bool:
  """Whether the file of a shard is there and as long as it was."""
  return path.is_file() and path.stat().st_size == shard["bytes"]


def checksum(path: Path) -> int:
  """CRC-32 of a file."""
  value = 0
  with path.open("rb") as file:
    while block := file.read(1 << 20):
      value = zlib.crc32(block, value)
  return value
