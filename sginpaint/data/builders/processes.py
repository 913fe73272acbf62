"""Runs jobs in processes that end with whoever started them."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

from sginpaint.errors import UserError

_PRELOADED = "sginpaint.data.builders.shards"

Run = Callable[..., Iterator[tuple[int, Any]]]


def usable_cores() -> int:
  """Cores that this process may run on, as far as the system tells."""
  if hasattr(os, "sched_getaffinity"):  # macOS has none
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Run]:
  """Gives `run(work, jobs)`, which yields (position, result) as they come.

  Args:
    workers: processes; one works in this process.
  """
  if workers == 1:

    def run_here(work, jobs):
      for i, job in enumerate(jobs):
        yield i, work(*job)

    yield run_here
    return
  # A fork of this process would copy its threads' locks; a fresh interpreter
  # for each worker takes seconds to import what it needs. So: one, then forks.
  context = multiprocessing.get_context("forkserver")
  context.set_forkserver_preload([_PRELOADED])
  # Nobody else has the writing end: it closes when this process ends.
  reader, writer = context.Pipe(duplex=False)
  pool = concurrent.futures.ProcessPoolExecutor(
    workers,
    mp_context=context,
    initializer=_start_worker,
    initargs=(reader,),
  )

  def run(work, jobs):
    futures = {pool.submit(work, *job): i for i, job in enumerate(jobs)}
    try:
      for future in concurrent.futures.as_completed(futures):
        yield futures[future], future.result()
    except BrokenProcessPool as e:
      raise UserError(
        "a process was killed, perhaps for want of memory; run the same "
        "command again, with fewer --workers"
      ) from e

  try:
    yield run
  except BaseException:
    writer.close()  # ends the workers at once; what they are at is lost
    raise
  finally:
    pool.shutdown(cancel_futures=True)
    writer.close()
    reader.close()


def _start_worker(caller: Connection) -> None:
  """Ctrl-C is the caller's business, and its death ends the worker."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)

  def watch():
    with contextlib.suppress(EOFError):
      caller.recv()
    os._exit(1)

  threading.Thread(target=watch, daemon=True).start()
