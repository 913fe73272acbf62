"""The committed goldens pass, and a golden that was tampered with does not."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from tests.parity import __main__ as parity
from tests.parity import golden
from tests.parity.thin import main as thin

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"


@pytest.fixture
def copy(tmp_path):
  """A directory with one case that may be changed."""

  def make(name):
    for suffix in (".json", ".npz"):
      shutil.copy(GOLDEN / (name + suffix), tmp_path)
    return tmp_path

  return make


@pytest.mark.parametrize("name", golden.names(GOLDEN))
def test_committed_case_passes(name):
  result = parity.run_case(GOLDEN, name)
  assert result.passed, result.line()
  assert result.compared == len(golden.load(GOLDEN, name).arrays)


def test_moved_value_fails(copy, capsys):
  directory = copy("metrics_image")
  stored = dict(np.load(directory / "metrics_image.npz"))
  stored["out/raw_u8/psnr"][1] += 0.01
  np.savez(directory / "metrics_image.npz", **stored)
  assert parity.main(["--golden", str(directory)]) == 1
  assert "out/raw_u8/psnr" in capsys.readouterr().out


def edit(directory, name, change):
  path = directory / f"{name}.json"
  meta = json.loads(path.read_text())
  change(meta)
  path.write_text(json.dumps(meta))


@pytest.mark.parametrize(
  ("case", "entry", "missing"),
  [
    ("spl_norms", 0, "hole_gamma"),
    ("spl_discriminator", 6, "conv2.0.weight_orig"),
  ],
)
def test_renamed_parameter_fails(copy, case, entry, missing):
  directory = copy(case)

  def rename(meta):
    del meta["params"][entry]["sum"]
    meta["params"][entry]["name"] += "_renamed"

  edit(directory, case, rename)
  result = parity.run_case(directory, case)
  assert not result.passed
  assert missing in result.line()


def test_array_that_is_not_computed_fails(copy):
  directory = copy("metrics_image")

  def add(meta):
    meta["arrays"]["out/new"] = meta["arrays"]["out/raw_u8/psnr"]

  edit(directory, "metrics_image", add)
  result = parity.run_case(directory, "metrics_image")
  assert result.problems == ("out/new: not computed",)


def test_no_array_fails(copy):
  directory = copy("metrics_image")
  edit(directory, "metrics_image", lambda meta: meta["arrays"].clear())
  assert not parity.run_case(directory, "metrics_image").passed


def test_unknown_case_fails(tmp_path, capsys):
  (tmp_path / "other.json").write_text("{}")
  assert parity.main(["--golden", str(tmp_path)]) == 1
  assert "other" in capsys.readouterr().out


def test_empty_directory_fails(tmp_path):
  assert parity.main(["--golden", str(tmp_path)]) == 1


def test_thinned_case_keeps_its_slices(tmp_path):
  thin(f"--source {GOLDEN} --target {tmp_path} --numbers 50 spl_norms".split())
  before, after = (golden.load(d, "spl_norms") for d in (GOLDEN, tmp_path))
  for key, entry in after.arrays.items():
    full = np.zeros(entry["full_shape"])
    thinned = full[tuple(slice(*s) for s in entry["slice"])]
    assert thinned.shape == after.stored[key].shape, key
    assert after.stored[key].size <= min(50, before.stored[key].size)
