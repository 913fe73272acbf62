"""Keeps the processes that fill one directory of features apart.

Every lock is one byte of one file, held as POSIX record locks are: by a
process, against other processes (on other machines too, where the file system
is shared), until it lets go or dies. A lock file never needs cleaning up.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

# Bytes beyond those of the shards: need not exist in the file.
_USE, _STATE = 2**40, 2**40 + 1


class FeatureLocks:
  """The locks of one directory; close it at the end."""

  def __init__(self, directory: Path):
    self._file = (directory / ".lock").open("a+")

  def take(self, shard: int) -> bool:
    """Takes a shard, unless another process has it."""
    return self._lock(shard, fcntl.LOCK_EX | fcntl.LOCK_NB)

  def release(self, shard: int) -> None:
    """Lets go of a shard."""
    self._lock(shard, fcntl.LOCK_UN)

  def use(self) -> None:
    """Tells that this process works in the directory."""
    self._lock(_USE, fcntl.LOCK_SH)

  def take_all(self) -> bool:
    """Takes the directory, unless another process works in it."""
    return self._lock(_USE, fcntl.LOCK_EX | fcntl.LOCK_NB)

  @contextlib.contextmanager
  def state(self) -> Iterator[None]:
    """Waits until no other process changes what the store says of itself."""
    self._lock(_STATE, fcntl.LOCK_EX)
    try:
      yield
    finally:
      self._lock(_STATE, fcntl.LOCK_UN)

  def close(self) -> None:
    """Lets go of everything."""
    self._file.close()

  def _lock(self, byte: int, kind: int) -> bool:
    try:
      fcntl.lockf(self._file, kind, 1, byte)
    except (BlockingIOError, PermissionError):
      return False
    return True
