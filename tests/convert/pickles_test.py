"""PyTorch's files: nothing in them runs; what can be read is read exactly."""

import pickle
import sys

import numpy as np
import pytest

from sginpaint.convert import pickles
from sginpaint.errors import UserError
from tests.convert.weights import Harmful, zipped_pickle


@pytest.mark.parametrize("protocol", [2, 4])
def test_pickle_that_would_run_code_is_refused_unrun(tmp_path, protocol):
  trap = tmp_path / "ran"
  content = {"state_dict": Harmful(trap)}
  path = zipped_pickle(tmp_path / "a.pth", content, protocol)
  with pytest.raises(UserError, match=r"posix\.mkdir.*not loaded"):
    pickles.read(path)
  assert not trap.exists()


def test_bare_pickle_that_would_run_code_is_refused_unrun(tmp_path):
  trap, path = tmp_path / "ran", tmp_path / "old.pth"
  # PyTorch's old format: several pickles, the harmful one behind harmless ones.
  parts = [0x1950A86A20F9469CFC6C, 1001, {}, Harmful(trap)]
  path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
  with pytest.raises(UserError, match=r"posix\.mkdir"):
    pickles.read(path)
  assert not trap.exists()


def test_every_global_of_builtins_but_containers_is_refused(tmp_path):
  path = zipped_pickle(tmp_path / "a.pth", {"f": eval})
  with pytest.raises(UserError, match=r"eval"):
    pickles.read(path)


def test_missing_pytorch_is_one_line_with_the_command(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, "torch", None)
  path = zipped_pickle(tmp_path / "a.pth", {"a": 1})
  with pytest.raises(UserError, match=r"pip install 'sginpaint\[torch\]'"):
    pickles.read(path)


def test_cut_archive_is_damaged_and_another_archive_is_not_weights(tmp_path):
  path = zipped_pickle(tmp_path / "a.pth", {"a": list(range(1000))})
  path.write_bytes(path.read_bytes()[:-40])
  with pytest.raises(UserError, match="damaged or cut short"):
    pickles.read(path)
  path = zipped_pickle(tmp_path / "b.pth", {})
  path.write_bytes(path.read_bytes().replace(b"data.pkl", b"note.txt"))
  with pytest.raises(UserError, match="not PyTorch weights"):
    pickles.read(path)


@pytest.mark.parametrize("new", [True, False])
def test_values_of_pytorch_files(tmp_path, new):
  torch = pytest.importorskip("torch")
  values = torch.arange(6.0).reshape(2, 3) / 7
  content = {
    "state_dict": {
      "a": values,
      "half": values.half(),
      "brain": values.bfloat16(),
      "turned": values.T,
    },
    "epoch": 3,
  }
  path = tmp_path / "a.pth"
  torch.save(content, path, _use_new_zipfile_serialization=new)
  found = pickles.read(path)
  assert found["epoch"] == 3
  state = found["state_dict"]
  expected = np.arange(6, dtype="float32").reshape(2, 3) / np.float32(7)
  np.testing.assert_array_equal(state["a"], expected)
  np.testing.assert_array_equal(state["turned"], expected.T)
  assert (str(state["half"].dtype), str(state["brain"].dtype)) == (
    "float16",
    "bfloat16",
  )
  np.testing.assert_allclose(state["brain"].astype("float32"), expected, 0.01)


def test_pytorch_refuses_what_the_look_up_lets_pass(tmp_path):
  torch = pytest.importorskip("torch")
  path = tmp_path / "a.pth"
  torch.save({"net": torch.nn.Linear(2, 2)}, path)  # a class, not tensors
  with pytest.raises(UserError, match="could run code of its own"):
    pickles.read(path)
  cut = tmp_path / "cut.pth"
  torch.save(
    {"a": torch.zeros(1000)}, cut, _use_new_zipfile_serialization=False
  )
  cut.write_bytes(cut.read_bytes()[:-100])
  with pytest.raises(UserError, match="damaged or cut short"):
    pickles.read(cut)
