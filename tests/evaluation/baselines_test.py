"""Baselines: known pixels stay, hidden ones cannot help."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from configs.common import get_config
from sginpaint.errors import UserError
from sginpaint.evaluation import baselines

NAMES = list(baselines.BASELINES)


def _example():
  rng = np.random.default_rng(0)
  image = rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)
  mask = np.zeros((20, 24), bool)
  mask[5:12, 8:20] = True
  return image, mask


def _config(names, network="none"):
  config = get_config()
  config.eval.baselines, config.eval.retrieval_network = names, network
  return config


class TestBaselines:
  @pytest.mark.parametrize("name", NAMES)
  def test_known_pixels_stay(self, name):
    image, mask = _example()
    fill = baselines.BASELINES[name](image, mask)
    np.testing.assert_array_equal(fill[~mask], image[~mask])
    assert fill.dtype == np.uint8
    assert (fill[mask] != image[mask]).any()

  @pytest.mark.parametrize("name", NAMES)
  def test_hidden_pixels_cannot_help(self, name):
    image, mask = _example()
    other = image.copy()
    other[mask] = 255 - other[mask]
    fills = [baselines.BASELINES[name](x, mask)[mask] for x in (image, other)]
    np.testing.assert_array_equal(*fills)

  @pytest.mark.parametrize("name", [n for n in NAMES if n != "masked"])
  def test_smooth_pictures_are_continued(self, name):
    image, mask = _example()
    image[:] = [10, 120, 200]
    fill = baselines.BASELINES[name](image, mask)
    assert np.abs(fill.astype(int) - [10, 120, 200]).max() <= 2

  def test_mean_color_by_hand(self):
    image = np.zeros((1, 3, 3), np.uint8)
    image[0, 0], image[0, 1] = [10, 0, 7], [21, 0, 8]
    fill = baselines.mean_color(image, np.array([[0, 0, 1]]))
    # 15.5 and 7.5 round to even.
    assert fill[0, 2].tolist() == [16, 0, 8]

  @pytest.mark.parametrize("name", NAMES)
  def test_nothing_known_gives_grey(self, name):
    image, mask = _example()
    fill = baselines.BASELINES[name](image, np.ones_like(mask))
    assert (fill == 128).all()

  @pytest.mark.parametrize("name", NAMES)
  def test_nothing_missing_gives_the_picture(self, name):
    image, mask = _example()
    fill = baselines.BASELINES[name](image, np.zeros_like(mask))
    np.testing.assert_array_equal(fill, image)

  def test_batch_equals_one_by_one(self):
    image, mask = _example()
    images = np.stack([image, image[::-1]])
    masks = np.stack([mask, mask[:, ::-1]])[..., None].astype(np.float32)
    with ThreadPoolExecutor(2) as pool:
      fills = baselines.fill_batch("telea", images, masks, pool)
    for fill, x, m in zip(fills, images, masks, strict=True):
      np.testing.assert_array_equal(fill, baselines.telea(x, m[..., 0]))

  def test_unknown_name_is_refused(self):
    with pytest.raises(UserError, match="baselines=tela: not known"):
      baselines.chosen_baselines(_config(("tela",)))

  def test_retrieval_adds_the_hole_as_it_is_shown(self):
    config = _config(("telea",), "random:0")
    assert baselines.chosen_baselines(config) == ("telea", "masked")
    config = _config(("masked", "telea"), "random:0")
    assert baselines.chosen_baselines(config) == ("masked", "telea")
    image, mask = _example()
    fill = baselines.masked(image, mask)
    assert (fill[mask] == 128).all()
