"""Artefacts say what the library says, also where only JAX and NumPy are."""

import dataclasses
import errno
import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import sginpaint
from sginpaint import checkpoints
from sginpaint.cli.__main__ import main
from sginpaint.data.classes import ClassInfo
from sginpaint.errors import UserError
from sginpaint.evaluation.served import untrained
from sginpaint.export import trace, write_artefact
from sginpaint.export.load import load
from sginpaint.inference import Inpainter
from sginpaint.systems import build_system, example_batch
from sginpaint.workdirs import save_config
from tests import inpainting
from tests.systems.sge_net import small
from tests.systems.sge_net.serving_test import saved

# What `pip install jax` brings.
_PACKAGES = ("jax", "jaxlib", "ml_dtypes", "opt_einsum", "scipy", "numpy")
_RUN = """
import importlib.util, runpy, sys
sys.path.append(sys.argv[1])
for name in ("sginpaint", "flax", "optax", "orbax", "chex", "flatbuffers"):
  assert importlib.util.find_spec(name) is None, name
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _picture(*shape):
  rng = np.random.default_rng(0)
  image = rng.integers(0, 256, (*shape, 3), np.uint8)
  mask = np.zeros(shape, bool)
  mask[..., 4:13, 6:15] = True
  return image, mask


def _config(name):
  config = importlib.import_module(f"configs.{name}").get_config("quick")
  config.data.image_size = 32
  config.data.classes = tuple(
    dataclasses.asdict(ClassInfo(f"class {i}", (i, 0, 0))) for i in range(3)
  )
  config.data.attributes = ("day", "snow")
  if "scales" in config.model.get("discriminator", {}):
    config.model.discriminator.scales = 1
  return config


@pytest.fixture(name="spl", scope="module")
def _spl(tmp_path_factory):
  """A workdir of SPL and its artefact, by the command."""
  folder = tmp_path_factory.mktemp("spl")
  config = _config("spl")
  config.model.generator.update({"width": 2, "blocks": 1})
  system = build_system(config)
  inputs = system.generator_inputs(example_batch(config))
  variables = small.drawn(system.generator, *inputs)
  checkpoints.save_generator(str(folder / "run"), config, 3, variables)
  flags = [f"--checkpoint={folder}/run", f"--output={folder}/artefact"]
  flags += ["--size=20x33,any", "--platforms=cpu"]
  assert main(["export", *flags]) == 0
  return folder


@pytest.fixture(name="toy", scope="module")
def _toy(tmp_path_factory):
  """(fill, inpainter) of a system that shows what it is told."""
  loaded = inpainting.loaded(32)
  folder = tmp_path_factory.mktemp("toy")
  write_artefact(loaded, folder, sizes=[None, (20, 33)])
  return load(folder), Inpainter(loaded)


def _bare(folder):
  """A folder from which nothing but JAX and NumPy can be imported."""
  folder.mkdir()
  for name in _PACKAGES:
    package = pathlib.Path(importlib.import_module(name).__file__).parent
    for path in (package, package.with_name(f"{name}.libs")):
      if path.exists():
        (folder / path.name).symlink_to(path)
  return folder


def _run_bare(spl, tmp_path, *arguments):
  program = spl / "artefact" / "load.py"
  words = [_bare(tmp_path / "packages"), program, *arguments]
  return subprocess.run(
    [sys.executable, "-I", "-S", "-c", _RUN, *words],
    cwd=tmp_path,
    capture_output=True,
    text=True,
  )


@pytest.mark.parametrize("shape", [(20, 33), (2, 32, 48)])
def test_same_pixels_where_only_jax_and_numpy_are(spl, tmp_path, shape):
  image, mask = _picture(*shape)
  np.save(tmp_path / "image.npy", image)
  np.save(tmp_path / "mask.npy", mask.astype(np.uint8) * 255)
  run = _run_bare(spl, tmp_path, "image.npy", "mask.npy", "out.npz")
  assert run.returncode == 0, run.stderr
  got = np.load(tmp_path / "out.npz")
  want = sginpaint.load(spl / "run")(image, mask, full=True)
  np.testing.assert_array_equal(got["image"], want.image)
  assert (got["image"] != image).any()
  assert set(got) == {"image", *want.outputs}
  for name, value in want.outputs.items():
    np.testing.assert_allclose(got[name], value, atol=1e-5)


def test_loader_tells_bad_sizes_in_one_line(spl, tmp_path):
  image, mask = _picture(20, 40)
  np.save(tmp_path / "image.npy", image)
  np.save(tmp_path / "mask.npy", mask)
  run = _run_bare(spl, tmp_path, "image.npy", "mask.npy", "out.npy")
  assert run.returncode == 1
  assert run.stderr.count("\n") == 1
  assert "no program for 1 of 20x40" in run.stderr
  assert "20x33, any number at a time; sides that are mult" in run.stderr
  assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize("shape", [(32, 32), (3, 16, 48), (2, 20, 33)])
def test_guidance_reaches_the_system(toy, shape):
  fill, inpainter = toy
  image, mask = _picture(*shape)
  labels = (np.indices(shape).sum(0) % 7).astype(np.uint8)
  labels[..., 8:, :] = 255
  attributes = np.full((*shape[:-2], 3), np.nan)
  attributes[..., 1] = 0.25
  told = {"segmentation": labels, "attributes": attributes}
  want = inpainter(image, mask, **told, full=True)
  got = fill(image, mask, **told)
  np.testing.assert_array_equal(got["image"], want.image)
  for name in ("segmentation", "attributes", "confidence"):
    np.testing.assert_array_equal(got[name], want.outputs[name])
  np.testing.assert_array_equal(
    got["scales/half"], want.outputs["scales"]["half"]
  )


def test_what_is_not_said(toy):
  fill, inpainter = toy
  image, mask = _picture(32, 32)
  got = fill(image, mask)
  np.testing.assert_array_equal(got["image"], inpainter(image, mask).image)
  assert (got["segmentation"] == 255).all()
  assert np.isnan(got["attributes"]).all()


@pytest.mark.parametrize("said", [False, True])
def test_sge_net_guided_or_not(sge_net, said):
  fill, inpainter = sge_net
  image, mask = _picture(32, 32)
  told = {"segmentation": np.ones((32, 32), int)} if said else {}
  got, want = fill(image, mask, **told), inpainter(image, mask, **told)
  np.testing.assert_array_equal(got["image"], want.image)
  np.testing.assert_array_equal(got["segmentation"], want.segmentation)
  for scale, raw in enumerate(want.scales):
    np.testing.assert_allclose(got[f"scales/{scale}"], raw, atol=1e-5)


@pytest.fixture(name="sge_net", scope="module")
def _sge_net(tmp_path_factory):
  workdir = str(saved("sge_net", tmp_path_factory.mktemp("run")))
  artefact = tmp_path_factory.mktemp("artefact")
  write_artefact(checkpoints.load(workdir), artefact)
  return load(artefact), sginpaint.load(workdir)


_IMAGE, _MASK = _picture(32, 32)


@pytest.mark.parametrize(
  ("image", "told", "words"),
  [
    (_IMAGE[..., 0], {}, r"image must be uint8 \[B, H, W, 3\]"),
    (_IMAGE / 255.0, {}, "is float64"),
    (_IMAGE[:, :31], {}, r"mask must be bool.*\(1, 32, 32\)"),
    (_IMAGE, {"segmentation": _MASK[1:].astype(int)}, r"\(1, 31, 32\)"),
    (_IMAGE, {"segmentation": _MASK * 1.0}, "int32.*float64"),
    (_IMAGE, {"segmentation": _MASK * 200}, "must be 0..199, has 200"),
    (_IMAGE, {"attributes": [1, 0]}, r"\[B, 3\]"),
    (_IMAGE, {"attributes": [1, 0, -0.5]}, "0..1, has -0.5"),
    (_IMAGE, {"weather": 3}, "no weather; it takes image, mask, segm"),
  ],
)
def test_loader_refuses(toy, image, told, words):
  with pytest.raises(ValueError, match=words):
    toy[0](image, _MASK, **told)


def test_loader_refuses_what_is_not_finite(tmp_path):
  broken = inpainting.loaded(system=inpainting.Untold(broken=True))
  write_artefact(broken, tmp_path)
  with pytest.raises(ValueError, match="not finite"):
    load(tmp_path)(_IMAGE, _MASK)


def test_loader_refuses_another_platform(tmp_path):
  write_artefact(inpainting.loaded(16), tmp_path, platforms=["tpu"])
  with pytest.raises(ValueError, match="exported for platforms.*tpu"):
    load(tmp_path)(*_picture(16, 16))


def test_fixed_batch_takes_that_many(tmp_path):
  write_artefact(inpainting.loaded(16), tmp_path, batch=2)
  fill, (image, mask) = load(tmp_path), _picture(2, 16, 16)
  assert fill(image, mask)["image"].shape == (2, 16, 16, 3)
  with pytest.raises(ValueError, match=r"for 1 of 16x16; has: 16x16, 2 at a"):
    fill(image[:1], mask[:1])


def _untrained(name, folder):
  config, guides = _config(name), {}
  for network in ("classifier", "segmenter"):
    if config.objective.get(network, "none") != "none":
      config.objective[network] = guides[network] = str(folder / network)
      save_config(guides[network], _config(network))
  return untrained(config, guides)


@pytest.mark.parametrize(
  ("name", "any_size"),
  [
    ("spl", True),
    ("sge_net", False),
    ("boosted_gan", False),
    ("boosted_gan_neither", True),
    ("espa_stage2", False),
  ],
)
def test_every_system_can_be_exported(name, any_size, tmp_path):
  loaded = _untrained(name, tmp_path)
  program = trace(loaded, (32, 32), platforms=("cpu", "cuda", "tpu"))
  assert program.platforms == ("cpu", "cuda", "tpu")
  assert "uint8[B,32,32,3]" in [x.str_short() for x in program.out_avals]
  if any_size:
    shapes = [x.str_short() for x in trace(loaded, None).out_avals]
    assert "uint8[B,16*h,16*w,3]" in shapes
  else:
    with pytest.raises(UserError, match="--size any: .* need to know the size"):
      trace(loaded, None)


@pytest.mark.parametrize("name", ["classifier", "segmenter"])
def test_what_fills_no_holes_is_refused(name, tmp_path):
  with pytest.raises(UserError, match=f"holds a {name}, which fills no"):
    write_artefact(_untrained(name, tmp_path), tmp_path / "out")
  assert not list(tmp_path.iterdir())


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
  def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")

  monkeypatch.setattr(np, "savez", full)
  with pytest.raises(UserError, match="out: cannot be written .No space"):
    write_artefact(inpainting.loaded(16), tmp_path / "out")
  assert not list(tmp_path.iterdir())
