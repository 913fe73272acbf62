"""Stored features: exactness, resuming after a kill, refusals."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading

import ml_dtypes
import numpy as np
import pytest

from sginpaint.data.teacher_features import (
  FeatureStore,
  FeatureWriter,
  bytes_per_picture,
)
from sginpaint.errors import UserError

COUNT, SHAPE = 10, (2, 3, 5)
IDS = [f"d/p{i}" for i in range(COUNT)]
MADE_FROM = {"teacher": "abc", "layer": "layer2", "input_size": [64, 64]}


def features(count: int = COUNT, views: int = 2) -> np.ndarray:
  """float32 [count, views, h, w, F] of uneven channels, one of them zero."""
  generator = np.random.default_rng(3)
  values = generator.normal(size=(count, views, *SHAPE))
  return (values * [1.0, 30.0, 1e-3, 0.0, 5.0]).astype(np.float32)


def fill(directory, values, **options):
  options = {"records_per_shard": 4} | options
  with FeatureWriter(directory, MADE_FROM, IDS, **options) as writer:
    writer.write(values[writer.next_index :])


class TestValues:
  def test_bfloat16_is_exact(self, tmp_path):
    values = features().astype(ml_dtypes.bfloat16)
    fill(tmp_path, values)
    store = FeatureStore(tmp_path, MADE_FROM)
    assert len(store) == COUNT
    assert store.shape == SHAPE
    for i in range(COUNT):
      for view, flip in enumerate((False, True)):
        read = store.read(i, flip=flip)
        assert read.dtype == ml_dtypes.bfloat16
        np.testing.assert_array_equal(read, values[i, view])

  def test_int8_error_bound(self, tmp_path):
    values = features()
    fill(tmp_path, values, dtype="int8")
    store = FeatureStore(tmp_path, MADE_FROM)
    read = np.stack(
      [
        [store.read(i, flip=flip) for flip in (False, True)]
        for i in range(COUNT)
      ]
    ).astype(np.float32)
    scale = np.abs(values).max(axis=(2, 3), keepdims=True) / 127
    # Half a level, and the rounding of the result to 8 bits of mantissa.
    bound = 0.5 * scale + np.abs(values) * 2.0**-8
    assert (np.abs(read - values) <= bound * (1 + 1e-5)).all()
    assert (read[..., 3] == 0).all()

  def test_one_view_is_mirrored_along_the_width(self, tmp_path):
    values = features(views=1).astype(ml_dtypes.bfloat16)
    fill(tmp_path, values, views=("identity",))
    store = FeatureStore(tmp_path, MADE_FROM)
    np.testing.assert_array_equal(store.read(3), values[3, 0])
    np.testing.assert_array_equal(
      store.read(3, flip=True), values[3, 0][:, ::-1]
    )

  def test_by_id(self, tmp_path):
    fill(tmp_path, features())
    store = FeatureStore(tmp_path, MADE_FROM)
    np.testing.assert_array_equal(store.read("d/p7"), store.read(7))
    with pytest.raises(UserError, match="no features of 'p7'"):
      store.read("p7")

  @pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
  def test_bytes_per_picture(self, tmp_path, dtype):
    shape = (16, 16, 64)
    values = np.ones((4, 2, *shape), np.float32)
    with FeatureWriter(tmp_path, {}, IDS[:4], dtype=dtype) as writer:
      writer.write(values)
    size = (tmp_path / "features-00000.array_record").stat().st_size
    said = 4 * bytes_per_picture(shape, dtype=dtype)
    # Blocks of 64 KiB, one of them the footer's.
    assert said <= size <= said + 3 * 2**16

  def test_threads_and_pickling(self, tmp_path):
    values = features().astype(ml_dtypes.bfloat16)
    fill(tmp_path, values)
    store = pickle.loads(pickle.dumps(FeatureStore(tmp_path, MADE_FROM)))
    store.read(0)
    store = pickle.loads(pickle.dumps(store))
    wrong = []

    def read(seed):
      for i in np.random.default_rng(seed).integers(0, COUNT, 200):
        if (store.read(int(i), flip=True) != values[i, 1]).any():
          wrong.append(i)

    threads = [threading.Thread(target=read, args=(s,)) for s in range(4)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    assert not wrong

  def test_values_that_cannot_be_meant(self, tmp_path):
    with FeatureWriter(tmp_path, MADE_FROM, IDS) as writer:
      with pytest.raises(ValueError, match="not finite"):
        writer.write(np.full((1, 2, *SHAPE), np.nan))
      with pytest.raises(ValueError, match="more features than 10"):
        writer.write(np.zeros((11, 2, *SHAPE)))
      with pytest.raises(ValueError, match=r"not \[n, 2, 2, 3, 5\]"):
        writer.write(np.zeros((1, 1, *SHAPE)))


KILLED = """
import os, signal, sys
from tests.data.teacher_features_test import *
writer = FeatureWriter(sys.argv[1], MADE_FROM, IDS, records_per_shard=4)
for example in features()[writer.next_index:]:
  writer.write(example[None])
  if writer.next_index == int(sys.argv[2]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TestResume:
  def test_after_kills(self, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    fill(whole, features())
    for at, kept in ((3, 0), (7, 4), (9, 8)):
      command = [sys.executable, "-c", KILLED, str(broken), str(at)]
      killed = subprocess.run(command, check=False)
      assert killed.returncode == -signal.SIGKILL
      with FeatureWriter(broken, MADE_FROM, IDS, records_per_shard=4) as writer:
        assert writer.next_index == kept
    with pytest.raises(UserError, match=r"unfinished \(8 of 10 pictures\)"):
      FeatureStore(broken, MADE_FROM)
    fill(broken, features())
    for name in sorted(os.listdir(whole)):
      assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    assert sorted(os.listdir(broken)) == sorted(os.listdir(whole))

  def test_closing_early_keeps_whole_shards(self, tmp_path):
    with FeatureWriter(tmp_path, MADE_FROM, IDS, records_per_shard=4) as writer:
      writer.write(features()[:6])
    fill(tmp_path, features())
    store = FeatureStore(tmp_path, MADE_FROM)
    expected = features().astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(store.read(5), expected[5, 0])

  def test_finished_store_has_nothing_to_do(self, tmp_path):
    fill(tmp_path, features())
    before = (tmp_path / "metadata.json").read_bytes()
    with FeatureWriter(tmp_path, MADE_FROM, IDS, records_per_shard=4) as writer:
      assert writer.next_index == COUNT
    assert (tmp_path / "metadata.json").read_bytes() == before

  def test_other_features_need_overwrite(self, tmp_path):
    fill(tmp_path, features())
    other = MADE_FROM | {"teacher": "new"}
    with pytest.raises(UserError, match="teacher is 'abc', but 'new'"):
      FeatureWriter(tmp_path, other, IDS)
    assert len(FeatureStore(tmp_path, MADE_FROM)) == COUNT
    with FeatureWriter(tmp_path, other, IDS, overwrite=True) as writer:
      assert writer.next_index == 0
    with pytest.raises(UserError, match="no teacher features"):
      FeatureStore(tmp_path, MADE_FROM)

  def test_two_writers_at_once(self, tmp_path):
    with (
      FeatureWriter(tmp_path, MADE_FROM, IDS),
      pytest.raises(UserError, match="another process"),
    ):
      FeatureWriter(tmp_path, MADE_FROM, IDS)


class TestRefusals:
  @pytest.mark.parametrize(
    ("field", "value", "message"),
    [
      ("teacher", "xyz", "teacher is 'abc', but 'xyz' is needed"),
      ("input_size", (32, 32), r"input_size is \[64, 64\], but \[32, 32\]"),
      ("split", "f00", "split is not recorded, but 'f00' is needed"),
      ("dtype", "int8", "dtype is 'bfloat16', but 'int8' is needed"),
      ("views", ("identity",), r"views is .*but \['identity'\] is needed"),
    ],
  )
  def test_stale(self, tmp_path, field, value, message):
    fill(tmp_path, features())
    with pytest.raises(UserError, match=message) as error:
      FeatureStore(tmp_path, MADE_FROM | {field: value})
    assert "python -m sginpaint precompute" in str(error.value)
    assert str(error.value).endswith("--overwrite")
    assert str(tmp_path) in str(error.value)

  def test_missing(self, tmp_path):
    with pytest.raises(UserError, match="no teacher features.*: python -m"):
      FeatureStore(tmp_path / "none", MADE_FROM)

  def test_truncated_shard(self, tmp_path):
    fill(tmp_path, features())
    shard = tmp_path / "features-00001.array_record"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UserError, match="features-00001.array_record: missing"):
      FeatureStore(tmp_path, MADE_FROM)

  def test_flipped_bit(self, tmp_path):
    fill(tmp_path, features())
    shard = tmp_path / "features-00001.array_record"
    data = bytearray(shard.read_bytes())
    found = data.find(features().astype(ml_dtypes.bfloat16)[4, 0].tobytes())
    data[found + 5] ^= 4
    shard.write_bytes(data)
    store = FeatureStore(tmp_path, MADE_FROM)
    store.read(0)
    for check in (store.verify, lambda: store.read(4)):
      with pytest.raises(UserError, match="features-00001.array_record"):
        check()

  def test_position_outside(self, tmp_path):
    fill(tmp_path, features())
    store = FeatureStore(tmp_path, MADE_FROM)
    for position in (-1, COUNT):
      with pytest.raises(IndexError):
        store.read(position)

  def test_metadata_is_readable(self, tmp_path):
    fill(tmp_path, features())
    metadata = json.loads((tmp_path / "metadata.json").read_text())
    assert metadata["layer"] == "layer2"
    assert metadata["shape"] == list(SHAPE)
    assert len(metadata["shards"]) == 3
