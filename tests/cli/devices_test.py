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


# Prints how many arenas malloc has once XLA's threads have computed.
_COUNT_ARENAS = """
import ctypes, sys
from sginpaint.cli import devices
devices.initialise()
import jax
jax.jit(lambda x: x @ x)(jax.numpy.ones((999, 999))).block_until_ready()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
print(open(sys.argv[1]).read().count("<heap nr"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about glibc's malloc")
def test_threads_of_xla_have_no_arenas_of_their_own(tmp_path):
  # Large buffers of other arenas are mapped and unmapped at every step.
  run = subprocess.run(
    [sys.executable, "-c", _COUNT_ARENAS, str(tmp_path / "info.xml")],
    env=os.environ | {"JAX_PLATFORMS": "cpu"},
    stdout=subprocess.PIPE,
    check=True,
    text=True,
  )
  assert run.stdout.strip() == "1"
