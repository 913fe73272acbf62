"""What commands set up before they compute."""

import ctypes
import resource
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
