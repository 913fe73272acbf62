"""Where this library keeps what it can make again, and how it writes it."""

import hashlib
import os
import tempfile
from pathlib import Path


def cache_directory() -> Path:
  """`$SGINPAINT_CACHE`, else `sginpaint` in the user's cache directory.

  Indices of folders and the embedded dataset live here: never in a folder that
  belongs to the user.
  """
  if chosen := os.environ.get("SGINPAINT_CACHE"):
    return Path(chosen)
  base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
  return Path(base) / "sginpaint"


def digest(*parts: bytes | str) -> str:
  """16 hex digits of the parts; ("ab", "c") and ("a", "bc") differ."""
  result = hashlib.blake2b(digest_size=8)
  for part in parts:
    data = part.encode() if isinstance(part, str) else part
    result.update(len(data).to_bytes(8, "little"))
    result.update(data)
  return result.hexdigest()


def write_atomically(path: Path, text: str) -> None:
  """Writes `text`, so that `path` holds the old or the new, never a half."""
  path.parent.mkdir(parents=True, exist_ok=True)
  handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
  try:
    with os.fdopen(handle, "w", encoding="utf-8") as file:
      file.write(text)
      file.flush()
      os.fsync(file.fileno())
    os.replace(name, path)
  except BaseException:
    os.unlink(name)
    raise
