"""Ctrl-C that ends a command wherever it strikes.

Libraries swallow a `KeyboardInterrupt` (Orbax while it reads metadata) or turn
it into another exception. So it is remembered, and raised again until the
command gives up. While an extension is imported it waits: some crash of it.
"""

import inspect
import signal
import sys
import threading
from typing import Any

AGAIN = 2.0  # seconds until an interrupt counts as swallowed
_SOON = 0.02  # seconds until it is tried again after an import
_EXTENSIONS = ("numpy", "ml_dtypes", "cv2", "jaxlib", "jax", "tensorstore")


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
    importing = _extensions_are_imported()
    # Sent to the thread, so that it wakes from a blocking call.
    main = threading.main_thread().ident
    self._timer = threading.Timer(
      _SOON if importing else AGAIN, signal.pthread_kill, [main, number]
    )
    self._timer.daemon = True
    self._timer.start()
    if not importing:
      raise KeyboardInterrupt

  def __exit__(self, *_: object) -> None:
    if self._timer is not None:
      self._timer.cancel()
    if self._active:
      signal.signal(signal.SIGINT, signal.default_int_handler)


def _extensions_are_imported() -> bool:
  # What Python's own import system asks, too, about half-imported modules.
  specs = (getattr(sys.modules.get(n), "__spec__", None) for n in _EXTENSIONS)
  return any(getattr(spec, "_initializing", False) for spec in specs)


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
  if not _told_otherwise(error):
    sys.__excepthook__(kind, error, trace)
