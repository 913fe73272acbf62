"""Stored features: exactness, sizes, refusals."""

import json
import pickle
import threading

import ml_dtypes
import numpy as np
import pytest

from sginpaint.data.feature_format import VIEWS, shard_bytes
from sginpaint.data.teacher_features import (
  FeatureStore,
  FeatureWriter,
  bytes_per_picture,
)
from sginpaint.errors import UserError
from tests.data.stored import COUNT, IDS, MADE_FROM, SHAPE, features, fill


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
      for _ in writer.claim():
        writer.write(values)
    size = (tmp_path / "features-00000.array_record").stat().st_size
    said = 4 * bytes_per_picture(shape, dtype=dtype)
    # Blocks of 64 KiB, one of them the footer's.
    assert said <= size <= said + 3 * 2**16

  @pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (1, 1, 5)), (7, (8, 8, 19)), (64, (9, 9, 33)), (1000, (1, 1, 50))],
  )
  @pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
  @pytest.mark.parametrize("views", [VIEWS, VIEWS[:1]])
  def test_shard_bytes(self, tmp_path, count, shape, dtype, views):
    ids = [str(i) for i in range(count)]
    options = {"dtype": dtype, "views": views, "records_per_shard": count}
    with FeatureWriter(tmp_path, {}, ids, **options) as writer:
      for _ in writer.claim():
        writer.write(np.ones((count, len(views), *shape), np.float32))
    size = (tmp_path / "features-00000.array_record").stat().st_size
    said = shard_bytes(count, shape, dtype=dtype, views=views)
    assert said == pytest.approx(size, rel=0.01)

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
      with pytest.raises(ValueError, match="1 features for 0 claimed"):
        writer.write(np.zeros((1, 2, *SHAPE)))
      next(claimed := writer.claim())
      with pytest.raises(ValueError, match="not finite"):
        writer.write(np.full((1, 2, *SHAPE), np.nan))
      with pytest.raises(ValueError, match="11 features for 10 claimed"):
        writer.write(np.zeros((11, 2, *SHAPE)))
      with pytest.raises(ValueError, match=r"not \[n, 2, 2, 3, 5\]"):
        writer.write(np.zeros((1, 1, *SHAPE)))
      claimed.close()


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
    assert store.damaged() == [1]
    with pytest.raises(UserError, match="features-00001.array_record.*repair"):
      store.read(4)

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
