"""What every command does to JAX before it computes anything."""

import os

import jax

from sginpaint.files import cache_directory


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
