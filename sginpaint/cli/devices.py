"""What every command does to JAX before it computes anything.

Of several processes (`launch`, or the recipes in launch/) each is told where
the first one listens, how many there are and which it is, by its environment:
`JAX_COORDINATOR_ADDRESS`, `SGINPAINT_PROCESS_COUNT`, `SGINPAINT_PROCESS_ID`.
With `SGINPAINT_PROCESS_COUNT=auto` JAX finds all that out itself, as it can
under SLURM and Open MPI and on TPU pods.
"""

import ctypes
import importlib.metadata
import importlib.util
import logging
import os
import sys
from typing import Any

import absl.logging
import jax

from sginpaint.errors import UserError
from sginpaint.files import cache_directory

ADDRESS = "JAX_COORDINATOR_ADDRESS"
COUNT = "SGINPAINT_PROCESS_COUNT"
INDEX = "SGINPAINT_PROCESS_ID"
_AUTO = "auto"
# A process that leaves in good order waits so long for the others.
_SHUTDOWN_SECONDS = 30
# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_M_ARENA_MAX = -8


def initialise(*, preemptible: bool = False) -> None:
  """Joins the other processes of a cluster and keeps compiled programs.

  The compilation cache lies in `$JAX_COMPILATION_CACHE_DIR`, or in the
  library's own cache: a resumed training starts without compiling again.

  Args:
    preemptible: of several processes, SIGTERM asks all to stop together (see
      training/stopping.py) instead of ending the one that receives it.

  Raises:
    UserError: the environment names a process that cannot be.
  """
  several = ADDRESS in os.environ or COUNT in os.environ
  if sys.platform == "linux" and _only_cpu():
    _keep_freed_memory()
    if not several and "JAX_CPU_ENABLE_ASYNC_DISPATCH" not in os.environ:
      # Else a step begins while the last one's buffers are being freed, and the
      # process keeps those of both.
      jax.config.update("jax_cpu_enable_async_dispatch", False)
  # What stops Orbax's threads is raised besides, and told in one line.
  absl.logging.set_verbosity(absl.logging.FATAL)
  if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    jax.config.update(
      "jax_compilation_cache_dir", str(cache_directory() / "jax")
    )
  if several and not jax.distributed.is_initialized():
    jax.config.update("jax_enable_preemption_service", preemptible)
    jax.distributed.initialize(
      **_place(), shutdown_timeout_seconds=_SHUTDOWN_SECONDS
    )
    if jax.process_index() > 0:  # one of them tells it
      logging.getLogger("sginpaint").setLevel(logging.WARNING)


def is_first() -> bool:
  """Whether this process is the one that speaks for all."""
  return jax.process_index() == 0


def _place() -> dict[str, Any]:
  """Of this process among the others; {} leaves it to JAX."""
  if os.environ.get(COUNT, _AUTO) == _AUTO:
    return {}
  numbers = {}
  for name in (COUNT, INDEX):
    text = os.environ.get(name, "")
    if not text.isdigit():
      raise UserError(f"{name}={text}: set it to a whole number")
    numbers[name] = int(text)
  if numbers[INDEX] >= numbers[COUNT]:
    raise UserError(
      f"{INDEX}={numbers[INDEX]}: of {numbers[COUNT]} processes the last is "
      f"{numbers[COUNT] - 1}"
    )
  return {
    "coordinator_address": os.environ.get(ADDRESS),
    "num_processes": numbers[COUNT],
    "process_id": numbers[INDEX],
  }


def _only_cpu() -> bool:
  """Whether JAX will compute on the CPU, said before it has begun anything."""
  if platforms := os.environ.get("JAX_PLATFORMS"):
    return platforms == "cpu"
  plugins = importlib.metadata.entry_points(group="jax_plugins")
  packages = ("jax_plugins", "libtpu")
  return not plugins and not any(map(importlib.util.find_spec, packages))


def _keep_freed_memory() -> None:
  # XLA takes its buffers from malloc anew at every step. glibc hands large ones
  # back to the kernel each time, and the page faults of the next step are a
  # sixth of the time of a small training.
  mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
  if mallopt is not None:  # other C libraries have none
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)  # never; a step may need more than 2 GiB
    # A single arena is left in small pieces by the compiler, in which steps
    # then search for room: half as slow again. Every one keeps memory, though.
    mallopt(_M_ARENA_MAX, 2 * len(os.sched_getaffinity(0)))
