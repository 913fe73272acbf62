"""`sginpaint.load(...)(image, mask)`, on a system whose fill is known."""

import os
import subprocess
import sys

import numpy as np
import pytest

import sginpaint
from sginpaint import inference
from sginpaint.errors import UserError
from sginpaint.inference import Inpainter
from tests import inpainting


def _picture(shape, seed=0):
  return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _mask(shape, seed=1):
  mask = np.zeros(shape, bool)
  height, width = shape[-2:]
  mask[..., height // 4 : height // 2, width // 3 : width // 2] = True
  return mask


@pytest.fixture(name="inpainter", scope="module")
def _inpainter():
  return Inpainter(inpainting.loaded(32))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
  "shape", [(32, 32), (17, 90), (130, 75), (1, 40), (3, 32, 32), (2, 50, 41)]
)
def test_known_pixels_are_those_of_the_input(inpainter, shape, full):
  image, mask = _picture((*shape, 3)), _mask(shape)
  before = image.copy()
  result = inpainter(image, mask, full=full)
  assert result.image.shape == image.shape
  assert result.image.dtype == np.uint8
  np.testing.assert_array_equal(result.image[~mask], image[~mask])
  np.testing.assert_array_equal(image, before)


def test_fill_at_the_training_size_is_the_prediction(inpainter):
  image, mask = _picture((32, 32, 3)), _mask((32, 32))
  want = np.rint(image[~mask].astype(np.float64).mean(0))
  fill = inpainter(image, mask).image[mask]
  assert np.abs(fill - want).max() <= 1


@pytest.mark.parametrize("shape", [(200, 150), (20, 150), (12, 9)])
def test_windows_fill_every_hole_from_its_neighbourhood(inpainter, shape):
  # Left half dark, right half bright: a hole far from the edge between them
  # takes the colour of its side only.
  image = np.full((*shape, 3), 40, np.uint8)
  image[:, shape[1] // 2 :] = 200
  mask = np.zeros(shape, bool)
  mask[shape[0] // 3 : shape[0] // 3 + 2, [0, 1, -2, -1]] = True
  holed = np.where(mask[..., None], np.uint8(255), image)
  result = inpainter(holed, mask)
  if shape[1] > 100:
    np.testing.assert_array_equal(result.image, image)
  assert (result.image[mask] != 255).all()


@pytest.mark.parametrize("side", [6, 40, 150])
def test_what_lies_in_the_hole_does_not_matter(inpainter, side):
  image, mask = _picture((211, 180, 3)), np.zeros((211, 180), bool)
  mask[20 : 20 + side, 13 : 13 + side] = True
  other = np.where(mask[..., None], _picture(image.shape, 9), image)
  np.testing.assert_array_equal(
    inpainter(image, mask).image, inpainter(other, mask).image
  )


def test_batch_equals_one_by_one(inpainter):
  images, masks = _picture((11, 32, 32, 3)), _mask((11, 32, 32))
  together = inpainter(images, masks)
  for index in (0, 7, 10):
    alone = inpainter(images[index], masks[index])
    np.testing.assert_array_equal(together.image[index], alone.image)
    np.testing.assert_array_equal(together.confidence[index], alone.confidence)


@pytest.mark.parametrize("shape", [(32, 32), (100, 70)])
def test_empty_mask_returns_the_input(inpainter, shape):
  image = _picture((*shape, 3))
  result = inpainter(image, np.zeros(shape))
  np.testing.assert_array_equal(result.image, image)
  assert result.image is not image


@pytest.mark.parametrize(
  "change",
  [
    lambda m: m.astype(np.float32),
    lambda m: m.astype(np.uint8) * 255,
    lambda m: m[..., None],
    lambda m: -m.astype(int),
    lambda m: m.tolist(),
  ],
)
def test_masks_of_any_number(inpainter, change):
  image, mask = _picture((32, 32, 3)), _mask((32, 32))
  want = inpainter(image, mask).image
  np.testing.assert_array_equal(inpainter(image, change(mask)).image, want)


def test_outputs_are_attributes(inpainter):
  image, mask = _picture((32, 32, 3)), _mask((32, 32))
  result = inpainter(image, mask)
  np.testing.assert_array_equal(result.confidence, ~mask)
  assert result.scales["half"].shape == (16, 16, 3)
  with pytest.raises(AttributeError, match="image, confidence, scales"):
    _ = result.prior
  with pytest.raises(AttributeError, match="full=True"):
    _ = inpainter(image[:20], mask[:20]).confidence


def test_full_outputs_are_cut_to_the_picture(inpainter):
  image, mask = _picture((50, 41, 3)), _mask((50, 41))
  result = inpainter(image, mask, full=True)
  np.testing.assert_array_equal(result.confidence, ~mask)


def test_one_program_serves_pictures_of_any_size():
  inpainter = Inpainter(inpainting.loaded(32))
  for shape in [(90, 61), (47, 200), (33, 33)]:
    inpainter(_picture((*shape, 3)), _mask(shape))
  assert inpainter._predict._cache_size() == 1


def test_segmentation_reaches_its_pixels(inpainter):
  shape = (96, 128)
  labels = (np.indices(shape)[1] // 16).astype(np.int64)
  mask = np.zeros(shape, bool)
  mask[40:44, 5:9] = mask[70:72, 100:103] = True
  image = _picture((*shape, 3))
  fill = inpainter(image, mask, segmentation=labels).image[mask]
  np.testing.assert_array_equal(fill, labels[mask][:, None].repeat(3, 1))


def test_attributes_by_name_and_by_position(inpainter):
  image, mask = _picture((32, 32, 3)), _mask((32, 32))
  told = inpainter(image, mask, attributes={"snow": 1}).attributes
  np.testing.assert_array_equal(told, [np.nan, 1, np.nan])
  told = inpainter(image, mask, attributes=[0, 1, 0]).attributes
  np.testing.assert_array_equal(told, [0, 1, 0])
  pair = inpainter(image[None], mask[None], attributes={"day": 0}).attributes
  np.testing.assert_array_equal(pair, [[0, np.nan, np.nan]])


_GOOD = _picture((32, 32, 3))


@pytest.mark.parametrize(
  ("image", "mask", "options", "words"),
  [
    (_GOOD / 255.0, _GOOD[..., 0], {}, r"uint8.*float64"),
    (_GOOD[..., 0], _GOOD[..., 0], {}, r"\[H, W, 3\].*\(32, 32\)"),
    (_GOOD, _GOOD, {}, r"\(32, 32\).*is \(32, 32, 3\)"),
    (_GOOD[:0], _GOOD[:0, :, 0], {}, r"\(0, 32, 3\)"),
    (_GOOD, _GOOD[..., 0], {"segmentation": np.ones((32, 31), int)}, "31"),
    (_GOOD, _GOOD[..., 0], {"segmentation": np.ones((32, 32))}, "float64"),
    (
      *(_GOOD, _GOOD[..., 0]),
      {"segmentation": np.full((32, 32), 200)},
      r"class 200; there are 0..199",
    ),
    (_GOOD, _GOOD[..., 0], {"attributes": {"rain": 1}}, "no attribute 'rain'"),
    (_GOOD, _GOOD[..., 0], {"attributes": [1, 0]}, r"\(3,\)"),
    (_GOOD, _GOOD[..., 0], {"attributes": [1, 0, 2]}, "0..1"),
  ],
)
def test_bad_input_is_a_value_error(inpainter, image, mask, options, words):
  with pytest.raises(ValueError, match=words):
    inpainter(image, mask, **options)


def test_guidance_that_the_system_does_not_take():
  inpainter = Inpainter(inpainting.loaded(system=inpainting.Untold()))
  with pytest.raises(ValueError, match="takes no attributes.*none"):
    inpainter(_GOOD, _GOOD[..., 0], attributes=[1, 0, 0])


def test_values_that_are_not_finite_are_not_pasted():
  inpainter = Inpainter(
    inpainting.loaded(system=inpainting.MeanColour(broken=True))
  )
  with pytest.raises(UserError, match="checkpoint 7 .*not finite"):
    inpainter(_GOOD, _mask((32, 32)))


def test_import_is_cheap():
  code = "import sys, sginpaint; assert 'jax' not in sys.modules"
  subprocess.run([sys.executable, "-c", code], check=True)
  assert callable(sginpaint.load)
  with pytest.raises(AttributeError, match="no attribute 'lod'"):
    _ = sginpaint.lod


def test_full_run_beyond_the_memory_is_refused(inpainter, monkeypatch):
  memory = 40 * 50 * inference.FULL_BYTES
  monkeypatch.setattr(
    os, "sysconf", lambda name: memory if name == "SC_PHYS_PAGES" else 1
  )
  inpainter(_picture((40, 50, 3)), _mask((40, 50)), full=True)
  with pytest.raises(UserError, match="megapixels.*leave out full"):
    inpainter(_picture((41, 50, 3)), _mask((41, 50)), full=True)
  inpainter(_picture((41, 50, 3)), _mask((41, 50)))


def test_unknown_weights_are_refused(tmp_path):
  with pytest.raises(ValueError, match="'ema' or 'raw', is 'best'"):
    sginpaint.load(tmp_path, weights="best")
