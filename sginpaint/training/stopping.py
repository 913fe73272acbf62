"""SIGTERM and Ctrl-C: a training ends after a step, all processes after one.

One process remembers the signal. Of several, JAX's preemption service (on where
`cli/devices` joined the processes) takes a SIGTERM that any of them receives
and agrees with the others on the step to stop at; Ctrl-C goes the same way.
"""

import os
import signal
import sys
import textwrap
import traceback
from typing import Any, NoReturn

import jax
from jax.experimental import multihost_utils

from sginpaint import workdirs


class Stop:
  """Context in which signals are waited for.

  Attributes:
    received: number of the signal that this process received, or 0.
  """

  def __enter__(self) -> "Stop":
    self.received = 0
    numbers = [int(signal.SIGINT)]
    if jax.process_count() == 1:
      numbers.append(int(signal.SIGTERM))
    self._old = {n: signal.signal(n, self._receive) for n in numbers}
    return self

  def _receive(self, number: int, frame: Any) -> None:
    del frame
    self.received = number
    # A second one must be able to end a step that hangs.
    signal.signal(number, self._old[number])
    if jax.process_count() > 1:
      os.kill(os.getpid(), signal.SIGTERM)

  def __exit__(self, *_: object) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)

  def wanted(self, step: int) -> bool:
    """Whether to end now; every process asks once after each step."""
    if jax.process_count() == 1:
      return bool(self.received)
    return multihost_utils.reached_preemption_sync_point(step)

  @property
  def exit_code(self) -> int:
    """130 after Ctrl-C, else 0."""
    return 130 if self.received == signal.SIGINT else 0


def end_alone(workdir: str) -> NoReturn:
  """Ends this process at once, while an exception is handled.

  Of several processes the others are gone, or wait for this one where it will
  never come; whatever is closed in good order would wait for them in turn.
  """
  error = sys.exc_info()[1]
  why = f"({textwrap.shorten(str(error), 200)})"
  if isinstance(error, jax.errors.JaxRuntimeError):
    why = f"most likely because another one ended {why}"
  else:
    traceback.print_exc()
  saved = workdirs.steps(workdir)
  from_where = f"step {saved[0]}" if saved else "the beginning"
  print(
    f"sginpaint: error: process {jax.process_index()} of "
    f"{jax.process_count()} cannot go on, {why}; start all of them again: the "
    f"training goes on from {from_where}",
    file=sys.stderr,
    flush=True,
  )
  os._exit(1)
