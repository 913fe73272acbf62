"""The machine under a measurement: its name, its matrix peak, its memory."""

import ctypes
import gc
import importlib.metadata
import os
import pathlib
import platform
import sys
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import timing

_LIBRARIES = ("sginpaint", "jax", "jaxlib", "flax", "optax", "numpy", "torch")
_STATUS = pathlib.Path("/proc/self/status")
_CLEAR = pathlib.Path("/proc/self/clear_refs")


def describe() -> dict[str, Any]:
  """Versions and devices, for the record."""
  device = jax.devices()[0]
  return {
    "platform": device.platform,
    "device": device.device_kind,
    "devices": jax.device_count(),
    "processor": _processor(),
    "cores": usable_cores(),
    "memory_bytes": _total_memory(),
    "system": platform.platform(),
    "python": platform.python_version(),
    **{name: version for name in _LIBRARIES if (version := _version(name))},
  }


def usable_cores() -> int:
  """CPU cores that this process may run on."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def matrix_peak(
  dtype: str, *, size: int = 0, repeats: int = 7
) -> dict[str, Any]:
  """FLOP/s of one device on a large product of square matrices.

  Args:
    dtype: of the factors; sums have the precision that is the default there.
    size: of the matrices; 0 = one that keeps the device busy.
    repeats: products that are timed.

  Returns:
    "size", "dtype", "flops_per_second" (of the quickest product: the peak) and
    "seconds", summarised.
  """
  if not size:
    size = 2048 if jax.default_backend() == "cpu" else 16384
  left, right = (
    jax.random.normal(key, (size, size), dtype)
    for key in jax.random.split(jax.random.key(0))
  )
  product = jax.jit(jnp.matmul)
  seconds = timing.repeat(
    lambda: product(left, right).block_until_ready(), repeats=repeats
  )
  return {
    "size": size,
    "dtype": dtype,
    "flops_per_second": 2 * size**3 / min(seconds),
    "seconds": timing.summarise(seconds),
  }


class PeakMemory:
  """Context: the most memory that was in use within it.

  On accelerators that of the first device since the process began, which XLA
  does not let anyone reset; on the CPU resident memory of the process.

  Attributes:
    bytes: the most, at the end; None where the system does not tell.
    before: in use at the beginning; None likewise, and on accelerators.
    source: what was asked.
  """

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
    stats = jax.local_devices()[0].memory_stats()
    if stats:
      self.source, self.bytes = "device", stats["peak_bytes_in_use"]
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


def _processor() -> str:
  info = pathlib.Path("/proc/cpuinfo")
  if info.exists():
    for line in info.read_text().splitlines():
      if line.startswith("model name"):
        return line.partition(":")[2].strip()
  return platform.processor() or platform.machine()


def _total_memory() -> int | None:
  if sys.platform == "win32":
    return None
  return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _version(name: str) -> str | None:
  try:
    return importlib.metadata.version(name)
  except importlib.metadata.PackageNotFoundError:
    return None
