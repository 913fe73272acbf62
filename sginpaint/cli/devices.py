"""What every command does to JAX before it computes anything."""

import ctypes
import os
import sys

import jax

from sginpaint.files import cache_directory

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def initialise() -> None:
  """Joins the other processes of a cluster and keeps compiled programs.

  The compilation cache lies in `$JAX_COMPILATION_CACHE_DIR`, or in the
  library's own cache: a resumed training starts without compiling again.
  """
  if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    jax.config.update(
      "jax_compilation_cache_dir", str(cache_directory() / "jax")
    )
  if "JAX_COORDINATOR_ADDRESS" in os.environ:
    jax.distributed.initialize()
  if sys.platform == "linux" and jax.default_backend() == "cpu":
    _keep_freed_memory()


def _keep_freed_memory() -> None:
  # XLA takes its buffers from malloc anew at every step. glibc hands large ones
  # back to the kernel each time, and the page faults of the next step are a
  # sixth of the time of a small training.
  mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
  if mallopt is not None:  # other C libraries have none
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
