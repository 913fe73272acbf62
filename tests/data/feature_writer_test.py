"""Stores that several processes fill, and that are gone on with."""

import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from sginpaint.data.teacher_features import FeatureStore, FeatureWriter
from sginpaint.errors import UserError
from tests.data.stored import COUNT, IDS, MADE_FROM, features, fill, slice_of

# As many processes as lives fill shards of one example; each dies with the
# shard after its last life. One import serves all of them.
MEMBERS = """
import multiprocessing, os, signal, sys
from tests.data.stored import *

def member(me, count, lives):
  writer = FeatureWriter(sys.argv[1], MADE_FROM, IDS, records_per_shard=1)
  with writer:
    start.wait()
    for span in writer.claim(me, count):
      if lives == 0:
        os.kill(os.getpid(), signal.SIGKILL)
      lives -= 1
      writer.write(features()[slice_of(span)])
      os.write(1, f"{me} {span.start}\\n".encode())

lives = list(map(int, sys.argv[2:]))
context = multiprocessing.get_context("fork")
start = context.Barrier(len(lives))
started = [
  context.Process(target=member, args=(me, len(lives), n))
  for me, n in enumerate(lives)
]
for process in started:
  process.start()
for process in started:
  process.join()
ends = [-signal.SIGKILL if n >= 0 else 0 for n in lives]
assert [process.exitcode for process in started] == ends
"""


def members(directory, *lives):
  """The shards that each of as many processes made."""
  command = [sys.executable, "-c", MEMBERS, str(directory), *map(str, lives)]
  said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
  rows = [tuple(map(int, line.split())) for line in said.splitlines()]
  return [[s for m, s in rows if m == me] for me in range(len(lives))]


def assert_same_files(one, other):
  assert sorted(os.listdir(one)) == sorted(os.listdir(other))
  for name in os.listdir(one):
    assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_two_processes_one_killed_then_three(tmp_path):
  whole, broken = tmp_path / "whole", tmp_path / "broken"
  fill(whole, features(), records_per_shard=1)
  before = members(broken, 3, 1)
  assert before[0] == [0, 2, 4] and before[1] == [1]
  with pytest.raises(UserError, match=r"unfinished \(4 of 10 shards\)"):
    FeatureStore(broken, MADE_FROM)
  after = members(broken, -1, -1, -1)
  assert sorted(sum(before + after, [])) == list(range(COUNT))
  assert_same_files(whole, broken)


def test_shard_that_another_process_holds_is_left_to_it(tmp_path):
  whole, shared = tmp_path / "whole", tmp_path / "shared"
  fill(whole, features(), records_per_shard=1)
  with FeatureWriter(shared, MADE_FROM, IDS, records_per_shard=1) as writer:
    held = writer.claim(4, COUNT)
    assert next(held) == range(4, 5)
    (others,) = members(shared, -1)
    assert others == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    writer.write(features()[4:5])
    assert list(held) == []
  assert_same_files(whole, shared)


def test_closing_early_keeps_whole_shards(tmp_path):
  with FeatureWriter(tmp_path, MADE_FROM, IDS, records_per_shard=4) as writer:
    claimed = writer.claim()
    writer.write(features()[slice_of(next(claimed))])
    writer.write(features()[slice_of(next(claimed))][:2])
  with FeatureWriter(tmp_path, MADE_FROM, IDS) as writer:
    assert writer.missing() == [1, 2]
  fill(tmp_path, features())
  store = FeatureStore(tmp_path, MADE_FROM)
  expected = features().astype(ml_dtypes.bfloat16)
  np.testing.assert_array_equal(store.read(5), expected[5, 0])


@pytest.mark.parametrize("harm", ["gone", "shorter", "discarded"])
def test_damaged_shard_alone_is_made_again(tmp_path, harm):
  whole, mended = tmp_path / "whole", tmp_path / "mended"
  for directory in (whole, mended):
    fill(directory, features())
  shard = mended / "features-00001.array_record"
  if harm == "gone":
    shard.unlink()
  else:
    data = shard.read_bytes()
    shard.write_bytes(data[:-1] if harm == "shorter" else data[::-1])
  discard = [1] if harm == "discarded" else []
  with FeatureWriter(mended, MADE_FROM, IDS, discard=discard) as writer:
    assert writer.missing() == [1]
    for span in writer.claim():
      writer.write(features()[slice_of(span)])
  assert_same_files(whole, mended)


def test_finished_store_has_nothing_to_do(tmp_path):
  fill(tmp_path, features())
  before = (tmp_path / "metadata.json").read_bytes()
  with FeatureWriter(tmp_path, MADE_FROM, IDS, records_per_shard=4) as writer:
    assert writer.missing() == []
  assert (tmp_path / "metadata.json").read_bytes() == before


def test_other_features_need_overwrite(tmp_path):
  fill(tmp_path, features())
  other = MADE_FROM | {"teacher": "new"}
  with pytest.raises(UserError, match="teacher is 'abc', but 'new'"):
    FeatureWriter(tmp_path, other, IDS)
  assert len(FeatureStore(tmp_path, MADE_FROM)) == COUNT
  with FeatureWriter(tmp_path, other, IDS, overwrite=True) as writer:
    assert writer.missing() == [0]
  with pytest.raises(UserError, match="0 of 1 shards"):
    FeatureStore(tmp_path, MADE_FROM)


def test_nothing_is_overwritten_under_a_writer(tmp_path):
  code = (
    "import sys; from tests.data.stored import *\n"
    "FeatureWriter(sys.argv[1], {'teacher': 'new'}, IDS, overwrite=True)"
  )
  command = [sys.executable, "-c", code, str(tmp_path)]
  with FeatureWriter(tmp_path, MADE_FROM, IDS):
    ended = subprocess.run(command, check=False, capture_output=True)
  assert ended.returncode == 1
  assert b"another process writes features there" in ended.stderr
