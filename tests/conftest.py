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
# A test runs what it compiles once or twice. So compiled, a small network takes
# a tenth of the time and runs as fast. What the caller sets wins.
os.environ["XLA_FLAGS"] = " ".join(
  (
    "--xla_backend_optimization_level=0",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_cpu_parallel_codegen_split_count=1",
    os.environ.get("XLA_FLAGS", ""),
  )
)
