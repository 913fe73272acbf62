"""`export`: what it refuses, and that it then leaves everything as it was."""

import json
import pathlib

import pytest

from sginpaint import checkpoints, export
from sginpaint.cli.__main__ import main
from tests import inpainting


@pytest.fixture(name="here", autouse=True)
def _here(tmp_path, monkeypatch):
  """A folder with a workdir whose checkpoint is a toy."""
  monkeypatch.chdir(tmp_path)
  for name in ("run", "empty", "full"):
    pathlib.Path(name).mkdir()
  fields = {
    **{"system": "spl", "checkpoint": {}, "data": {"image_size": 16}},
    **{"eval": {}, "optimizer": {"generator": {}, "discriminator": {}}},
  }
  pathlib.Path("run/config.json").write_text(json.dumps(fields))
  pathlib.Path("full/notes.txt").write_text("mine")
  monkeypatch.setattr(checkpoints, "load", lambda *_, **__: _loaded())
  return tmp_path


def _loaded():
  return inpainting.loaded(16)


def _files(folder):
  return sorted(str(path) for path in folder.rglob("*"))


def _run(*more, checkpoint="run", output="out"):
  return main(
    ["export", f"--checkpoint={checkpoint}", f"--output={output}", *more]
  )


@pytest.mark.parametrize(
  ("given", "more", "words"),
  [
    ({"checkpoint": "runn"}, [], "--checkpoint=runn: no such folder"),
    ({"checkpoint": "full"}, [], "full: holds no config.json"),
    ({"checkpoint": "full/notes.txt"}, [], "is a file, not the workdir"),
    ({"output": ""}, [], "--output='': empty"),
    ({"output": "full"}, [], "--output=full: exists already"),
    ({"output": "full/notes.txt"}, [], "exists already"),
    ({"output": "full/notes.txt/a"}, [], "notes.txt is a file"),
    ({}, ["--size=256"], "'256' is no size; write HEIGHTxWIDTH"),
    ({}, ["--size=0x16"], "'0x16' is no size"),
    ({}, ["--size=16x16,"], "'' is no size"),
    ({}, ["--batch=0"], "--batch=0: give a number"),
    ({}, ["--batch=all"], "--batch=all"),
    ({}, ["--platforms=gpu"], "no platform 'gpu'; there are cpu, cuda"),
    ({}, ["--platforms="], "no platform ''"),
    ({}, ["--weights=best"], "invalid choice: 'best'"),
    ({}, ["--sizes=16x16"], "--sizes"),
  ],
)
def test_bad_input_is_one_line(here, capsys, given, more, words):
  before = _files(here)
  assert _run(*more, **given) == 2
  error = capsys.readouterr().err
  assert error.count("\n") == 1 and words in error
  assert _files(here) == before


def test_damaged_config(here, capsys):
  pathlib.Path("run/config.json").write_text("{")
  assert _run() == 2
  assert "config.json: not a config" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["out", "empty", "new/er/out"])
def test_writes_all_there_is_and_nothing_beside(here, capsys, output):
  assert _run("--batch=1", output=output) == 0
  assert "16x16, 1 at a time" in capsys.readouterr().out
  folder = here / output
  names = {path.name for path in folder.iterdir()}
  assert names == {
    *("artefact.json", "flatbuffers", "load.py", "programs", "variables.npz"),
  }
  assert not list(folder.parent.glob(".*"))
  about = json.loads((folder / "artefact.json").read_text())
  assert about["platforms"] == ["cpu", "cuda", "tpu"]
  assert about["hash"] == "0" * 64
  assert about["inputs"]["segmentation"]["range"] == [0, 199]
  (program,) = about["programs"]
  assert program["outputs"]["image"] == {
    **{"shape": [1, 16, 16, 3], "dtype": "uint8", "range": [0, 255]}
  }


def test_interrupted_leaves_nothing(here, monkeypatch):
  before = _files(here)

  def interrupt(*_, **__):
    raise KeyboardInterrupt

  monkeypatch.setattr(export.artefact, "write_json", interrupt)
  assert _run() == 130
  assert _files(here) == before
