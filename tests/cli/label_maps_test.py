"""Pictures of any size through a segmenter of one size."""

import types

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from sginpaint.cli import label_maps
from sginpaint.errors import UserError


class _Quarters:
  """Class = quarter of the colour scale of the red channel."""

  def __init__(self, factor=1.0):
    self.factor = factor

  def predict(self, variables, frozen, batch):
    level = (batch.image[..., :1] + 1) / 2
    centres = jnp.arange(4) / 4 + 0.125
    return {"segmentation_logits": -self.factor * (level - centres) ** 2}


def labeller(resize="stretch", size=32, **options):
  data = {"image_size": size, "resize": resize, "crop_size": 1.0}
  config = ConfigDict({"data": data})
  return label_maps.Labeller(
    types.SimpleNamespace(
      config=config,
      system=_Quarters(**options),
      variables={},
      frozen={},
      step=3,
    )
  )


@pytest.mark.parametrize(
  ("height", "width"), [(32, 32), (64, 96), (20, 50), (90, 17), (1, 40)]
)
@pytest.mark.parametrize("resize", ["stretch", "shorter_side"])
def test_blocks_of_colour_come_back_in_place(height, width, resize):
  image = np.zeros((height, width, 3), np.uint8)
  expected = np.zeros((height, width), np.uint8)
  image[:, width // 2 :], expected[:, width // 2 :] = 220, 3
  labels = labeller(resize)(image)
  assert labels.shape == expected.shape and labels.dtype == np.uint8
  # Only next to the edge may a resized picture be unsure.
  away = np.abs(np.arange(width) - width // 2) > 3
  np.testing.assert_array_equal(labels[:, away], expected[:, away])


def test_logits_are_enlarged_as_opencv_does(monkeypatch):
  monkeypatch.setattr(label_maps, "_STRIP", 200)  # several strips
  logits = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
  expected = cv2.resize(logits, (23, 40)).argmax(-1)
  found = label_maps.enlarged_argmax(logits, 40, 23)
  assert (found == expected).mean() > 0.998


def test_broken_network_is_told():
  with pytest.raises(UserError, match="checkpoint 3 puts out NaN"):
    labeller(factor=float("nan"))(np.zeros((8, 8, 3), np.uint8))
