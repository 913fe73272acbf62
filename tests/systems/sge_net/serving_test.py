"""`sginpaint.load` on workdirs of SGE-Net and Basic-Net."""

import dataclasses
import importlib

import jax
import numpy as np
import pytest

import sginpaint
from sginpaint import checkpoints
from sginpaint.data.classes import ClassInfo
from sginpaint.systems import build_system, example_batch
from tests.systems.sge_net import small


def saved(name, folder):
  """A workdir of configs/<name>.py, narrow and never trained."""
  config = importlib.import_module(f"configs.{name}").get_config("quick")
  config.data.image_size = 32
  config.data.classes = tuple(
    dataclasses.asdict(ClassInfo(f"class {i}", (i, 0, 0)))
    for i in range(small.CLASSES)
  )
  config.model.generator.update({"width": 2, "dilations": (2,)})
  config.model.discriminator.update({"widths": (2, 2), "scales": 1})
  config.objective.perceptual = "somewhere/that/is/gone"
  system = build_system(config)
  inputs = system.generator_inputs(example_batch(config))
  variables = small.drawn(system.generator, *inputs)
  checkpoints.save_generator(str(folder), config, 3, variables)
  return folder


def picture(shape=(32, 32)):
  image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
  mask = np.zeros(shape, bool)
  mask[8:20, 4:28] = True
  return image, mask


@pytest.fixture(name="inpainter", scope="module")
def _inpainter(tmp_path_factory):
  return sginpaint.load(saved("sge_net", tmp_path_factory.mktemp("sge_net")))


def test_every_intermediate_is_an_attribute(inpainter):
  image, mask = picture()
  result = inpainter(image, mask)
  np.testing.assert_array_equal(result.image[~mask], image[~mask])
  sides = [2, 4, 8, 16, 32]
  assert [x.shape for x in result.scales] == [(n, n, 3) for n in sides]
  raw = np.rint((result.scales[-1][mask] + 1) * 127.5)
  np.testing.assert_array_equal(result.image[mask], raw)
  assert result.segmentation.shape == result.confidence.shape == (32, 32)
  assert np.issubdtype(result.segmentation.dtype, np.integer)
  np.testing.assert_array_equal(
    result.segmentation, result.segmentation_logits.argmax(-1)
  )
  p = jax.nn.softmax(result.segmentation_logits)
  np.testing.assert_allclose(result.confidence, p.max(-1), atol=1e-6)
  assert set(np.unique(result.reliability)) == {0, 1}
  assert np.all(result.reliability[~mask] == 1)
  for scale, side in zip((4, 3, 2, 1), sides, strict=False):
    for name in ("image", "segmentation", "confidence", "reliability"):
      value = getattr(result, f"{name}_{scale}")
      assert value.shape[:2] == (side, side)
  with pytest.raises(AttributeError):
    _ = result.segmentation_logits_4


def test_segmentation_guides_the_fill(inpainter):
  image, mask = picture()
  own = inpainter(image, mask)
  told = inpainter(image, mask, segmentation=np.ones((32, 32), int))
  assert np.any(told.image != own.image)
  np.testing.assert_array_equal(told.scales[0], own.scales[0])


def test_pictures_of_any_size_are_filled(inpainter):
  image, mask = picture((37, 50))
  for full in (False, True):
    result = inpainter(image, mask, full=full)
    np.testing.assert_array_equal(result.image[~mask], image[~mask])
  assert result.reliability.shape == (37, 50)


def test_basic_net_cannot_be_told_and_says_what_it_can(tmp_path):
  basic = sginpaint.load(saved("basic_net", tmp_path))
  image, mask = picture()
  with pytest.raises(ValueError, match="takes no segmentation"):
    basic(image, mask, segmentation=np.ones((32, 32), int))
  result = basic(image, mask)
  assert result.confidence.shape == (32, 32)
  with pytest.raises(AttributeError, match="reliability"):
    _ = result.reliability
