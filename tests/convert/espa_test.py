"""ESPA's published names: round trips, and a workdir that serves."""

import jax
import numpy as np
import pytest

import sginpaint
from sginpaint import convert
from sginpaint.batch import normalize_image, to_uint8
from sginpaint.cli.__main__ import main
from sginpaint.errors import UserError
from sginpaint.systems.espa.discriminator import Discriminator
from sginpaint.systems.espa.networks import Generator
from sginpaint.workdirs import load_config
from tests.convert.weights import drawn, save


def small(height=32, width=32):
  """(module, variables, state dict) of a narrow autoencoder."""
  module = Generator(autoencoder={"width": 4, "attention": True})
  image = np.zeros((1, height, width, 3), "float32")
  variables = drawn(module, image, image[..., :1])
  return module, variables, convert.to_torch("espa_autoencoder", variables)


def assert_same(a, b):
  assert jax.tree.structure(a) == jax.tree.structure(b)
  jax.tree.map(np.testing.assert_array_equal, a, b)


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_autoencoder_round_trip_reads_sizes_off_shapes(size):
  module, variables, state = small(*size)
  read, got = convert.from_torch(
    "espa_autoencoder", {f"module.{k}": v for k, v in state.items()}
  )
  assert read == module
  assert_same(got, variables)


def test_perceptrons_are_laid_out_as_pointwise_convolutions():
  _, variables, state = small(24, 40)
  attention = variables["params"]["autoencoder"]["attention"]
  weight = state["espa.ex_v.net.0.weight"]
  assert weight.shape == (20, 10, 1)
  assert weight[13, 4, 0] == attention["width_first"]["kernel"][4, 13]


def test_discriminator_round_trip():
  module = Discriminator(kind="official", widths=(4, 5, 6, 7))
  image = np.zeros((1, 64, 64, 3), "float32")
  variables = drawn(module, image)
  state = convert.to_torch("espa_discriminator", variables)
  assert state["model.13.weight"].shape == (1, 7, 4, 4)
  assert "model.13.bias" not in state and len(state) == 9
  read, got = convert.from_torch("espa_discriminator", state)
  assert read == module
  assert_same(got, variables)


def test_another_network_is_named_as_such():
  _, _, state = small()
  with pytest.raises(UserError, match=r"no tensor model\.0\.weight"):
    convert.from_torch("espa_discriminator", state)
  del state["espa.ex_k.net.0.weight"]
  with pytest.raises(UserError, match=r"no tensor espa\.ex_k\.net\.0\.weight"):
    convert.from_torch("espa_autoencoder", state)


def run(path, output):
  return main(
    ["convert", "--model=espa_autoencoder", "--input", str(path)]
    + ["--output", str(output)]
  )


def test_workdir_serves_the_pixels_of_the_module(tmp_path):
  module, variables, state = small()
  path = save(tmp_path / "espa.safetensors", state)
  assert run(path, tmp_path / "espa") == 0
  config = load_config(str(tmp_path / "espa"))
  assert (config.system, config.data.image_size) == ("espa", 32)
  image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
  mask = np.zeros((32, 32), bool)
  mask[10:22, 6:25] = True
  filled = sginpaint.load(str(tmp_path / "espa"))(image, mask).image
  hole = mask[None, :, :, None].astype("float32")
  picture = normalize_image(image[None])
  raw = to_uint8(jax.jit(module.apply)(variables, picture, hole)["image"])[0]
  difference = np.abs(filled[mask].astype(int) - np.asarray(raw)[mask])
  assert difference.max() <= 1 and (difference == 0).mean() > 0.99
  np.testing.assert_array_equal(filled[~mask], image[~mask])


def test_weights_of_pictures_that_are_not_square_make_no_workdir(
  tmp_path, capsys
):
  path = save(tmp_path / "espa.safetensors", small(32, 16)[2])
  assert run(path, tmp_path / "espa") == 2
  error = capsys.readouterr().err
  assert "32 x 16" in error and error.count("\n") == 1
  assert list(tmp_path.iterdir()) == [path]
