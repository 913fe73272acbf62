"""Masks: what counts as hole, and what is warned of or refused."""

import logging

import numpy as np
import pytest

from sginpaint import images
from sginpaint.errors import UserError
from tests.images.files import noise, save

_HOLE = np.zeros((20, 30), bool)
_HOLE[3:9, 4:15] = True


def _read(tmp_path, samples, caplog):
  path = save(tmp_path / "m.png", samples)
  with caplog.at_level(logging.WARNING):
    return images.read_mask(path, samples.shape[:2]), caplog.text


@pytest.mark.parametrize("kind", ["grey", "rgb", "bits16", "bilevel"])
def test_white_is_hole(tmp_path, caplog, kind):
  grey = np.where(_HOLE, 255, 0).astype(np.uint8)
  samples = {
    "grey": grey,
    "rgb": grey[..., None].repeat(3, -1),
    "bits16": grey[..., None].astype(np.uint16) * 257,
    "bilevel": _HOLE,
  }[kind]
  hole, text = _read(tmp_path, samples, caplog)
  np.testing.assert_array_equal(hole, _HOLE)
  assert text == ""


@pytest.mark.parametrize("paint", [(0, 0, 0), (255, 255, 255), (200, 10, 10)])
def test_paint_on_a_transparent_layer_is_hole(tmp_path, caplog, paint):
  # Colours under transparency are arbitrary.
  samples = noise((20, 30, 4))
  samples[_HOLE, :3] = paint
  samples[..., 3] = np.where(_HOLE, 255, 0)
  hole, _ = _read(tmp_path, samples, caplog)
  np.testing.assert_array_equal(hole, _HOLE)


def test_white_strokes_on_half_transparent_black(tmp_path, caplog):
  samples = np.zeros((20, 30, 4), np.uint8)
  samples[:10, :, 3] = 255
  samples[_HOLE, :3] = 255
  hole, _ = _read(tmp_path, samples, caplog)
  np.testing.assert_array_equal(hole, _HOLE)


def test_opaque_alpha_means_nothing(tmp_path, caplog):
  samples = np.full((20, 30, 4), 255, np.uint8)
  samples[..., :3] = np.where(_HOLE, 255, 0)[..., None]
  hole, _ = _read(tmp_path, samples, caplog)
  np.testing.assert_array_equal(hole, _HOLE)


def test_threshold_is_between_127_and_128(tmp_path, caplog):
  samples = np.array([[0, 127, 128, 255]], np.uint8).repeat(2, 0)
  hole, text = _read(tmp_path, samples, caplog)
  np.testing.assert_array_equal(hole[0], [False, False, True, True])
  assert "50 % of the mask is neither black nor white" in text


def test_zeros_and_ones(tmp_path, caplog):
  hole, text = _read(tmp_path, _HOLE.astype(np.uint8), caplog)
  np.testing.assert_array_equal(hole, _HOLE)
  assert "only 0 and 1" in text


def test_dark_and_inverted_masks_are_pointed_out(tmp_path, caplog):
  hole, text = _read(tmp_path, np.full((4, 4), 9, np.uint8), caplog)
  assert not hole.any()
  assert "nothing is brighter" in text
  _, text = _read(tmp_path, np.full((4, 4), 255, np.uint8), caplog)
  assert "inverted?" in text


def test_other_size_names_both(tmp_path):
  path = save(tmp_path / "m.png", noise((20, 30)))
  with pytest.raises(UserError, match="30x20.*31x20"):
    images.read_mask(path, (20, 31))
