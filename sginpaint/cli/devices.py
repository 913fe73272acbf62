"""What every command does to JAX before it computes anything."""

import os
import pathlib

import jax


def initialise() -> None:
  """Joins the other processes of a cluster and keeps compiled programs.

  The compilation cache lies in `$JAX_COMPILATION_CACHE_DIR`, or in the user's
  cache folder: a resumed training starts without compiling again.
  """
  if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    cache = pathlib.Path.home() / ".cache" / "sginpaint" / "jax"
    jax.config.update("jax_compilation_cache_dir", str(cache))
  if "JAX_COORDINATOR_ADDRESS" in os.environ:
    jax.distributed.initialize()
