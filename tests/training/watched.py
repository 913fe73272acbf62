"""A training in a process of its own, with what it takes of the machine."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np

MIB = 2**20
_WARM_UP = 10.0  # seconds after the first step
_PROC = pathlib.Path("/proc")
_SHARED = "/dev/shm/"


class Life:
  """A training from its start until it is killed or ends.

  Attributes:
    samples: (seconds since the start, resident bytes) over time.
    disk: the most bytes that its checkpoints took.
    shared: names below /dev/shm that it had mapped or open.
    begun: seconds until it had made a step of its own, or None.
  """

  def __init__(self, words: list[str], workdir: pathlib.Path):
    self._workdir = workdir
    self.samples: list[tuple[float, int]] = []
    self.disk = 0
    self.shared: set[str] = set()
    self.begun: float | None = None
    self._first: int | None = None
    self._begin = time.monotonic()
    # A session of its own tells whom it leaves behind.
    self._process = subprocess.Popen(
      [sys.executable, "train.py", f"--workdir={workdir}", *words],
      stderr=subprocess.DEVNULL,
      start_new_session=True,
    )

  @property
  def seconds(self) -> float:
    return time.monotonic() - self._begin

  def ended(self) -> bool:
    """Whether it ended by itself, well.

    Raises:
      SystemExit: it failed.
    """
    code = self._process.poll()
    if code:
      raise SystemExit(f"the training failed with exit code {code}")
    return code == 0

  def look(self, step: int) -> None:
    """Takes a sample; `step` is the last of the training so far."""
    self._first = step if self._first is None else self._first
    if self.begun is None and step > self._first:
      self.begun = self.seconds
    folder = _PROC / str(self._process.pid)
    try:
      pages = int((folder / "statm").read_text().split()[1])
      self.shared |= _shared_by(folder)
    except OSError:  # it ended meanwhile
      return
    self.samples.append((self.seconds, pages * os.sysconf("SC_PAGE_SIZE")))
    self.disk = max(self.disk, size_of(self._workdir / "checkpoints"))

  def kill(self) -> None:
    self._process.kill()
    self._process.wait()

  def left_behind(self) -> list[int]:
    """Processes of its session that live on; they are ended."""
    time.sleep(1)
    left = [pid for pid in _pids() if _session(pid) == self._process.pid]
    for pid in left:
      os.kill(pid, signal.SIGKILL)
    return left

  def leaked(self) -> list[str]:
    """Shared memory that it left."""
    return sorted(name for name in self.shared if os.path.exists(name))

  def growth(self) -> float | None:
    """MiB a minute, by least squares over what follows the warm-up.

    Pictures and evaluations are compiled in the first quarter of a long life.
    """
    if self.begun is None:
      return None
    warm_up = max(self.begun + _WARM_UP, self.samples[-1][0] / 4)
    steady = [(t, b) for t, b in self.samples if t > warm_up]
    if len(steady) < 5:
      return None
    seconds, resident = np.array(steady, float).T
    return float(np.polyfit(seconds / 60, resident / MIB, 1)[0])


def size_of(folder: pathlib.Path) -> int:
  """Bytes of all files in it; they come and go."""
  total = 0
  for path, _, files in os.walk(folder):
    for file in files:
      try:
        total += os.stat(os.path.join(path, file)).st_size
      except FileNotFoundError:
        continue
  return total


def _pids() -> list[int]:
  return [int(p.name) for p in _PROC.iterdir() if p.name.isdigit()]


def _session(pid: int) -> int | None:
  try:
    return os.getsid(pid)
  except ProcessLookupError:
    return None


def _shared_by(folder: pathlib.Path) -> set[str]:
  mapped = [
    line.split(maxsplit=5)[-1]
    for line in (folder / "maps").read_text().splitlines()
  ]
  opened = [os.readlink(link) for link in (folder / "fd").iterdir()]
  return {name for name in mapped + opened if name.startswith(_SHARED)}
