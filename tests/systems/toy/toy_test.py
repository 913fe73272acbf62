"""A fifth system is this folder, its config and one line in `SYSTEMS`."""

import json
import pathlib

import numpy as np
import pytest

import sginpaint
from sginpaint import workdirs
from sginpaint.cli.__main__ import main
from sginpaint.images import read_picture
from sginpaint.systems import SYSTEMS
from tests.images.files import noise, save
from tests.systems.toy.objective import Toy

CONFIG = pathlib.Path(__file__).with_name("config.py")


@pytest.fixture(autouse=True, scope="module")
def registered():
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(SYSTEMS, "toy", Toy)  # the one line
    yield


@pytest.fixture(scope="module")
def root(tmp_path_factory):
  """pictures/ with labels, and run/, trained, resumed and evaluated."""
  root = tmp_path_factory.mktemp("toy")
  for split, count in (("train", 4), ("validation", 2), ("test", 2)):
    for i in range(count):
      picture = root / "pictures" / split / "images" / f"{i}.png"
      picture.parent.mkdir(parents=True, exist_ok=True)
      save(picture, noise((32, 32, 3), seed=len(split) * 10 + i))
      label = root / "pictures" / split / "labels" / f"{i}.png"
      label.parent.mkdir(parents=True, exist_ok=True)
      save(label, noise((32, 32), seed=i) % 3)
  assert main(_train(root)) == 0
  assert main([*_train(root), "--config.steps=3"]) == 0
  assert main(["evaluate", f"--workdir={root}/run", "--masks=center"]) == 0
  return root


def _train(root, workdir="run"):
  given = f"--config={CONFIG}", f"--workdir={root / workdir}"
  return ["train", *given, f"--config.data.path={root}/pictures"]


def test_trains_and_resumes(root):
  assert workdirs.steps(str(root / "run")) == [3, 2]
  lines = (root / "run" / "log.jsonl").read_text().splitlines()
  assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]
  assert {"generator/image", "discriminator/game"} <= json.loads(
    lines[0]
  ).keys()


def test_is_evaluated(root):
  file = root / "run" / "eval" / "3" / "metrics.json"
  metrics = json.loads(file.read_text())
  assert (metrics["count"], metrics["step"]) == (2, 3)
  assert metrics["metrics"]["all"]["hole_psnr"] > 3


def test_is_loaded_and_told(root):
  inpainter = sginpaint.load(root / "run")
  image, hole = noise((32, 32, 3)), np.zeros((32, 32), bool)
  hole[8:24, 8:24] = True
  sky, sea = (
    inpainter(image, hole, segmentation=np.full((32, 32), k, np.uint8)).image
    for k in (0, 1)
  )
  np.testing.assert_array_equal(sky[~hole], image[~hole])
  assert (sky[hole] != sea[hole]).any()


def test_fills_files(root, tmp_path):
  image, hole = noise((40, 52, 3)), np.zeros((40, 52), np.uint8)
  hole[10:20, 5:25] = 255
  given = {
    "checkpoint": root / "run",
    "image": save(tmp_path / "a.png", image),
    "mask": save(tmp_path / "m.png", hole),
    "segmentation": save(tmp_path / "s.png", hole // 255),
    "output": tmp_path / "b.png",
  }
  words = [f"--{name}={value}" for name, value in given.items()]
  assert main(["inpaint", *words]) == 0
  filled = read_picture(tmp_path / "b.png").samples
  np.testing.assert_array_equal(filled[hole == 0], image[hole == 0])
  assert (filled[hole > 0] != image[hole > 0]).any()


def test_is_listed(capsys):
  assert main(["list", "systems"]) == 0
  assert "toy          Fills what a map asks for" in capsys.readouterr().out


def test_says_itself_what_a_perceptual_loss_asks(root, capsys):
  of_another = "--config.objective.perceptual=assets/spl_scenes"
  assert main([*_train(root, "other"), of_another]) == 2
  assert "does not give relu1_1" in capsys.readouterr().err
  assert not (root / "other").exists()
