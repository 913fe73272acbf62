"""What is kept is bounded, and ids are no help to a stranger."""

import types

import numpy as np
import pytest

from sginpaint import images
from sginpaint.cli.demo.refusals import Refusal
from sginpaint.cli.demo.sessions import Sessions


def _picture(nbytes=12):
  return images.Picture(np.zeros((1, nbytes // 3, 3), np.uint8))


def _has(sessions, key):
  try:
    sessions.get(key)
  except Refusal as e:
    assert e.status == 404
    return False
  return True


def test_ids_differ_and_are_long():
  sessions = Sessions()
  keys = {sessions.add(_picture()) for _ in range(50)}
  assert len(keys) == 50
  assert min(map(len, keys)) >= 32


def test_least_recently_used_goes_first():
  sessions = Sessions(max_count=2)
  first, second = sessions.add(_picture()), sessions.add(_picture())
  assert _has(sessions, first)
  third = sessions.add(_picture())
  assert [_has(sessions, k) for k in (first, second, third)] == [
    *(True, False, True)
  ]


def test_bytes_are_bounded_also_by_edits():
  sessions = Sessions(max_bytes=100)
  keys = [sessions.add(_picture(30)) for _ in range(3)]
  kept = sessions.get(keys[2])
  kept.session = types.SimpleNamespace(nbytes=35)
  assert kept.nbytes == 30 + 35
  sessions.trim()
  assert [_has(sessions, k) for k in keys] == [False, True, True]


def test_profiles_count_and_what_is_too_large_alone_is_refused():
  sessions = Sessions(max_bytes=100)
  picture = images.Picture(np.zeros((1, 10, 3), np.uint8), b"x" * 50)
  assert sessions.get(sessions.add(picture)).nbytes == 80
  sessions.check(100)
  with pytest.raises(Refusal, match="too much memory; fill fewer"):
    sessions.check(101)


def test_one_that_is_larger_than_all_may_stay_alone():
  sessions = Sessions(max_bytes=100)
  small, large = sessions.add(_picture()), sessions.add(_picture(300))
  assert not _has(sessions, small)
  assert _has(sessions, large)


def test_idle_ones_expire_and_used_ones_do_not():
  now = [0.0]
  sessions = Sessions(idle=10, clock=lambda: now[0])
  used, idle = sessions.add(_picture()), sessions.add(_picture())
  now[0] = 9
  assert _has(sessions, used)
  now[0] = 11
  sessions.trim()
  assert len(sessions) == 1
  assert not _has(sessions, idle)
  assert _has(sessions, used)


@pytest.mark.parametrize("key", ["", "x", "../x"])
def test_unknown_ids_are_dropped_without_a_word(key):
  sessions = Sessions()
  sessions.drop(key)
  assert not _has(sessions, key)
