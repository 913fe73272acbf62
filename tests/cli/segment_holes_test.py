"""`segment --masks`, an edit in numpy, and `inpaint`: the loop by files."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import sginpaint
from sginpaint import checkpoints
from sginpaint.cli.__main__ import main
from sginpaint.editing import Editor
from tests.evaluation import toy
from tests.images.files import save
from tests.systems.sge_net.serving_test import picture, saved

COLOURS = np.array([[i, 0, 0] for i in range(3)], np.uint8)


@pytest.fixture(name="workdir", scope="module")
def _workdir(tmp_path_factory):
  return str(saved("sge_net", tmp_path_factory.mktemp("sge_net")))


@pytest.fixture(name="editor", scope="module")
def _editor(workdir):
  return Editor(sginpaint.load(workdir))


@pytest.fixture(name="example", autouse=True)
def _example(tmp_path, monkeypatch):
  """A folder with photo.png and hole.png; returns both as arrays."""
  monkeypatch.chdir(tmp_path)
  image, mask = picture((40, 100))
  mask[:, 30:] = False
  save(pathlib.Path("photo.png"), image)
  save(pathlib.Path("hole.png"), mask.astype(np.uint8) * 255)
  return image, mask


def _segment(workdir, *more, images="photo.png", masks="hole.png"):
  argv = ["segment", "--checkpoint", workdir, "--images", images]
  return main([*argv, "--masks", masks, "--output", "out", *more])


def _inpaint(workdir, segmentation, *more):
  argv = ["inpaint", "--checkpoint", workdir, "--image", "photo.png"]
  argv += ["--mask", "hole.png", "--output", "filled.png"]
  return main([*argv, "--segmentation", segmentation, *more])


def _array(path):
  with Image.open(path) as image:
    return np.asarray(image)


def _files(folder="."):
  paths = pathlib.Path(folder).rglob("*")
  return sorted(str(p) for p in paths if p.is_file())


def test_map_and_coarse_result_are_those_of_the_editor(
  workdir, editor, example, capsys
):
  assert _segment(workdir) == 0
  assert _files("out") == [
    f"out/{name}" for name in ("classes.csv", "photo.png", "photo_coarse.png")
  ]
  session = editor.begin(*example)
  np.testing.assert_array_equal(_array("out/photo.png"), session.segmentation)
  assert (session.segmentation[:, 90:] == 255).all()
  np.testing.assert_array_equal(_array("out/photo_coarse.png"), session.coarse)
  assert capsys.readouterr().out == (
    "1 written to out\nclasses in out/classes.csv\n"
  )


@pytest.mark.parametrize("colours", [False, True])
def test_edit_and_fill(workdir, editor, example, colours):
  assert _segment(workdir) == 0
  labels = _array("out/photo.png").copy()
  labels[10:18, 6:20] = (labels[10:18, 6:20] + 1) % 3
  edited, alpha = labels, np.where(labels == 255, 0, 255).astype(np.uint8)
  if colours:  # what nothing is said of erased, as paint programs do
    painted = COLOURS[np.where(labels == 255, 0, labels)]
    edited = np.concatenate([painted, alpha[..., None]], -1)
  save(pathlib.Path("out/photo.png"), edited)
  assert _inpaint(workdir, "out/photo.png") == 0
  image, mask = example
  served = editor.begin(image, mask).render(labels)
  np.testing.assert_array_equal(_array("filled.png"), served)
  assert np.any(served != editor.inpainter(image, mask).image)
  # Whole, all of the map counts, not only what was changed.
  assert _inpaint(workdir, "out/photo.png", "--full") == 0
  served = editor.inpainter(image, mask, segmentation=labels, full=True)
  np.testing.assert_array_equal(_array("filled.png"), served.image)


def test_each_hole_of_a_picture_has_its_map(workdir, editor, example):
  image, masks = example[0], np.zeros((2, 40, 100), bool)
  for folder in ("in", "masks"):
    pathlib.Path(folder).mkdir()
  save(pathlib.Path("in/x.png"), image)
  for i in range(2):
    masks[i, 10:20, 10 + 60 * i : 30 + 60 * i] = True
    hole = masks[i].astype(np.uint8) * 255
    save(pathlib.Path(f"masks/x_mask00{i}.png"), hole)
  assert _segment(workdir, images="in", masks="masks") == 0
  argv = ["inpaint", "--checkpoint", workdir, "--image", "in", "--mask"]
  argv += ["masks", "--segmentation", "out", "--output", "filled"]
  for change in (0, 1):
    for i in range(2):
      labels = _array(f"out/x_mask00{i}.png")
      labels = np.where(labels == 255, 255, (labels + change) % 3)
      save(pathlib.Path(f"out/x_mask00{i}.png"), labels.astype(np.uint8))
    assert main(argv) == 0
    for i in range(2):
      session = editor.begin(image, masks[i])
      seen = session.segmentation
      labels = np.where(seen == 255, 255, (seen + change) % 3)
      want = session.render(labels) if change else session.coarse
      np.testing.assert_array_equal(_array(f"filled/x_mask00{i}.png"), want)


def test_a_hole_whose_map_is_missing(workdir, example, capsys):
  pathlib.Path("out").mkdir()
  for path in (
    "photo_mask001.png",
    "photo_mask002.png",
    "out/photo_mask001.png",
  ):
    save(pathlib.Path(path), np.zeros((40, 100), np.uint8))
  argv = ["inpaint", "--checkpoint", workdir, "--image", "photo.png"]
  argv += ["--output", "filled.png", "--segmentation", "out"]
  assert main([*argv, "--mask", "photo_mask002.png"]) == 2
  error = capsys.readouterr().err
  assert "--segmentation=out: no label map photo_mask002, only" in error
  assert "photo_mask001.png; name it like photo_mask002.png" in error
  assert main([*argv, "--mask", "photo_mask001.png"]) == 0


def test_numbers_follow_the_classes_csv_that_lies_there(
  workdir, editor, example
):
  pathlib.Path("out").mkdir()
  rows = "value,name\n7,class 1\n9,class 0\n30,fog\n40,class 2\n50,void\n"
  pathlib.Path("out/classes.csv").write_text(rows)
  assert _segment(workdir) == 0
  assert pathlib.Path("out/classes.csv").read_text() == rows
  image, mask = example
  session = editor.begin(image, mask)
  labels = session.segmentation.copy()
  value_of = np.full(256, 255, np.uint8)
  value_of[:3] = 9, 7, 40
  np.testing.assert_array_equal(_array("out/photo.png"), value_of[labels])
  labels[10:18, 6:20] = (labels[10:18, 6:20] + 1) % 3
  numbers = value_of[labels]
  numbers[:3] = 50  # ignored there: nothing is said
  save(pathlib.Path("out/photo.png"), numbers)
  assert _inpaint(workdir, "out/photo.png") == 0
  served = session.render(labels)
  np.testing.assert_array_equal(_array("filled.png"), served)
  assert np.any(served != session.render())


def test_numbers_that_are_no_class_of_the_checkpoint(workdir, capsys):
  pathlib.Path("out").mkdir()
  rows = "value,name\n7,class 1\n9,class 0\n30,fog\n40,class 2\n"
  pathlib.Path("out/classes.csv").write_text(rows)
  save(pathlib.Path("out/photo.png"), np.full((40, 100), 30, np.uint8))
  assert _inpaint(workdir, "out/photo.png") == 2
  error = capsys.readouterr().err
  assert "out/photo.png: 4000 pixels have numbers of no class" in error
  assert "(30): use 7, 9, 40 as out/classes.csv does" in error
  assert not pathlib.Path("filled.png").exists()


def test_maps_are_all_checked_before_a_picture_is_written(
  workdir, example, capsys
):
  image, mask = example
  for name in ("x", "y"):
    for folder in ("in", "maps"):
      pathlib.Path(folder).mkdir(exist_ok=True)
    save(pathlib.Path(f"in/{name}.png"), image)
    labels = np.full(mask.shape, 9 if name == "y" else 1, np.uint8)
    save(pathlib.Path(f"maps/{name}.png"), labels)
  argv = ["inpaint", "--checkpoint", workdir, "--image", "in"]
  argv += ["--mask", "hole.png", "--output", "out", "--segmentation", "maps"]
  assert main(argv) == 2
  assert "maps/y.png: 4000 pixels have numbers" in capsys.readouterr().err
  assert not pathlib.Path("out").exists()


def test_without_a_hole_nothing_is_said(workdir, example):
  save(pathlib.Path("none.png"), np.zeros((40, 100), np.uint8))
  assert _segment(workdir, masks="none.png") == 0
  assert (_array("out/photo.png") == 255).all()
  np.testing.assert_array_equal(_array("out/photo_coarse.png"), example[0])


def test_what_is_there_stays_unless_told(workdir, capsys):
  pathlib.Path("out").mkdir()
  pathlib.Path("out/photo_coarse.png").write_text("precious")
  assert _segment(workdir) == 2
  assert "out/photo_coarse.png: exists already" in capsys.readouterr().err
  assert _files("out") == ["out/photo_coarse.png"]
  assert _segment(workdir, "--overwrite") == 0


@pytest.mark.parametrize(
  ("given", "words"),
  [
    ({"masks": "no.png"}, "--masks=no.png: no such file or folder"),
    ({"masks": ""}, "--masks=: no such file or folder"),
    ({"masks": "small.png"}, "small.png: is 9x8 but its picture 100x40"),
    ({"images": "in"}, "out/x_coarse.png: two pictures"),
    ({"more": ["--labels"]}, "--labels: not allowed with argument --masks"),
  ],
)
def test_mistakes_are_one_line_and_write_nothing(
  workdir, example, given, words, capsys
):
  save(pathlib.Path("small.png"), np.zeros((8, 9), np.uint8))
  pathlib.Path("in").mkdir()
  for name in ("x", "x_coarse"):
    save(pathlib.Path(f"in/{name}.png"), example[0])
  before = _files()
  assert _segment(workdir, *given.pop("more", ()), **given) == 2
  error = capsys.readouterr().err
  assert words in error
  assert error.count("\n") == 1
  assert _files() == before


def test_masks_go_with_a_system_that_fills(workdir, monkeypatch, capsys):
  argv = ["segment", "--checkpoint", workdir, "--output", "out"]
  assert main([*argv, "--images", "photo.png"]) == 2
  said = "holds a sge_net, which fills holes; say with --masks where they are"
  assert said in capsys.readouterr().err
  assert main([*argv, "--split", "test", "--masks", "hole.png"]) == 2
  assert "--masks: goes with --images only" in capsys.readouterr().err
  segmenter = toy.load_toy(toy.PlainSegmenter())
  monkeypatch.setattr(checkpoints, "load", lambda *_, **__: segmenter)
  assert _segment(workdir) == 2
  said = "holds a plain, which fills no holes; leave out --masks"
  assert said in capsys.readouterr().err
  assert not pathlib.Path("out").exists()
