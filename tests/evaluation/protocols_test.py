"""Protocols: quantisation, and the numbers each promises."""

import jax
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sginpaint.errors import UserError
from sginpaint.evaluation.protocols import (
  PROTOCOLS,
  ROUND,
  TRUNCATE,
  get_protocol,
  quantise,
)


class TestQuantise:
  def test_rounds_or_truncates_and_clips(self):
    levels = np.array([-3.0, 0.4, 0.6, 127.6, 254.9, 300.0])
    image = (levels / 127.5 - 1).reshape(1, 1, -1, 1).astype(np.float32)
    assert quantise(image, ROUND).ravel().tolist() == [0, 0, 1, 128, 255, 255]
    assert quantise(image, TRUNCATE).ravel().tolist() == [
      0, 0, 0, 127, 254, 255,
    ]  # fmt: skip


class TestProtocol:
  def _measured(self, name):
    rng = np.random.default_rng(0)
    truth, fill = rng.integers(0, 256, (2, 2, 16, 16, 3)).astype(np.uint8)
    rounded = np.minimum(fill.astype(int) + 1, 255).astype(np.uint8)
    mask = np.ones((2, 16, 16, 1), np.float32)
    values = jax.jit(get_protocol(name).measure)(
      truth, {ROUND: rounded, TRUNCATE: fill}, mask
    )
    return truth, fill, rounded, values

  def test_spl_is_uniform_ssim_of_the_truncated_composite(self):
    truth, fill, _, values = self._measured("spl")
    expected = [
      structural_similarity(a, b, win_size=11, data_range=255, channel_axis=-1)
      for a, b in zip(truth, fill, strict=True)
    ]
    np.testing.assert_allclose(values["ssim"], expected, atol=1e-5)
    grey = truth.mean(-1) - fill.mean(-1)
    np.testing.assert_allclose(
      values["l1_spl"], np.abs(grey).mean((1, 2)) / 255, rtol=1e-5
    )

  @pytest.mark.parametrize("name", list(PROTOCOLS))
  def test_hole_psnr_is_of_the_rounded_composite_everywhere(self, name):
    truth, _, rounded, values = self._measured(name)
    mse = ((truth.astype(float) - rounded) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(
      values["hole_psnr"], 10 * np.log10(255**2 / mse), rtol=1e-5
    )
    assert {"psnr", "ssim", "mae", "hole_psnr", "hole_mae"} <= set(values)

  def test_unknown_name_lists_the_known(self):
    with pytest.raises(UserError, match="choose from standard, spl"):
      get_protocol("slp")
