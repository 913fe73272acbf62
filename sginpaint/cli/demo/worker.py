"""One thread that decodes and computes, and a queue that ends somewhere.

JAX uses every core for one picture already: two at once would only take twice
the memory. The event loop stays free to answer meanwhile.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any, TypeVar

from sginpaint.cli.demo.refusals import Refusal

MAX_JOBS = 100  # waiting or running

T = TypeVar("T")


class Worker:
  """Runs jobs one after the other, off the event loop.

  Attributes:
    max_jobs: jobs that may wait or run; more are refused.
  """

  def __init__(self, *, max_jobs: int = MAX_JOBS):
    self.max_jobs = max_jobs
    self._jobs = 0
    self._thread = concurrent.futures.ThreadPoolExecutor(1, "demo")

  async def run(self, job: Callable[..., T], *args: Any) -> T:
    """Runs `job(*args)` when it is its turn.

    Raises:
      Refusal: too many jobs are waiting (503).
    """
    if self._jobs >= self.max_jobs:
      raise Refusal(503, "too many pictures are waiting; try again soon")
    self._jobs += 1
    future = self._thread.submit(job, *args)
    # Counted until it has really ended, also where nobody waits any more.
    loop = asyncio.get_running_loop()
    future.add_done_callback(
      lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._done)
    )
    return await asyncio.wrap_future(future)

  def _done(self) -> None:
    self._jobs -= 1

  def close(self) -> None:
    """Forgets the jobs that wait."""
    self._thread.shutdown(wait=False, cancel_futures=True)
