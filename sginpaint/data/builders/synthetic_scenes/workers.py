"""Renders and encodes many scenes, in order, on all cores.

Workers are plain `python -m` processes that write records to a pipe. Unlike a
multiprocessing pool they never import the caller's main module, so this works
from a script without a main guard, from a notebook and after JAX has started
its threads; a worker whose parent was killed dies at its next write.
"""

import os
import pathlib
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from sginpaint.data.builders.processes import usable_cores
from sginpaint.data.builders.synthetic_scenes.scene import ATTRIBUTES, render

# Below this many pixels, starting an interpreter takes longer than it saves.
_WORTH_A_PROCESS = 500 * 64 * 64
_MOST_PROCESSES = 16
_HEADER = struct.Struct("<II")


class Record(NamedTuple):
  """One encoded scene.

  Attributes:
    image: PNG of uint8 [size, size, 3].
    segmentation: 8-bit grey PNG of uint8 [size, size].
    attributes: uint8 [A] of 0 and 1, in the order of ATTRIBUTES.
  """

  image: bytes
  segmentation: bytes
  attributes: np.ndarray


def encode(seed: int, size: int) -> Record:
  """Renders one scene and encodes it without loss."""
  scene = render(seed, size)
  values = [scene.attributes[name] for name in ATTRIBUTES]
  attributes = np.array(values, np.uint8)
  bgr = cv2.cvtColor(scene.image, cv2.COLOR_RGB2BGR)
  return Record(_png(bgr), _png(scene.segmentation), attributes)


def _png(array: np.ndarray) -> bytes:
  done, data = cv2.imencode(".png", array)
  if not done:
    raise RuntimeError("OpenCV could not encode a PNG")
  return data.tobytes()


def encode_range(
  seeds: range, size: int, *, processes: int | None = None
) -> Iterator[Record]:
  """Yields the record of each seed in order.

  Args:
    seeds: of the scenes.
    size: side of the pictures in pixels.
    processes: how many workers; None = one per core where it pays.

  Raises:
    RuntimeError: a worker died; what it said is on stderr.
  """
  if processes is None:
    pays = len(seeds) * size**2 // _WORTH_A_PROCESS
    processes = min(usable_cores(), pays, _MOST_PROCESSES)
  if processes < 2:
    for seed in seeds:
      yield encode(seed, size)
    return
  workers = [_start(seeds[i::processes], size) for i in range(processes)]
  try:
    for i in range(len(seeds)):
      yield _read(workers[i % processes])
  finally:
    for worker in workers:
      worker.kill()
      worker.communicate()


def _start(seeds: range, size: int) -> subprocess.Popen:
  here = pathlib.Path(__file__)
  paths = [str(here.parents[4]), os.environ.get("PYTHONPATH", "")]
  numbers = (seeds.start, seeds.stop, seeds.step, size)
  return subprocess.Popen(
    # By name, for in a worker this module itself is called __main__.
    [sys.executable, "-m", f"{__package__}.{here.stem}", *map(str, numbers)],
    env=dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths))),
    stdin=subprocess.DEVNULL,
    stdout=subprocess.PIPE,
  )


def _read(worker: subprocess.Popen) -> Record:
  def take(count: int) -> bytes:
    assert worker.stdout is not None  # for the type checker: it is a pipe
    data = worker.stdout.read(count)
    if len(data) < count:  # it may die in the midst of a record, too
      raise RuntimeError(f"a scene worker died with code {worker.wait()}")
    return data

  image, segmentation = map(take, _HEADER.unpack(take(_HEADER.size)))
  attributes = take(len(ATTRIBUTES))
  return Record(image, segmentation, np.frombuffer(attributes, np.uint8))


def _main() -> None:
  # Die without a word when the reader is gone or the user interrupts.
  signal.signal(signal.SIGPIPE, signal.SIG_DFL)
  signal.signal(signal.SIGINT, signal.SIG_DFL)
  cv2.setNumThreads(0)
  start, stop, step, size = map(int, sys.argv[1:])
  out = sys.stdout.buffer
  for seed in range(start, stop, step):
    image, segmentation, attributes = encode(seed, size)
    out.write(_HEADER.pack(len(image), len(segmentation)))
    out.write(image + segmentation + attributes.tobytes())
  out.flush()


if __name__ == "__main__":
  _main()
