"""Where the library keeps what it can make again, and how it writes files."""

import hashlib
import itertools
import json
import os
import pathlib
from typing import Any

_counter = itertools.count()


def cache_directory() -> pathlib.Path:
  """`$SGINPAINT_CACHE`, else `sginpaint` in the user's cache directory.

  Indices of folders, the embedded data set and compiled programs live here:
  never in a folder that belongs to the user.
  """
  if chosen := os.environ.get("SGINPAINT_CACHE"):
    return pathlib.Path(chosen)
  base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
  return pathlib.Path(base) / "sginpaint"


def digest(*parts: bytes | str) -> str:
  """16 hex digits of the parts; ("ab", "c") and ("a", "bc") differ."""
  result = hashlib.blake2b(digest_size=8)
  for part in parts:
    data = part.encode() if isinstance(part, str) else part
    result.update(len(data).to_bytes(8, "little"))
    result.update(data)
  return result.hexdigest()


def write_atomically(path: pathlib.Path, data: str | bytes) -> None:
  """Writes a file, and its folder: a reader finds the old or the new, whole.

  Raises:
    OSError: it cannot be written; what was there is as it was.
  """
  raw = data.encode() if isinstance(data, str) else data
  # Other threads and processes may write the same file at the same time.
  name = f".{path.name}.{os.getpid()}.{next(_counter)}.part"
  draft = path.with_name(name)
  path.parent.mkdir(parents=True, exist_ok=True)
  try:
    with draft.open("wb") as file:
      file.write(raw)
      file.flush()
      os.fsync(file.fileno())
    os.replace(draft, path)
  finally:
    draft.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: Any) -> None:
  """Writes strict JSON: a NaN is an error, for most readers refuse it.

  Raises:
    ValueError: a number is not finite.
    OSError: see `write_atomically`.
  """
  text = json.dumps(value, indent=2, allow_nan=False)
  write_atomically(path, text + "\n")
