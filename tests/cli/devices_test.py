"""What commands set up before they compute."""

import ctypes
import os
import resource
import subprocess
import sys

import pytest

from sginpaint.cli import devices


@pytest.mark.skipif(sys.platform != "linux", reason="about glibc's malloc")
def test_freed_memory_is_not_faulted_in_again():
  devices.initialise()
  libc = ctypes.CDLL(None)
  libc.malloc.restype = ctypes.c_void_p
  size = 2**26

  def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pointer = ctypes.c_void_p(libc.malloc(size))
    ctypes.memset(pointer, 1, size)
    libc.free(pointer)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

  faults()
  # Anew from the kernel it would be one for each of 16,384 pages.
  assert faults() < 1000


# Prints the fewest page faults of a program's later runs; each needs 64 MB.
_COUNT_FAULTS = """
import resource
from sginpaint.cli import devices
devices.initialise()
import jax, jax.numpy as jnp

@jax.jit
def step(x):
  for _ in range(3):
    x = jnp.sin(x @ x) @ x
  return x.sum()

x = jnp.ones((2048, 2048))
counts = []
for _ in range(8):
  before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
  step(x).block_until_ready()
  counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(min(counts[2:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about glibc's malloc")
def test_programs_find_the_memory_of_their_last_run():
  run = subprocess.run(
    [sys.executable, "-c", _COUNT_FAULTS],
    env=os.environ | {"JAX_PLATFORMS": "cpu"},
    stdout=subprocess.PIPE,
    check=True,
    text=True,
  )
  assert int(run.stdout) < 1000
