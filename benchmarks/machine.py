"""The machine under a measurement: its name and its matrix peak."""

import importlib.metadata
import os
import pathlib
import platform
import sys
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import timing
from benchmarks.process import usable_cores

_LIBRARIES = ("sginpaint", "jax", "jaxlib", "flax", "optax", "numpy", "torch")


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
