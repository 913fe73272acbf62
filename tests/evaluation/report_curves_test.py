"""Curves of the report are of one training, one protocol, the same pairs."""

import json

import pytest

from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.report_curves import points, section
from sginpaint.evaluation.report_methods import Method


def _metrics(step, value=20.0, **changed):
  return {
    "step": step,
    "protocol": "standard",
    "guidance": "none",
    "masks": "center",
    "count": 4,
    "metrics": {"all": {"count": 4, "hole_psnr": value}},
    "intervals": {"system": {"all": {"hole_psnr": [value - 1, value + 1]}}},
    "provenance": {
      "system": "spl",
      "weights": "ema",
      "split_fingerprint": "f",
      "manifest_hash": "m",
    },
  } | changed


@pytest.fixture
def root(tmp_path):
  found = {
    "2": _metrics(2, 18.0),
    "10": _metrics(10, 19.0),
    "30": _metrics(30, protocol="spl"),
    "40": _metrics(40, provenance={"system": "espa"}),
    "mine": _metrics(50),
  }
  for name, metrics in found.items():
    (tmp_path / name).mkdir()
    (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
  (tmp_path / "60").mkdir()
  (tmp_path / "60" / "metrics.json").write_text("{")
  return tmp_path


def test_steps_in_order_with_the_present_one(root):
  found = points(root, _metrics(20, 20.5))
  assert [(step, means["hole_psnr"]) for step, means, _ in found] == [
    (2, 18.0), (10, 19.0), (20, 20.5),
  ]  # fmt: skip


def test_scores_of_other_networks_are_left_out(root):
  networks = {"networks": {"lpips": {"hash": "a"}}}
  other = _metrics(2) | {"networks": {"lpips": {"hash": "b"}}}
  (root / "2" / "metrics.json").write_text(json.dumps(other))
  found = points(root, _metrics(20) | networks)
  assert [step for step, _, _ in found] == [10, 20]


def test_chart_has_a_point_for_each(root):
  method = Method("a &amp; b", "#123456", {}, True)
  found = {"a & b": points(root, _metrics(20, 20.5))}
  drawn = section(found, [method], PROTOCOLS["standard"].measures)
  assert drawn.count("<circle") == 3
  assert "a &amp; b, step 10: 19.0000" in drawn
  assert section({"a & b": found["a & b"][:1]}, [method], ()) == ""
