"""A scan of a folder's files, made once and kept: which are sound.

Every file is read and decoded once. The result is cached per file, keyed by
path, size and modification time, in `cache_directory()/folders`; the next start
looks at the names, sizes and times only. A copied or touched file is scanned
again and found unchanged, because what counts afterwards is the hash of its
content. Unreadable files are named in the log and left out here, never while
training.
"""

import concurrent.futures
import dataclasses
import json
import logging
import os
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np
import tqdm

from sginpaint.data.folder_layout import Picture
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
  decode_rgb,
)
from sginpaint.errors import UserError
from sginpaint.files import cache_directory, digest, write_atomically

_LOG = logging.getLogger(__name__)
_VERSION = 2
_NAMED = 50  # left-out files that the log names, at most
_PART = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class FileFacts:
  """What the scan found in one file.

  Attributes:
    stamp: `stamp_of` the file before it was read.
    hash: of the bytes; "" where the file is left out.
    height: of the upright picture.
    width: likewise.
    counts: of a label map, pixels per file value; empty for a picture.
    error: why the file is left out, or "".
  """

  stamp: tuple[int, int]
  hash: str
  height: int
  width: int
  counts: dict[int, int]
  error: str


def scan(root: Path, pictures: Sequence[Picture]) -> dict[str, FileFacts]:
  """Facts of every image and label file, by path relative to `root`.

  Raises:
    UserError: a label file is of a kind that cannot hold class indices.
  """
  images = dict.fromkeys((p.image for p in pictures), False)
  labels = dict.fromkeys((p.label for p in pictures if p.label), True)
  cache = cache_directory() / "folders" / f"{digest(str(root.resolve()))}.json"
  known = _read_cache(cache)
  facts: dict[str, FileFacts] = {}
  pending: dict[str, tuple[int, int]] = {}
  kinds = images | labels
  for path, is_label in kinds.items():
    stamp = stamp_of(os.stat(root / path))
    if path in known and known[path][:2] == [is_label, [*stamp]]:
      facts[path] = _from_json(known[path][1:])
    else:
      pending[path] = stamp
  if pending:
    facts |= _scan_files(root, pending, labels)
    entries = {p: (kinds[p], *dataclasses.astuple(f)) for p, f in facts.items()}
    _write_cache(cache, entries)
  return facts


def stamp_of(status: os.stat_result) -> tuple[int, int]:
  """(bytes, time of modification in ns): the same as long as the content is."""
  return status.st_size, status.st_mtime_ns


def sound_pictures(
  root: Path, pictures: Sequence[Picture], facts: dict[str, FileFacts]
) -> list[bool]:
  """Which pictures can be used; the others are counted and named in the log.

  Raises:
    UserError: none can.
  """
  reasons = [_defect(picture, facts) for picture in pictures]
  bad = [reason for reason in reasons if reason]
  if len(bad) == len(pictures):
    raise UserError(f"{root}: no picture can be used; the first: {bad[0]}")
  if bad:
    _LOG.warning("%s: %d pictures are left out", root, len(bad))
  for reason in bad[:_NAMED]:
    _LOG.warning("left out: %s", reason)
  if len(bad) > _NAMED:
    _LOG.warning("... and %d more", len(bad) - _NAMED)
  return [not reason for reason in reasons]


def _defect(picture: Picture, facts: dict[str, FileFacts]) -> str:
  image, label = facts[picture.image], facts.get(picture.label)
  if image.error:
    return f"{picture.image}: {image.error}"
  if label is None:
    return ""
  if label.error:
    return f"{picture.label}: {label.error}"
  if (image.height, image.width) != (label.height, label.width):
    return (
      f"{picture.label}: {label.width}x{label.height} pixels, the picture "
      f"{image.width}x{image.height}"
    )
  return ""


def _scan_files(
  root: Path, stamps: Mapping[str, tuple[int, int]], labels: Container[str]
) -> dict[str, FileFacts]:
  def scan_one(path: str) -> FileFacts:
    return _scan_file(root / path, stamps[path], is_label=path in labels)

  facts, paths = {}, list(stamps)
  with (
    concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
    tqdm.tqdm(
      total=len(paths), desc=f"checking {root}", unit="file", disable=None
    ) as progress,
  ):
    # Handed out by parts: a million waiting tasks would take a gigabyte.
    for start in range(0, len(paths), _PART):
      part = paths[start : start + _PART]
      for path, found in zip(part, pool.map(scan_one, part), strict=True):
        facts[path] = found
        progress.update()
  return facts


def _scan_file(
  path: Path, stamp: tuple[int, int], *, is_label: bool
) -> FileFacts:
  try:
    data = path.read_bytes()
    pixels = (decode_labels if is_label else decode_rgb)(data)
  except (OSError, UnreadableError) as e:
    return FileFacts(stamp, "", 0, 0, {}, str(e))
  except LabelFormatError as e:
    raise UserError(f"{path}: {e}") from e
  counts = np.bincount(pixels.ravel()).tolist() if is_label else []
  height, width = pixels.shape[:2]
  return FileFacts(
    stamp,
    digest(data),
    height,
    width,
    {value: n for value, n in enumerate(counts) if n},
    "",
  )


def _from_json(record: list) -> FileFacts:
  stamp, hash_, height, width, counts, error = record
  counts = {int(value): n for value, n in counts.items()}
  return FileFacts(tuple(stamp), hash_, height, width, counts, error)


def _read_cache(path: Path) -> dict:
  try:
    content = json.loads(path.read_text(encoding="utf-8"))
  except FileNotFoundError:
    return {}
  except (OSError, ValueError) as e:
    _LOG.warning("%s: unusable, the folder is scanned again (%s)", path, e)
    return {}
  return content["files"] if content.get("version") == _VERSION else {}


def _write_cache(path: Path, entries: dict) -> None:
  try:
    write_atomically(path, json.dumps({"version": _VERSION, "files": entries}))
  except OSError as e:
    _LOG.warning(
      "%s: cannot be written, so the next start scans again: %s", path, e
    )
