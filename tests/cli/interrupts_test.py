"""Ctrl-C ends a command even where a library gets in its way."""

import signal
import sys
import threading
import time

import pytest

from sginpaint.cli import interrupts
from sginpaint.cli.__main__ import run


def _ctrl_c():
  signal.raise_signal(signal.SIGINT)


def _swallow(argv):
  try:
    _ctrl_c()
  except BaseException:  # as Orbax does
    time.sleep(20)
  return 0


def _turn_into_another_error(argv):
  try:
    _ctrl_c()
  except KeyboardInterrupt as e:  # as JAX does while it is imported
    raise ImportError("half initialised") from e


@pytest.mark.parametrize("command", [_swallow, _turn_into_another_error])
def test_ctrl_c_is_130_whatever_a_library_makes_of_it(
  command, monkeypatch, capsys
):
  monkeypatch.setattr(interrupts, "AGAIN", 0.05)
  start = time.monotonic()
  assert run(command, []) == 130
  assert time.monotonic() - start < 10
  assert capsys.readouterr().err == "sginpaint: interrupted\n"
  assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_is_raised_after_the_end(monkeypatch):
  monkeypatch.setattr(interrupts, "AGAIN", 0.05)
  with interrupts.Interrupts() as found, pytest.raises(KeyboardInterrupt):
    _ctrl_c()
  assert found.received
  time.sleep(0.15)


def test_an_ignored_ctrl_c_stays_ignored():
  before = signal.signal(signal.SIGINT, signal.SIG_IGN)
  try:
    assert run(lambda argv: _ctrl_c() or 7, []) == 7
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
  finally:
    signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone():
  codes = []
  thread = threading.Thread(target=lambda: codes.append(run(len, ["a"])))
  thread.start()
  thread.join()
  assert codes == [1]


@pytest.mark.parametrize("words", ["Event loop is closed", "something else"])
def test_reads_given_up_for_damage_end_in_silence(words, monkeypatch, capsys):
  class Callback:
    def __del__(self):
      raise RuntimeError(words)

  def give_up():
    callback = Callback()
    del callback

  for hook in ("unraisablehook", "excepthook"):  # put back after the test
    monkeypatch.setattr(sys, hook, getattr(sys, hook))
  with interrupts.Interrupts():
    thread = threading.Thread(target=give_up)
    thread.start()
    thread.join()
  told = words in capsys.readouterr().err
  assert told == (words == "something else")
