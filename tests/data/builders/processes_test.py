"""Jobs in processes, and what becomes of them when their parent is killed."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from sginpaint.data.builders.processes import processes, usable_cores
from sginpaint.errors import UserError

_WAIT = 60.0


def double(number):
  return 2 * number


def write_pid_and_sleep(path):
  """The job of a process that would go on for a minute."""
  draft = pathlib.Path(f"{path}.draft")
  draft.write_text(str(os.getpid()))
  draft.rename(path)
  time.sleep(_WAIT)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_with_their_positions(workers):
  with processes(workers) as run:
    assert dict(run(double, [(3,), (4,), (5,)])) == {0: 6, 1: 8, 2: 10}


def test_processes_end_with_a_killed_parent(tmp_path):
  code = (
    "import sys\n"
    "from sginpaint.data.builders.processes import processes\n"
    "from tests.data.builders.processes_test import write_pid_and_sleep\n"
    "if __name__ == '__main__':\n"
    "  with processes(2) as run:\n"
    "    list(run(write_pid_and_sleep, [(sys.argv[1],)]))\n"
  )
  pid = tmp_path / "pid"
  root = str(pathlib.Path(__file__).parents[3])
  parent = subprocess.Popen([sys.executable, "-c", code, str(pid)], cwd=root)
  deadline = time.monotonic() + _WAIT
  while not pid.exists() and time.monotonic() < deadline:
    time.sleep(0.02)
  os.kill(parent.pid, signal.SIGKILL)
  parent.wait()
  child = int(pid.read_text())
  while _alive(child) and time.monotonic() < deadline:
    time.sleep(0.02)
  assert not _alive(child)


def kill_oneself(_):
  os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_one_line():
  killed = pytest.raises(UserError, match=r"a process was killed.*--workers")
  with killed, processes(2) as run:
    list(run(kill_oneself, [(1,)]))


def test_who_gives_up_waits_for_nobody():
  with pytest.raises(KeyboardInterrupt), processes(2) as run:
    next(run(time.sleep, [(_WAIT,), (0,)]))
    start = time.monotonic()
    raise KeyboardInterrupt
  assert time.monotonic() - start < _WAIT / 2


def test_cores_where_the_system_tells_no_affinity(monkeypatch):
  assert usable_cores() == len(os.sched_getaffinity(0))
  monkeypatch.delattr(os, "sched_getaffinity")
  assert usable_cores() == os.cpu_count()


def _alive(pid):
  try:
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
  except (FileNotFoundError, ProcessLookupError):
    return False
  return stat.rpartition(")")[2].split()[0] != "Z"
