"""`check-data`: exit codes, verdicts, the report for programs."""

import json

import numpy as np
import pytest

from sginpaint.cli.__main__ import main
from tests.data.example_folders import make_folder, picture, save


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
  return make_folder(tmp_path / "pictures", 6)


def run(*argv):
  return main(["check-data", *map(str, argv)])


def test_a_folder_and_its_masks(folder, tmp_path, capsys):
  save(tmp_path / "masks/0.png", np.eye(8, dtype=np.uint8) * 255)
  report = tmp_path / "report.json"
  small = "--config.data.image_size=16"
  argv = [folder, small, "--masks", tmp_path / "masks", "--json", report]
  assert run(*argv) == 0
  out = capsys.readouterr().out
  assert out.count("verdict: can be") == 2
  content = json.loads(report.read_text())
  pictures, masks = content["reports"]
  assert content["sound"] and pictures["read"] == {"train": 4, "val": 2}
  codes = [finding["code"] for finding in pictures["findings"]]
  assert codes[:2] == ["no-test-split", "small-picture"]
  assert masks["findings"][0]["examples"] == ["10-20: 1"]


def test_errors_are_told_by_the_exit_code(folder, capsys):
  (folder / "images/p01.png").write_bytes(b"no picture")
  assert run(folder) == 1
  lines = capsys.readouterr().out.splitlines()
  assert lines[1].split()[0] == "error"
  assert "images/p01.png" in lines[1]
  assert lines[-1].startswith("verdict: mend the errors")


def test_a_config_tells_what_its_system_needs(tmp_path, capsys):
  folder = make_folder(tmp_path / "pictures", 6, labels=False)
  config = "--config=configs/sge_net.py:quick,data=folder"
  assert run(config, f"--config.data.path={folder}") == 1
  assert "no classes to segment" in capsys.readouterr().out
  config = "--config=configs/basic_net_no_segmentation.py:quick,data=folder"
  assert run(config, folder) == 0


def test_black_masks(tmp_path, capsys):
  mask = np.full((8, 8), 255, np.uint8)
  mask[:2] = 0
  save(tmp_path / "0.png", mask)
  assert run("--masks", tmp_path) == 0
  assert "look inverted" in capsys.readouterr().out
  assert run("--masks", tmp_path, "--black-is-hole") == 0
  assert "20-30: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
  ("argv", "said"),
  [
    ([], "nothing to check"),
    (["nowhere"], "nowhere: no such folder"),
    (["--masks", "nowhere"], "--masks=nowhere: no such folder"),
    (["--config=configs/none.py"], "no such file"),
    ([".", "--sample=-1"], "--sample=-1"),
    ([".", "--json", "no/where.json"], "--json=no/where.json"),
    ([".", "--config.data.imag_size=8"], "did you mean"),
    (["--masks", ".", "--config.data.image_size=8"], "give a FOLDER"),
  ],
)
def test_bad_input_is_one_line(argv, said, capsys):
  assert run(*argv) == 2
  error = capsys.readouterr().err
  assert said in error
  assert error.count("\n") == 1


def test_ctrl_c_in_the_middle(folder, monkeypatch, capsys):
  def interrupted(data):
    raise KeyboardInterrupt

  monkeypatch.setattr(
    "sginpaint.data.checks.dataset.inspect_picture", interrupted
  )
  assert run(folder) == 130
  assert "interrupted" in capsys.readouterr().err


def test_nothing_in_the_folder_changes(folder):
  save(folder / "images/p01.png", picture(1, 40, 40))
  before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
  run(folder)
  assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
