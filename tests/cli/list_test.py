"""`list`: every config, recipe, network and protocol has its line."""

import pathlib

import pytest

from sginpaint.cli.__main__ import main
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.systems import SYSTEMS
from sginpaint.upstream import MODELS

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def names(capsys, *argv):
  """First words of the lines."""
  assert main(["list", *argv]) == 0
  lines = capsys.readouterr().out.splitlines()
  return [line.split()[0] for line in lines if line.startswith("    ")]


def stems(folder):
  files = {path.stem for path in folder.glob("*.py")}
  return sorted(files - {"__init__", "common"})


@pytest.mark.parametrize(
  ("section", "expected"),
  [
    ("systems", sorted(SYSTEMS)),
    ("configs", stems(CONFIGS)),
    ("datasets", stems(CONFIGS / "data")),
    ("networks", sorted(MODELS)),
    ("protocols", sorted(PROTOCOLS)),
  ],
)
def test_a_section_is_complete(section, expected, capsys):
  assert sorted(names(capsys, section)) == expected


def test_configs_stand_below_their_system(capsys):
  main(["list", "configs"])
  out = capsys.readouterr().out
  part = out[out.index("of espa") : out.index("of segmenter")]
  assert "espa_stage2" in part
  assert "spl" not in part.replace("SPL", "").split()


def test_data_that_is_there(tmp_path, monkeypatch, capsys):
  (tmp_path / "data/helen").mkdir(parents=True)
  (tmp_path / "data/helen/dataset_info.json").write_text("{}")
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path))
  main(["list", "datasets"])
  lines = capsys.readouterr().out.splitlines()
  status = {line.split()[0]: line for line in lines if line.startswith("    ")}
  assert status["helen"].split()[1] == "there"
  assert status["celeba"].split()[1] == "missing"
  assert "on first use" in status["synthetic_scenes"]


def test_several_sections_and_a_wrong_one(capsys):
  assert len(names(capsys, "networks", "systems")) == len(MODELS) + len(SYSTEMS)
  assert main(["list", "nets"]) == 2
  assert "there are systems, configs" in capsys.readouterr().err
