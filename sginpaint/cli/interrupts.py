"""Ctrl-C that ends a command wherever it strikes.

Libraries swallow a `KeyboardInterrupt` (Orbax while it reads metadata) or turn
it into another exception (JAX while its extension is imported). So it is
remembered, and raised again until the command gives up.
"""

import inspect
import signal
import sys
import threading
from typing import Any

AGAIN = 2.0  # seconds until an interrupt counts as swallowed


class Interrupts:
  """Context in which Ctrl-C raises `KeyboardInterrupt` until it is left.

  Does nothing outside the main thread, or where Ctrl-C is ignored or has
  another handler already.

  Attributes:
    received: whether there was one.
  """

  def __init__(self):
    self.received = False
    self._timer: threading.Timer | None = None
    self._active = False

  def __enter__(self) -> "Interrupts":
    self._active = (
      threading.current_thread() is threading.main_thread()
      and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if self._active:
      signal.signal(signal.SIGINT, self._receive)
      # For good: threads of libraries outlive the command.
      sys.unraisablehook = _report_unraisable
      sys.excepthook = _report_uncaught
    return self

  def _receive(self, number: int, frame: Any) -> None:
    del frame
    self.received = True
    # Sent to the thread, so that it wakes from a blocking call.
    main = threading.main_thread().ident
    self._timer = threading.Timer(AGAIN, signal.pthread_kill, [main, number])
    self._timer.daemon = True
    self._timer.start()
    raise KeyboardInterrupt

  def __exit__(self, *_: object) -> None:
    if self._timer is not None:
      self._timer.cancel()
    if self._active:
      signal.signal(signal.SIGINT, signal.default_int_handler)


def _told_otherwise(error: BaseException | None) -> bool:
  # An interrupt is raised again soon. Threads that read a checkpoint when it
  # proves damaged report to a loop that is gone; the damage is raised besides.
  thread = threading.current_thread() is not threading.main_thread()
  gone = thread and str(error) == "Event loop is closed"
  return gone or isinstance(error, KeyboardInterrupt)


def _report_unraisable(unraisable: Any) -> None:
  # Coroutines are Orbax's, left when another found the checkpoint damaged.
  coroutine = inspect.iscoroutine(unraisable.object)
  if not (coroutine or _told_otherwise(unraisable.exc_value)):
    sys.__unraisablehook__(unraisable)


def _report_uncaught(
  kind: type[BaseException], error: BaseException, trace: Any
) -> None:
  # Extensions print an interrupt that strikes while they import NumPy.
  if not _told_otherwise(error):
    sys.__excepthook__(kind, error, trace)
