"""Which tensors of a file are the network's, and what is said of the rest."""

import ml_dtypes
import numpy as np
import pytest

from sginpaint.convert import pickles, reading
from sginpaint.errors import UserError
from tests.convert.weights import save

ONE, TWO = np.ones(1, "float32"), np.full(2, 2.0, "float32")
OPTIMISER = {"state": {0: {"exp_avg": ONE}}, "param_groups": [{"lr": 1.0}]}


def read(monkeypatch, tmp_path, content):
  """`read_weights` of a PyTorch file that holds `content`."""
  monkeypatch.setattr(pickles, "read", lambda path: content)
  path = tmp_path / "a.pth"
  path.write_bytes(b"\x80\x02anything")
  return reading.read_weights(path)


@pytest.mark.parametrize(
  ("content", "wrapper", "ignored"),
  [
    ({"w": ONE}, "", ()),
    ({"w": ONE, "epoch": 3}, "", ("epoch",)),
    ({"state_dict": {"w": ONE}, "epoch": TWO}, "state_dict", ("epoch",)),
    ({"weights_of_mine": {"w": ONE}}, "weights_of_mine", ()),
    ({"model": {"w": ONE}, "optimizer": OPTIMISER}, "model", ("optimizer",)),
    ({"net": {"params": {"w": ONE}}}, "net.params", ()),
    ({"model": {"w": TWO}, "ema": {"w": ONE}}, "ema", ("model",)),
  ],
)
def test_wrappers_come_off(monkeypatch, tmp_path, content, wrapper, ignored):
  weights = read(monkeypatch, tmp_path, content)
  assert list(weights.tensors) == ["w"]
  np.testing.assert_array_equal(weights.tensors["w"], ONE)
  assert (weights.wrapper, weights.ignored) == (wrapper, ignored)


def test_players_side_by_side_become_prefixes(monkeypatch, tmp_path):
  content = {"netD": {"w": ONE}, "netG": {"w": TWO}, "optimizer": OPTIMISER}
  weights = read(monkeypatch, tmp_path, content)
  assert list(weights.tensors) == ["netD.w", "netG.w"]
  assert weights.ignored == ("optimizer",)


@pytest.mark.parametrize("content", [{}, [ONE], {"optimizer": OPTIMISER}, ONE])
def test_files_without_named_tensors_are_refused(
  monkeypatch, tmp_path, content
):
  with pytest.raises(UserError, match="no named tensors"):
    read(monkeypatch, tmp_path, content)


def test_names_of_classes_come_in_order(monkeypatch, tmp_path):
  content = {"model": {"w": ONE}, "idx_to_class": {"10": "c", "2": "b", 0: "a"}}
  assert read(monkeypatch, tmp_path, content).classes == ("a", "b", "c")
  content["idx_to_class"]["3"] = "a"  # names must tell attributes apart
  assert read(monkeypatch, tmp_path, content).classes == ()


def test_safetensors_keep_their_precision(tmp_path):
  state = {"a": ONE.astype(ml_dtypes.bfloat16), "b": TWO.astype("float16")}
  weights = reading.read_weights(save(tmp_path / "a.safetensors", state))
  assert {k: str(v.dtype) for k, v in weights.tensors.items()} == {
    "a": "bfloat16",
    "b": "float16",
  }
  assert len(weights.sha256) == 64


@pytest.mark.parametrize(
  ("bad", "message"),
  [
    (np.asarray([1.0, np.nan], "float16"), "NaN or infinite numbers in x"),
    (np.asarray([np.inf]).astype(ml_dtypes.bfloat16), "NaN or infinite"),
    (np.ones(2, "int8"), "int8 instead of floats in x"),
    (np.ones((0, 3), "float32"), "no numbers in x"),
  ],
)
def test_tensors_that_no_network_has(bad, message):
  reading.check_numbers({"a": ONE})
  with pytest.raises(UserError, match=message):
    reading.check_numbers({"a": ONE, "x": bad})
