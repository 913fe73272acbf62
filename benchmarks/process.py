"""This process: the cores that it may use, the memory that it takes.

Imports no JAX, which a process of PyTorch must not hold when it is measured.
"""

import ctypes
import gc
import os
import pathlib
from collections.abc import Callable
from typing import Any

_STATUS = pathlib.Path("/proc/self/status")
_CLEAR = pathlib.Path("/proc/self/clear_refs")


def usable_cores() -> int:
  """CPU cores that this process may run on."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def jax_peak_bytes() -> int | None:
  """Most memory of the first device since JAX began; None on the CPU."""
  import jax

  stats = jax.local_devices()[0].memory_stats()
  return stats["peak_bytes_in_use"] if stats else None


class PeakMemory:
  """Context: the most memory that was in use within it.

  On accelerators that of the first device since the process began, which XLA
  does not let anyone reset; on the CPU resident memory of the process.

  Attributes:
    bytes: the most, at the end; None where the system does not tell.
    before: in use at the beginning; None likewise, and on accelerators.
    source: what was asked.
  """

  def __init__(self, on_device: Callable[[], int | None] = jax_peak_bytes):
    """Makes a context.

    Args:
      on_device: most bytes in use on the device; None if it is the CPU.
    """
    self._on_device = on_device

  def __enter__(self) -> "PeakMemory":
    self.bytes: int | None = None
    self.before: int | None = None
    self.source = "nothing"
    if _CLEAR.exists():
      _give_back_memory()
      _CLEAR.write_text("5")  # sets VmHWM back to what is resident now
      self.before = _status("VmRSS")
    return self

  def __exit__(self, *_: object) -> None:
    count = self._on_device()
    if count is not None:
      self.source, self.bytes = "device", count
    elif _STATUS.exists():
      self.source, self.bytes = "resident", _status("VmHWM")

  def describe(self) -> dict[str, Any]:
    """For the record."""
    before = None if self.source == "device" else self.before
    return {"source": self.source, "bytes": self.bytes, "before": before}


def _give_back_memory() -> None:
  # A compiler that has just run leaves hundreds of MB free but resident.
  gc.collect()
  trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
  if trim is not None:  # other C libraries have none
    trim(0)


def _status(field: str) -> int:
  for line in _STATUS.read_text().splitlines():
    if line.startswith(f"{field}:"):
      return int(line.split()[1]) * 1024
  raise KeyError(field)
