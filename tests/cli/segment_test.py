"""`segment` from files to files, with a segmenter whose answers are known."""

import pathlib
import subprocess
import sys
import types

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from configs.common import get_config
from sginpaint import checkpoints
from sginpaint.cli.__main__ import main
from sginpaint.data.folder import load_folder
from tests.images.files import noise, save, save_turned

NAMES, COLOURS = ("dark", "bright"), ((10, 20, 30), (200, 100, 50))


class _Bright:
  """Class 1 where a picture is brighter than its middle grey."""

  def predict(self, variables, frozen, batch):
    level = batch.image.mean(-1)
    logits = jnp.stack([-level, level], -1)
    return {"segmentation_logits": logits, "segmentation": level > 0}


class _Painter:
  def predict(self, variables, frozen, batch):
    return {"image": batch.image}


@pytest.fixture(name="here", autouse=True)
def _here(tmp_path, monkeypatch):
  """A folder with a workdir; `load` needs no checkpoint."""
  monkeypatch.chdir(tmp_path)
  config = get_config()
  config.system = "bright"
  config.data.image_size = 32
  config.data.classes = tuple(
    {"name": name, "colour": colour, "ignore": False, "mirror": ""}
    for name, colour in zip(NAMES, COLOURS, strict=True)
  )
  pathlib.Path("run").mkdir()
  pathlib.Path("run/config.json").write_text(config.to_json())
  _serve(monkeypatch, config, _Bright())
  return config


def _serve(monkeypatch, config, system):
  loaded = types.SimpleNamespace(
    config=config, system=system, variables={}, frozen={}, step=1
  )
  monkeypatch.setattr(checkpoints, "load", lambda *_, **__: loaded)


def _picture(height=40, width=64):
  """Left half dark, right half bright; and its labels."""
  labels = np.zeros((height, width), np.uint8)
  labels[:, width // 2 :] = 1
  return np.where(labels[..., None] > 0, 230, 20).repeat(3, -1).astype(
    np.uint8
  ), labels


def _made(folder):
  path = pathlib.Path(folder)
  path.mkdir(parents=True, exist_ok=True)
  return path


def _run(images, output, *more):
  argv = ["segment", "--checkpoint", "run", "--images", images]
  return main([*argv, "--output", output, *more])


def _labels(path):
  with Image.open(path) as image:
    assert image.mode == "L"
    return np.asarray(image)


def _files(folder="."):
  paths = pathlib.Path(folder).rglob("*")
  return sorted(str(p) for p in paths if p.is_file())


def test_labels_of_a_folder_of_any_size_and_kind():
  wanted = {}
  for name, size in (("a.png", (40, 64)), ("b.tif", (32, 32))):
    picture, wanted[name[0]] = _picture(*size)
    save(_made("in") / name, picture)
  picture, labels = _picture(30, 50)
  save_turned(pathlib.Path("in/c.png"), picture, 3)  # stored upside down
  wanted["c"] = labels[::-1, ::-1]
  assert _run("in", "out", "--labels") == 0
  assert _files("out") == [
    f"out/{name}" for name in ("a.png", "b.png", "c.png", "classes.csv")
  ]
  for name, labels in wanted.items():
    found = _labels(f"out/{name}.png")
    assert found.shape == labels.shape
    assert (found == labels).mean() > 0.95


def test_previews_are_in_the_colours_of_the_classes(capsys):
  picture, _ = _picture()
  save(pathlib.Path("a.jpg"), picture)
  assert _run("a.jpg", "out") == 0
  assert capsys.readouterr().out == "1 written to out\n"
  assert _files("out") == ["out/a.png"]
  shown = np.asarray(Image.open("out/a.png"))
  assert tuple(shown[5, 5]) == COLOURS[0]
  assert tuple(shown[-5, -5]) == COLOURS[1]


def test_labels_read_back_as_a_data_set():
  picture, labels = _picture(32, 32)
  for name in ("x", "sub"):
    save(_made("scenes/images") / f"{name}.png", picture)
  assert _run("scenes/images", "scenes/labels", "--labels") == 0
  dataset = load_folder("scenes")
  assert [c.name for c in dataset.classes] == list(NAMES)
  assert [c.colour for c in dataset.classes] == list(COLOURS)
  seen = [
    example["segmentation"]
    for split in dataset.splits.values()
    for example in (split[i] for i in range(len(split)))
  ]
  assert len(seen) == 2
  np.testing.assert_array_equal(seen, [labels, labels])


def test_numbers_follow_a_data_set_that_has_its_own():
  _made("scenes")
  rows = "value,name\n7,bright\n30,dark\n90,fog\n255,unknown\n"
  pathlib.Path("scenes/classes.csv").write_text(rows)
  picture, labels = _picture(32, 32)
  save(_made("scenes/images") / "x.png", picture)
  assert _run("scenes/images", "scenes/labels", "--labels") == 0
  found = _labels("scenes/labels/x.png")
  np.testing.assert_array_equal(found, np.where(labels == 1, 7, 30))
  assert pathlib.Path("scenes/classes.csv").read_text() == rows


def test_a_data_set_of_other_classes_is_refused(capsys):
  save(_made("scenes/images") / "x.png", noise((8, 8, 3)))
  pathlib.Path("scenes/classes.csv").write_text("value,name\n0,dark\n")
  before = _files()
  assert _run("scenes/images", "scenes/labels", "--labels") == 2
  assert "classes.csv: has no class 'bright'" in capsys.readouterr().err
  assert _files() == before


def test_what_is_there_stays_unless_told(capsys):
  save(pathlib.Path("a.png"), _picture()[0])
  (_made("out") / "a.png").write_text("precious")
  assert _run("a.png", "out", "--labels") == 2
  assert "out/a.png: exists already" in capsys.readouterr().err
  assert _files("out") == ["out/a.png"]
  assert pathlib.Path("out/a.png").read_text() == "precious"
  assert _run("a.png", "out", "--labels", "--overwrite") == 0
  assert _labels("out/a.png").max() == 1


def _mistakes():
  """{name: (images, output, more flags, words of the message)}."""
  return {
    "nothing": ("no.png", "out", [], "--images=no.png: no such file"),
    "empty folder": ("run", "out", [], "no pictures"),
    "text": ("text.jpg", "out", [], "text.jpg: not a picture"),
    "truncated": ("short.png", "out", ["--labels"], "short.png: damaged"),
    "no output": ("a.png", "", [], "--output='': empty"),
    "file": ("a.png", "text.jpg", [], "text.jpg: is a file"),
    "file to be": ("a.png", "b.png", [], "b.png: is a file; give a folder"),
    "in a file": ("a.png", "text.jpg/out", [], "text.jpg is a file"),
    "itself": ("a.png", ".", ["--overwrite"], "a.png: is also an input"),
    "twins": ("in", "out", [], "out/x.png: two pictures"),
    "field": ("a.png", "out", ["--config.data.path=x"], "--split only"),
    "both": ("a.png", "out", ["--split=test"], "not allowed with"),
    "step": ("a.png", "out", ["--step=x"], "--step"),
  }


@pytest.mark.parametrize("name", _mistakes())
def test_mistakes_are_one_line_and_write_nothing(name, capsys):
  path = save(pathlib.Path("a.png"), noise((40, 40, 3)))
  save(_made("in") / "x.png", noise((8, 8, 3)))
  save(_made("in") / "x.bmp", noise((8, 8, 3)))
  pathlib.Path("text.jpg").write_text("hello")
  data = path.read_bytes()
  pathlib.Path("short.png").write_bytes(data[: len(data) // 2])
  before = _files()
  images, output, more, words = _mistakes()[name]
  assert _run(images, output, *more) == 2
  captured = capsys.readouterr()
  assert words in captured.err
  assert captured.err.startswith("sginpaint: error: ")
  assert captured.err.count("\n") == 1
  assert _files() == before
  assert path.read_bytes() == data


def test_a_system_that_segments_nothing_says_so(here, monkeypatch, capsys):
  _serve(monkeypatch, here, _Painter())
  save(pathlib.Path("a.png"), noise((8, 8, 3)))
  assert _run("a.png", "out") == 2
  error = capsys.readouterr().err
  assert "--checkpoint=run: holds a bright, which segments no" in error
  assert not pathlib.Path("out").exists()


@pytest.mark.parametrize("name", ["absent", "run/config.json"])
def test_missing_checkpoint(name, capsys):
  argv = ["segment", "--checkpoint", name, "--images", "a", "--output", "b"]
  assert main(argv) == 2
  assert f"--checkpoint={name}: " in capsys.readouterr().err


def test_split_of_a_data_set(here, monkeypatch):
  for name in ("x", "y"):
    save(_made("scenes/images/deep") / f"{name}.png", _picture(32, 32)[0])
  pathlib.Path("scenes/test.txt").write_text("deep/y\n")
  monkeypatch.setenv("SGINPAINT_CACHE", "cache")
  argv = ["segment", "--checkpoint=run", "--split=test", "--output=out"]
  fields = ["--config.data.name=folder", "--config.data.path=scenes"]
  _serve_dataclass(monkeypatch, here)
  assert main([*argv, *fields, "--labels"]) == 0
  assert _files("out") == ["out/classes.csv", "out/deep/y.png"]
  np.testing.assert_array_equal(_labels("out/deep/y.png"), _picture(32, 32)[1])


def _serve_dataclass(monkeypatch, config):
  loaded = checkpoints.Loaded(config, _Bright(), {}, {}, 1, "0", "run")
  monkeypatch.setattr(checkpoints, "load", lambda *_, **__: loaded)


def test_mistakes_are_told_before_jax_is_imported():
  code = (
    "import sys\n"
    "from sginpaint.cli.__main__ import main\n"
    "argv = '--checkpoint run --images none --output out'.split()\n"
    "assert main(['segment', *argv]) == 2\n"
    "assert 'jax' not in sys.modules"
  )
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=True
  )
  assert "no such file or folder" in done.stderr
