"""Memory that is free, handed back to the machine.

A command keeps what it frees (`cli.devices`), which suits a training that takes
it again at once. A server sits idle most of its life.
"""

import ctypes
import sys


def give_back() -> None:
  """Returns pages that nothing occupies to the kernel, where glibc can."""
  if sys.platform == "linux":
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # other C libraries have none
      trim(0)
