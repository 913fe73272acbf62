"""What all tests share: caches of their own, and compiled programs kept."""

import os
import pathlib

# Before anything imports jax: subprocesses of the tests inherit it.
os.environ.setdefault(
  "JAX_COMPILATION_CACHE_DIR",
  str(pathlib.Path.home() / ".cache" / "sginpaint" / "jax-tests"),
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
