"""Features of sets: merging, and the file that keeps them."""

import numpy as np
import pytest

from sginpaint.evaluation import features
from sginpaint.evaluation.features import Features


def _part(*index):
  index = np.array(index)
  return index, (index[:, None] * [1.0, 10.0]).astype(np.float32)


def test_parts_of_processes_merge_to_the_whole():
  whole = Features.of([_part(0, 1, 2, 3, 4)])
  # Process 1 padded its share with a picture that process 0 has.
  merged = Features.of([_part(4, 2), _part(0)]).merge(
    Features.of([_part(1, 3, 0)])
  )
  np.testing.assert_array_equal(merged.index, whole.index)
  np.testing.assert_array_equal(merged.values, whole.values)


def _path(**changes):
  fields = {
    "network": "n", "fingerprint": "f", "indices": [0, 1],
    "preprocessing": "stretch-8px",
  }  # fmt: skip
  return features.real_path(**(fields | changes))


@pytest.mark.parametrize(
  "change",
  [
    {"network": "m"},
    {"fingerprint": "g"},
    {"indices": [0, 2]},
    {"preprocessing": "stretch-9px"},
  ],
)
def test_whatever_changes_the_features_changes_the_file(change):
  assert _path() == _path()
  assert _path(**change) != _path()


def test_file_gives_back_what_it_was_given(tmp_path):
  path = tmp_path / "new" / "a.npz"
  assert features.load(path) is None
  features.save(path, Features.of([_part(3, 1)]))
  found = features.load(path)
  np.testing.assert_array_equal(found.index, [1, 3])
  np.testing.assert_array_equal(found.values, [[1, 10], [3, 30]])


def test_damaged_file_is_made_again(tmp_path, caplog):
  path = tmp_path / "a.npz"
  features.save(path, Features.of([_part(0, 1)]))
  path.write_bytes(path.read_bytes()[:100])
  assert features.load(path) is None
  assert "damaged" in caplog.text
