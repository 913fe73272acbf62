"""Tests of the arithmetic behind docs/scaling.md, against hand values."""

import json
import pathlib
import re

import pytest

from benchmarks import scaling
from sginpaint.errors import UserError

STEP = {
  "benchmark": "train_step",
  "machine": {"devices": 1, "device": "toy"},
  "batch_size": 8,
  "step_seconds": {"median": 0.1},
  "parameters": {"generator": 20, "discriminator": 5, "frozen teacher": 99},
}
INPUT = {
  "benchmark": "input_pipeline",
  "machine": {"devices": 1, "device": "toy"},
  "images_per_second": {"pipeline": 200.0},
  "cores": 4,
  "bytes_per_picture": 1000.0,
}
OPTIONS = {
  "epochs": 10,
  "price": 2.0,
  "link": 1000.0,
  "devices_per_host": 8,
  "cores_per_host": 16,
  "disk": 1e6,
  "bytes_per_example": 1000.0,
  "flops": 0,
  "batch": 4,
}


def _row(results, devices=16, **changes):
  return scaling.scale(
    results, devices=devices, pictures=3600, options=OPTIONS | changes
  )


def test_ring_moves_nearly_twice_the_gradients():
  assert scaling.all_reduce_seconds(100.0, 1, 10.0) == 0.0
  assert scaling.all_reduce_seconds(100.0, 2, 10.0) == 10.0
  assert scaling.all_reduce_seconds(100.0, 10**9, 10.0) == pytest.approx(20.0)


def test_devices_bound_where_input_and_disk_are_quick():
  row = _row({"train_step": STEP, "input_pipeline": INPUT})
  # 25 trained parameters of 4 bytes: 2 * 15 / 16 * 100 / 1000 s.
  assert row["step_seconds"] == pytest.approx(0.1 + 0.1875)
  assert row["global_batch"] == 128
  rate = 128 / 0.2875
  assert row["images_per_second"] == pytest.approx(rate)
  assert row["bottleneck"] == "devices"
  # 2 hosts of 16 cores, each core 50 pictures/s; their disks 1000 each.
  assert row["limits_images_per_second"]["input"] == 1600.0
  assert row["limits_images_per_second"]["disk"] == 2000.0
  assert row["next_bottleneck"]["name"] == "input"
  assert row["next_bottleneck"]["headroom"] == pytest.approx(1600 / rate)
  assert row["decoding_cores_per_host"] == 5  # 445 / 2 / 50 = 4.45
  assert row["hours"] == pytest.approx(10 / rate)
  assert row["cost"] == pytest.approx(10 / rate * 16 * 2.0)


@pytest.mark.parametrize(
  ("changes", "slowest"),
  [({"cores_per_host": 1}, "input"), ({"disk": 1e4}, "disk")],
)
def test_what_is_short_becomes_the_bottleneck(changes, slowest):
  row = _row({"train_step": STEP, "input_pipeline": INPUT}, **changes)
  assert row["bottleneck"] == slowest
  expected = {"input": 2 * 50.0, "disk": 2 * 10.0}[slowest]
  assert row["images_per_second"] == expected


def test_what_was_not_measured_is_null():
  row = _row({"train_step": STEP}, price=0)
  assert row["decoding_cores_per_host"] is None
  assert row["precompute_hours"] is None
  assert row["cost"] is None
  assert "input" not in row["limits_images_per_second"]


def test_step_measured_on_several_devices_counts_per_device():
  several = STEP | {"machine": {"devices": 4, "device": "toy"}}
  assert _row({"train_step": several})["global_batch"] == 32


def test_assumed_speed_takes_the_place_of_the_measured_one():
  step = STEP | {"flops_per_device": 80.0}
  row = _row({"train_step": step}, flops=100.0)
  # 10 FLOPs a picture, 4 pictures at 100 FLOP/s, and the ring as above.
  assert row["step_seconds"] == pytest.approx(0.4 + 0.1875)
  assert row["global_batch"] == 16 * 4


def test_store_is_as_large_as_its_values():
  store = scaling.store_bytes(10, (2, 3, 5))
  assert store["bfloat16"] == {"both": 10 * 2 * 60, "mirror": 10 * 60}
  # A byte for each value, and a float32 scale for each of 5 channels.
  assert store["int8"] == {"both": 10 * 2 * 50, "mirror": 10 * 50}


def test_page_states_the_bytes_of_the_command():
  page = pathlib.Path(scaling.__file__).parents[1] / "docs" / "scaling.md"
  row = r"^\| (bfloat16|int8) \|(.*)\|$"
  rows = dict(re.findall(row, page.read_text(), re.MULTILINE))
  for dtype, cells in rows.items():
    stated = [float(n) for n in re.findall(r"([\d.]+) TB", cells)]
    stores = [scaling.store_bytes(n)[dtype] for n in scaling.PICTURES.values()]
    expected = [s[v] / 1e12 for s in stores for v in ("mirror", "both")]
    assert stated == pytest.approx(expected, abs=5e-3)
  assert len(rows) == 2


def test_files_are_read_by_what_they_measured(tmp_path):
  paths = []
  for result in (STEP, INPUT):
    paths.append(str(tmp_path / result["benchmark"]))
    pathlib.Path(paths[-1]).write_text(json.dumps(result))
  assert scaling.read_results(paths) == {
    "train_step": STEP,
    "input_pipeline": INPUT,
  }
  with pytest.raises(UserError, match="second result"):
    scaling.read_results([paths[0], paths[0]])
  pathlib.Path(paths[0]).write_text("[]")
  with pytest.raises(UserError, match="not the output"):
    scaling.read_results(paths)
