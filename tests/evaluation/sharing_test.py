"""Who measures which pictures, and what becomes of the records."""

import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import sharing
from sginpaint.evaluation.sharing import ALONE, Records, Team, parts_of


@pytest.mark.parametrize("units", [0, 1, 7, 100])
def test_every_unit_has_one_process(units):
  shares = [Team(index, 3).share(units) for index in range(3)]
  assert sorted(sum(shares, [])) == ALONE.share(units) == list(range(units))
  assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_devices_take_as_many_units_at_a_time(monkeypatch):
  monkeypatch.setattr(sharing.jax, "device_count", lambda: 8)
  monkeypatch.setattr(sharing.jax, "process_count", lambda: 2)
  assert Team(0, 2).share(11) == [0, 1, 2, 3, 8, 9, 10]
  assert Team(1, 2).share(11) == [4, 5, 6, 7]


def test_parts_cover_everything_once():
  assert parts_of(10, 4) == [slice(0, 4), slice(4, 8), slice(8, 10)]
  assert parts_of(0, 4) == []


@pytest.mark.parametrize("on_disk", [False, True])
def test_records_come_back_in_order(tmp_path, on_disk):
  records = Records(3, tmp_path if on_disk else None)
  for unit in (2, 0):
    records.write(unit, {"holes": np.arange(unit + 1), "b": 1, "a": 2})
  assert records.missing([0, 1, 2]) == [1]
  records.write(1, {"holes": np.arange(2), "b": 1, "a": 2})
  found = list(records.read())
  assert [list(record) for record in found] == [["holes", "b", "a"]] * 3
  for unit, record in enumerate(found):
    np.testing.assert_array_equal(record["holes"], np.arange(unit + 1))


def test_folder_that_is_not_shared_is_one_clear_error(tmp_path, monkeypatch):
  monkeypatch.setattr(sharing, "_PATIENCE", 0.0)
  records = Records(2, tmp_path)
  records.write(0, {"a": 1})
  with pytest.raises(UserError, match="that all processes share"):
    list(records.read())
