"""`inpaint` from files to files, with a system whose fill is known."""

import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from sginpaint import images, inference
from sginpaint.cli.__main__ import main
from tests import inpainting
from tests.images.files import icc_profile, noise, save, save_turned

_SIZE = (40, 52)


@pytest.fixture(name="here", autouse=True)
def _here(tmp_path, monkeypatch):
  """A folder with a workdir and a mask; `load` needs no checkpoint."""
  monkeypatch.chdir(tmp_path)
  pathlib.Path("run").mkdir()
  pathlib.Path("run/config.json").write_text("{}")
  save(pathlib.Path("mask.png"), _hole().astype(np.uint8) * 255)
  toy = inference.Inpainter(inpainting.loaded(32))
  monkeypatch.setattr(inference, "load", lambda *_, **__: toy)
  return tmp_path


def _hole(size=_SIZE):
  hole = np.zeros(size, bool)
  hole[10:20, 5:25] = True
  return hole


def _run(image, output, *more, mask="mask.png"):
  given = {
    "--checkpoint": "run",
    "--image": image,
    "--mask": mask,
    "--output": output,
  }
  pairs = [str(word) for pair in given.items() for word in pair]
  return main(["inpaint", *pairs, *more])


def _files(folder="."):
  return sorted(p.name for p in pathlib.Path(folder).iterdir())


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(
  ("channels", "dtype"),
  [(1, np.uint8), (3, np.uint8), (4, np.uint8), (1, np.uint16)]
  + [(3, np.uint16), (4, np.uint16)],
)
@pytest.mark.parametrize("full", [[], ["--full"]])
def test_known_pixels_of_every_kind(suffix, channels, dtype, full):
  samples = noise((*_SIZE, channels), dtype)
  path = save(pathlib.Path(f"a{suffix}"), samples, icc_profile=icc_profile())
  assert _run(path, f"out/b{suffix}", *full) == 0
  back = images.read_picture(f"out/b{suffix}")
  hole, colours = _hole(), 1 if channels == 1 else 3
  np.testing.assert_array_equal(back.samples[~hole], samples[~hole])
  assert (back.samples[hole][:, :colours] != samples[hole][:, :colours]).any()
  np.testing.assert_array_equal(
    back.samples[..., colours:], samples[..., colours:]
  )
  assert back.icc == icc_profile()
  assert back.samples.dtype == dtype


def test_turned_jpeg(capsys):
  samples = noise((_SIZE[1], _SIZE[0], 3))
  path = save_turned(pathlib.Path("a.jpg"), samples, 6)
  assert _run(path, "b.webp") == 0
  assert "b.webp: 52x40" in capsys.readouterr().out
  source, back = images.read_picture(path), images.read_picture("b.webp")
  hole = _hole()
  np.testing.assert_array_equal(back.samples[~hole], source.samples[~hole])


def test_palette():
  image = Image.fromarray(noise((*_SIZE, 3))).quantize(16)
  image.save("a.png")
  assert _run("a.png", "b.png") == 0
  back = images.read_picture("b.png")
  want = np.asarray(image.convert("RGB"))
  np.testing.assert_array_equal(back.samples[~_hole()], want[~_hole()])


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_empty_mask_copies_the_file(name):
  save(pathlib.Path("none.png"), np.zeros(_SIZE, np.uint8))
  path = save(pathlib.Path(name), noise((*_SIZE, 3)))
  assert _run(path, f"out/{name}", "--lossy", mask="none.png") == 0
  assert pathlib.Path("out", name).read_bytes() == path.read_bytes()


def test_empty_mask_of_a_turned_picture_comes_out_upright():
  save(pathlib.Path("none.png"), np.zeros(_SIZE, np.uint8))
  samples = noise((_SIZE[1], _SIZE[0], 3))
  path = save_turned(pathlib.Path("a.png"), samples, 8)
  assert _run(path, "b.png", mask="none.png") == 0
  with Image.open("b.png") as image:
    np.testing.assert_array_equal(np.asarray(image), np.rot90(samples))
    assert not image.getexif()


def test_folders_pair_by_name():
  for name in ("x.jpg", "y.png", "z.tif"):
    save(_made("in") / name, noise((*_SIZE, 3)))
  mask = _hole().astype(np.uint8) * 255
  for name in ("x.png", "y_mask.png", "z_mask001.png", "z_mask002.png"):
    save(_made("masks") / name, mask)
  assert _run("in", "out", mask="masks") == 0
  assert _files("out") == ["x.png", "y.png", "z_mask001.tif", "z_mask002.tif"]


def test_pictures_and_masks_in_one_folder():
  for name in ("x.png", "y.png"):
    save(_made("in") / name, noise((*_SIZE, 3)))
    mask = _hole().astype(np.uint8) * 255
    save(_made("in") / name.replace(".", "_mask000."), mask)
  assert _run("in", "out", mask="in") == 0
  assert _files("out") == ["x.png", "y.png"]


def test_one_mask_for_a_folder_and_one_picture_into_a_folder():
  for name in ("x.png", "y.png"):
    save(_made("in") / name, noise((*_SIZE, 3)))
  assert _run("in", "out") == 0
  assert _files("out") == ["x.png", "y.png"]
  assert _run("in/x.png", "other/") == 0
  assert _files("other") == ["x.png"]


def test_segmentation_guides():
  save(pathlib.Path("a.png"), noise((*_SIZE, 3)))
  labels = np.full(_SIZE, 3, np.uint8)
  save(pathlib.Path("s.png"), labels)
  assert _run("a.png", "b.png", "--segmentation", "s.png") == 0
  # Resizing mixes the hole's edge with what is around it.
  inside = images.read_picture("b.png").samples[13:17, 8:22]
  np.testing.assert_array_equal(inside, np.full_like(inside, 3))


def _made(folder):
  path = pathlib.Path(folder)
  path.mkdir(exist_ok=True)
  return path


def _mistakes():
  """{name: (arguments of `_run`, words of the message)}."""
  return {
    "no image": (["no.png", "b.png"], "no.png: no such file"),
    "text": (["text.jpg", "b.png"], "text.jpg: not a picture"),
    "truncated": (["short.png", "b.png"], "short.png: damaged"),
    "jpg": (["a.png", "b.jpg"], "--lossy"),
    "suffix": (["a.png", "b.xyz"], "b.xyz: unknown output format"),
    "no suffix": (["a.png", "b"], "unknown output format"),
    "overwrite": (["a.png", "a.png"], "a.png: is also an input"),
    "nothing": (["", "b.png"], "--image=: no such file or folder"),
    "long": (["a.png", 300 * "b" + ".png"], "b.png: cannot be written"),
    "nowhere": (["a.png", ""], "--output='': empty"),
    "file as folder": (["a.png", "text.jpg/b.png"], "text.jpg is a file"),
    "file for folder": (["in", "a.png"], "is a file; give a folder"),
    "empty folder": (["run", "out"], "no pictures"),
    "step": (["a.png", "b.png", "--step", "x"], "--step"),
    "label": (
      ["a.png", "b.png", "--segmentation", "a.png"],
      "colours of no class, first at x=0, y=0",
    ),
    "class": (
      ["a.png", "b.png", "--segmentation", "wild.png"],
      "wild.png: 2080 pixels have numbers of no class, first at x=0, y=0 "
      "(201): use 0..199 as the checkpoint does",
    ),
  }


@pytest.mark.parametrize("name", _mistakes())
def test_mistakes_are_one_line_and_write_nothing(name, capsys):
  picture = noise((*_SIZE, 3))
  save(pathlib.Path("a.png"), picture)
  save(_made("in") / "a.png", picture)
  save(pathlib.Path("wild.png"), np.full(_SIZE, 201, np.uint8))
  pathlib.Path("text.jpg").write_text("hello")
  data = pathlib.Path("a.png").read_bytes()
  pathlib.Path("short.png").write_bytes(data[: len(data) // 2])
  before = _files()
  arguments, words = _mistakes()[name]
  assert _run(*arguments) == 2
  captured = capsys.readouterr()
  assert words in captured.err
  assert captured.err.startswith("sginpaint: error: ")
  assert captured.err.count("\n") == 1
  assert _files() == before
  assert pathlib.Path("a.png").read_bytes() == data


@pytest.mark.parametrize(
  ("mask", "words"),
  [
    ("small.png", "small.png: is 9x8 but its picture 52x40"),
    ("masks", "nothing for b.png, c.png, d.png, e.png, f.png and 1 more"),
    ("nowhere", "--mask=nowhere: no such file or folder"),
  ],
)
def test_masks_are_checked_before_anything_is_written(mask, words, capsys):
  for letter in "abcdefg":
    save(_made("in") / f"{letter}.png", noise((*_SIZE, 3)))
  save(pathlib.Path("small.png"), noise((8, 9)))
  save(_made("masks") / "a.png", noise(_SIZE))
  assert _run("in", "out", mask=mask) == 2
  assert words in capsys.readouterr().err
  assert not pathlib.Path("out").exists()


def test_two_pictures_for_one_output(capsys):
  save(_made("in") / "a.png", noise((*_SIZE, 3)))
  save(_made("in") / "a.jpg", noise((*_SIZE, 3)))
  assert _run("in", "out") == 2
  assert "a.png: two pictures" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["absent", "in", "mask.png", ""])
def test_missing_checkpoint(name, capsys):
  save(_made("in") / "a.png", noise((*_SIZE, 3)))
  argv = ["--image", "in", "--mask", "mask.png", "--output", "out"]
  assert main(["inpaint", "--checkpoint", name, *argv]) == 2
  assert f"--checkpoint={name}: " in capsys.readouterr().err


def test_folder_that_cannot_be_written_is_told_before_loading(
  monkeypatch, capsys
):
  save(pathlib.Path("a.png"), noise((*_SIZE, 3)))
  _made("locked")
  allowed = lambda path, mode: "locked" not in str(path)
  monkeypatch.setattr(os, "access", allowed)  # root may write anywhere
  monkeypatch.setattr(inference, "load", None)
  assert _run("a.png", "locked/new/b.png") == 2
  assert "locked cannot be written" in capsys.readouterr().err


def test_system_without_guidance_says_so(monkeypatch, capsys):
  untold = inference.Inpainter(inpainting.loaded(system=inpainting.Untold()))
  monkeypatch.setattr(inference, "load", lambda *_, **__: untold)
  save(pathlib.Path("a.png"), noise((*_SIZE, 3)))
  save(pathlib.Path("s.png"), np.zeros(_SIZE, np.uint8))
  assert _run("a.png", "b.png", "--segmentation", "s.png") == 2
  assert "takes no label map" in capsys.readouterr().err
