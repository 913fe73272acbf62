"""From a data set to a filled picture, through the commands people type."""

import json
import pathlib

import chex
import numpy as np
import pytest
from PIL import Image

import sginpaint
from sginpaint import checkpoints
from sginpaint.cli.__main__ import main
from sginpaint.training.teacher_views import TeacherViews
from tests.training.small import flags, prepare_scenes

TEACHER = {
  "model.generator.width": 4,
  "data.image_size": 64,
  "data.builder_config": "32",
  "batch_size": 4,
  "steps": 2,
  "log.every": 1,
}


def spl_flags(root, **fields):
  words = flags(
    str(root / "data"),
    **{
      "model.generator.prior_channels": 8,
      "teacher.path": root / "teacher",
      "steps": 2,
    }
    | fields,
  )
  return ["--config=configs/spl.py:quick", *words[1:]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """data/, teacher/ with features, and spl/ with its evaluation."""
  root = tmp_path_factory.mktemp("run")
  options = TEACHER | {"data.path": prepare_scenes(root / "data")}
  words = [f"--config.{name}={value}" for name, value in options.items()]
  train_teacher = ["train", "--config=configs/classifier.py:quick", *words]
  for command in (
    [*train_teacher, f"--workdir={root}/teacher"],
    ["precompute", *spl_flags(root)],
    ["train", f"--workdir={root}/spl", *spl_flags(root)],
    ["evaluate", f"--workdir={root}/spl"],
  ):
    assert main(command) == 0
  return root


def test_evaluation_is_written(trained):
  folder = trained / "spl" / "eval" / "2"
  metrics = json.loads((folder / "metrics.json").read_text())
  assert metrics["count"] == 5
  assert metrics["step"] == 2
  assert set(metrics["baselines"]) == {"mean_color", "telea", "navier_stokes"}
  assert metrics["metrics"]["all"]["hole_psnr"] > 5
  for name in ("per_image.csv", "grid.png", "report.html"):
    assert (folder / name).stat().st_size > 100


def test_flipped_byte_of_the_features_is_found_and_mended(trained, capsys):
  command = ["precompute", *spl_flags(trained)]
  (shard,) = trained.glob("teacher/features/*/train/*.array_record")
  whole = shard.read_bytes()
  assert main([*command, "--verify"]) == 0
  shard.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
  capsys.readouterr()
  assert main([*command, "--verify"]) == 2
  assert f"missing or damaged: {shard.name};" in capsys.readouterr().err
  assert main([*command, "--repair"]) == 0
  assert shard.read_bytes() == whole


def test_features_of_another_network_are_noticed(trained, capsys, monkeypatch):
  # As if the teacher's own arithmetic had changed: its hash says nothing of it.
  ask = TeacherViews.__call__
  monkeypatch.setattr(TeacherViews, "__call__", lambda *a: 1.1 * ask(*a))
  assert main(["precompute", *spl_flags(trained), "--verify"]) == 2
  assert "features differ from the teacher's by 0.0" in capsys.readouterr().err


def test_picture_is_filled_and_the_rest_kept(trained, tmp_path):
  picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
  mask = np.zeros((50, 70), np.uint8)
  mask[10:20, 30:45] = 255
  Image.fromarray(picture).save(tmp_path / "in.png")
  Image.fromarray(mask).save(tmp_path / "mask.png")
  command = ["inpaint", f"--checkpoint={trained}/spl"]
  command += [f"--image={tmp_path}/in.png", f"--mask={tmp_path}/mask.png"]
  assert main([*command, f"--output={tmp_path}/out.png"]) == 0
  filled = np.array(Image.open(tmp_path / "out.png"))
  np.testing.assert_array_equal(filled[mask == 0], picture[mask == 0])
  assert (filled[mask > 0] != picture[mask > 0]).mean() > 0.5


def test_load_gives_the_picture_and_what_the_system_thought(trained):
  inpainter = sginpaint.load(str(trained / "spl"))
  image = np.zeros((2, 32, 32, 3), np.uint8)
  mask = np.zeros((2, 32, 32), bool)
  mask[:, 4:9, 4:9] = True
  result = inpainter(image, mask)
  assert result.image.shape == image.shape and result.image.dtype == np.uint8
  assert not result.image[~mask].any()
  assert result.prior.shape == (2, 8, 8, 8)


@pytest.mark.parametrize(
  "fields, words",
  [
    ({"teacher.layer": "layer3"}, ("layer", "precompute")),
    ({"teacher.flip": "mirror"}, ("flip", "precompute")),
    ({"data.resize": "shorter_side"}, ("preprocessing", "precompute")),
    ({"teacher.features": "/nowhere"}, ("/nowhere", "precompute")),
    ({"teacher.path": "/nowhere"}, ("/nowhere",)),
    ({"model.generator.prior_channels": 9}, ("prior_channels=9",)),
    (
      {"data.resize": "shorter_side", "data.crop": "random"},
      ("config.data.crop", "online"),
    ),
  ],
)
def test_stale_or_missing_features_are_refused(
  trained, tmp_path, capsys, fields, words
):
  workdir = f"--workdir={tmp_path}/spl"
  assert main(["train", workdir, *spl_flags(trained, **fields)]) == 2
  error = capsys.readouterr().err
  assert error.count("\n") == 1
  assert all(word in error for word in words), error
  assert not (tmp_path / "spl").exists()


def test_slim_workdir_can_be_moved(trained, tmp_path):
  source = str(trained / "spl")
  checkpoints.slim(source, str(tmp_path / "slim"), dtype="bfloat16")
  (tmp_path / "slim").rename(tmp_path / "moved")
  slim = checkpoints.load(str(tmp_path / "moved"))
  whole = checkpoints.load(source)
  chex.assert_trees_all_close(slim.variables, whole.variables, rtol=2**-8)
  size = lambda p: sum(f.stat().st_size for f in p.rglob("*") if f.is_file())
  step = pathlib.Path("checkpoints") / "2"
  assert size(tmp_path / "moved" / step) < size(trained / "spl" / step) / 2
  for file in (tmp_path / "moved").rglob("*"):
    assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes()


def test_unknown_layer_leaves_no_features(trained, tmp_path, capsys):
  fields = {"teacher.layer": "layre2", "teacher.features": tmp_path / "none"}
  assert main(["precompute", *spl_flags(trained, **fields)]) == 2
  assert "layer1, layer2, layer3" in capsys.readouterr().err
  assert not (tmp_path / "none").exists()


def test_online_teacher_travels_with_the_workdir(trained, tmp_path):
  words = spl_flags(trained, **{"teacher.mode": "online"})
  assert main(["train", f"--workdir={tmp_path}/spl", *words]) == 0
  assert (tmp_path / "spl" / "frozen" / "teacher" / "config.json").is_file()
  first, other = (
    json.loads((root / "spl" / "log.jsonl").read_text().splitlines()[0])
    for root in (trained, tmp_path)
  )
  # bfloat16 features against those computed in the step
  assert abs(first["generator/prior"] - other["generator/prior"]) < 2e-2
