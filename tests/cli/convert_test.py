"""`python -m sginpaint convert`: whole workdirs, or one line and nothing."""

import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sginpaint
from sginpaint import checkpoints, convert
from sginpaint.backbones.bisenet import BiSeNet
from sginpaint.backbones.lpips import LPIPS
from sginpaint.backbones.tresnet import TResNet
from sginpaint.batch import normalize_image, to_uint8
from sginpaint.cli.__main__ import main
from sginpaint.pretrained import load_network
from sginpaint.upstream import MODELS
from sginpaint.workdirs import load_config
from tests.convert.weights import (
  Harmful,
  drawn,
  save,
  small_spl,
  zipped_pickle,
)
from tests.training.small import flags, prepare_scenes


@pytest.fixture(scope="module")
def spl():
  return small_spl()


def run(source, output, model="spl_generator"):
  return main(
    ["convert", "--model", model, "--input", str(source)]
    + ["--output", str(output)]
  )


def assert_same_pixels(workdir, module, variables):
  """`load` fills as the module does that the values were made for."""
  path = workdir / "config.json"
  config = json.loads(path.read_text())
  assert config["data"]["image_size"] == 256
  config["data"]["image_size"] = 32  # any size fits, and this one is quick
  path.write_text(json.dumps(config))
  image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
  mask = np.zeros((32, 32), bool)
  mask[10:22, 6:25] = True
  filled = sginpaint.load(str(workdir))(image, mask).image
  hole = jnp.asarray(mask, jnp.float32)[None, :, :, None]
  picture = normalize_image(jnp.asarray(image)[None])
  raw = to_uint8(jax.jit(module.apply)(variables, picture, hole)["image"])[0]
  difference = np.abs(filled[mask].astype(int) - np.asarray(raw)[mask])
  assert difference.max() <= 1 and (difference == 0).mean() > 0.999
  np.testing.assert_array_equal(filled[~mask], image[~mask])


def test_round_trip_gives_the_pixels_of_the_module(tmp_path, spl, capsys):
  module, variables, state = spl
  whole = {f"generator.module.{k}": v for k, v in state.items()}
  whole["adversarial_loss.real_label"] = np.ones(1, "float32")
  path = save(tmp_path / "spl.safetensors", whole)
  assert run(path, tmp_path / "runs" / "spl") == 0
  out = capsys.readouterr().out
  assert f"{len(state)} tensors" in out and "system spl" in out
  assert "left out 1 further tensors" in out
  text = (tmp_path / "runs" / "spl" / "config.json").read_text()
  source = json.loads(text)["source"]
  assert source["model"] == "spl_generator" and not source["official"]
  assert source["sginpaint"] == sginpaint.__version__
  (file,) = source["files"]
  assert file["name"] == "spl.safetensors" and len(file["sha256"]) == 64
  assert_same_pixels(tmp_path / "runs" / "spl", module, variables)


def test_round_trip_of_a_pth(tmp_path, spl, capsys):
  torch = pytest.importorskip("torch")
  module, variables, state = spl
  tensors = {k: torch.from_numpy(v.copy()) for k, v in state.items()}
  torch.save({"state_dict": tensors, "epoch": 7}, tmp_path / "spl.pth")
  assert run(tmp_path / "spl.pth", tmp_path / "spl") == 0
  out = capsys.readouterr().out
  assert "took state_dict" in out and "left out epoch" in out
  assert_same_pixels(tmp_path / "spl", module, variables)


BROKEN = {
  "truncated": "damaged or cut short",
  "other_architecture": "no tensor encoder_conv1.weight",
  "shapes": "1 misshapen: decoder.9.weight is",
  "unsafe": "could run code of its own",
  "empty": "is empty",
  "text": "is text",
  "missing": "1 missing: gff.1.bias",
  "extra": "1 unknown: surplus",
  "nan": "NaN or infinite numbers in gff.0.bias",
}


def _break(how, folder, state):
  """A file broken in the way of that name."""
  path, state = folder / "weights.safetensors", dict(state)
  if how == "unsafe":
    return zipped_pickle(folder / "weights.pth", Harmful(folder / "ran"))
  if how == "other_architecture":
    state = {"conv1.weight": np.ones((4, 3, 7, 7), "float32")}
  elif how == "shapes":
    state["decoder.9.weight"] = np.ones((3, 4, 5, 7), "float32")
  elif how == "missing":
    del state["gff.1.bias"]
  elif how == "extra":
    state["surplus"] = np.ones(2, "float32")
  elif how == "nan":
    state["gff.0.bias"] = np.full_like(state["gff.0.bias"], np.nan)
  save(path, state)
  if how == "truncated":
    path.write_bytes(path.read_bytes()[:-100])
  elif how == "empty":
    path.write_bytes(b"")
  elif how == "text":
    path = folder / "weights.pth"
    path.write_text("<!DOCTYPE html><title>Sign in</title>")
  return path


@pytest.mark.parametrize("how", BROKEN)
def test_broken_file_is_one_line_and_no_workdir(how, tmp_path, spl, capsys):
  path = _break(how, tmp_path, spl[2])
  before = sorted(tmp_path.iterdir())
  assert run(path, tmp_path / "out") == 2
  captured = capsys.readouterr()
  assert BROKEN[how] in captured.err and str(path) in captured.err
  assert captured.err.count("\n") == 1 and captured.out == ""
  assert sorted(tmp_path.iterdir()) == before


def test_half_precision_loads_and_says_so(tmp_path, spl, capsys):
  halves = {k: v.astype("float16") for k, v in spl[2].items()}
  path = save(tmp_path / "half.safetensors", halves)
  assert run(path, tmp_path / "out") == 0
  assert "half precision (float16)" in capsys.readouterr().out
  assert sginpaint.load(str(tmp_path / "out")).size == 256


def test_truncated_pickle_is_one_line(tmp_path, capsys):
  path = tmp_path / "a.pth"
  zipped_pickle(path, {"a": "b" * 1000})
  path.write_bytes(path.read_bytes()[:300])
  assert run(path, tmp_path / "out") == 2
  assert "damaged or cut short" in capsys.readouterr().err
  path.write_bytes(pickle.dumps({"a": 1})[:-1])
  assert run(path, tmp_path / "out") == 2
  assert capsys.readouterr().err.count("\n") == 1


def test_flags_and_paths_are_checked_first(tmp_path, spl, capsys):
  path = save(tmp_path / "a.safetensors", spl[2])
  for source, output, model, told in (
    (path, tmp_path / "o", "spl_generater", "invalid choice"),
    (tmp_path / "no.pth", tmp_path / "o", "vgg16", "vgg16-397923af.pth"),
    (path, tmp_path, "spl_generator", "exists already"),
    (path, path, "spl_generator", "exists already"),
  ):
    assert run(source, output, model) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
  assert list(tmp_path.iterdir()) == [path]


def test_help_names_every_model(capsys):
  assert main(["convert", "--help"]) == 0
  out = capsys.readouterr().out
  assert all(model in out for model in MODELS)


def test_classifier_becomes_a_teacher(tmp_path, capsys):
  network = TResNet(num_classes=3, width=4, layers=(1, 1, 1, 1))
  variables = drawn(network, np.zeros((1, 32, 32, 3), "float32"))
  state = convert.to_torch("tresnet_l", variables)
  path = save(tmp_path / "asl.safetensors", state)
  teacher = tmp_path / "teacher"
  assert run(path, teacher, "tresnet_l") == 0
  data = load_config(str(teacher)).data
  assert data.attributes == ["attribute_0", "attribute_1", "attribute_2"]
  words = flags(
    prepare_scenes(tmp_path / "data"),
    **{"model.generator.prior_channels": 8, "teacher.path": teacher},
  )
  words[0] = "--config=configs/spl.py:quick"
  assert main(["precompute", *words]) == 0
  folder = teacher / "features" / "synthetic_scenes" / "train"
  assert capsys.readouterr().out.endswith(f"{folder}\n")
  assert any(folder.iterdir())


def test_two_files_of_one_network(tmp_path, capsys):
  network = LPIPS("alex", widths=(2, 3, 4, 4, 4))
  picture = np.zeros((1, 64, 64, 3), "float32")
  state = convert.to_torch("lpips_alex", drawn(network, picture, picture))
  trunk = {k: v for k, v in state.items() if k.startswith("features.")}
  trunk["classifier.1.weight"] = np.ones((2, 2), "float32")
  heads = {k: v for k, v in state.items() if k.startswith("lin")}
  words = ["convert", "--model=lpips_alex", f"--output={tmp_path}/lpips"]
  for name, part in (("trunk", trunk), ("heads", heads)):
    words += ["--input", str(save(tmp_path / f"{name}.safetensors", part))]
  assert main([*words[:-2], *words[-4:-2]]) == 2  # the trunk twice
  assert "is in both" in capsys.readouterr().err
  assert main(words) == 0
  found = load_network(
    f"{tmp_path}/lpips", field="config.eval.lpips", model="lpips_alex"
  )
  assert (found.name, found.official) == ("lpips_alex", False)
  distance = jax.eval_shape(
    found.module.apply, found.variables, picture, picture
  )
  assert distance.shape == (1,)


def test_segmenter_has_classes(tmp_path):
  network = BiSeNet(num_classes=3, width=4, layers=(1, 1, 1, 1))
  variables = drawn(network, np.zeros((1, 64, 64, 3), "float32"))
  state = convert.to_torch("bisenet", variables)
  path = save(tmp_path / "face.safetensors", state)
  assert run(path, tmp_path / "segmenter", "bisenet") == 0
  config = load_config(str(tmp_path / "segmenter"))
  assert config.system == "segmenter" and len(config.data.classes) == 3
  loaded = checkpoints.load(str(tmp_path / "segmenter"))
  assert loaded.system.generator == network
