"""Protocols: every formula against scikit-image or arithmetic by hand."""

import cv2
import jax
import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.metrics import (
  mean_squared_error,
  peak_signal_noise_ratio,
  structural_similarity,
)

from sginpaint.errors import UserError
from sginpaint.evaluation import protocols
from sginpaint.evaluation.manifest import build_manifest
from sginpaint.evaluation.measures import ROUND, TRUNCATE, quantise
from sginpaint.evaluation.protocols import PROTOCOLS, get_protocol
from tests.evaluation.toy import PlainSystem, load_toy, plain_split

# The largest window, of edge-connect, is 51.
_SHAPE = (2, 56, 60, 3)


class TestQuantise:
  def test_rounds_or_truncates_and_clips(self):
    levels = np.array([-3.0, 0.4, 0.6, 127.6, 254.9, 300.0])
    image = (levels / 127.5 - 1).reshape(1, 1, -1, 1).astype(np.float32)
    assert quantise(image, ROUND).ravel().tolist() == [0, 0, 1, 128, 255, 255]
    assert quantise(image, TRUNCATE).ravel().tolist() == [
      0, 0, 0, 127, 254, 255,
    ]  # fmt: skip


def _pictures():
  """Truth, and two composites that differ from it in the hole."""
  rng = np.random.default_rng(0)
  noise = rng.normal(0, 12, (2, *_SHAPE))
  truth, fill = np.clip(_waves() + noise, 0, 254)
  mask = np.zeros((*_SHAPE[:3], 1), np.float32)
  mask[:, 8:40, 10:50] = 1
  truth, fill = truth.astype(np.uint8), fill.astype(np.uint8)
  truncated = np.where(mask > 0, fill, truth)
  return truth, truncated, np.where(mask > 0, fill + 1, truth), mask


def _waves():
  y, x = np.indices(_SHAPE[1:3])
  return (120 + 80 * np.sin(x / 7) * np.cos(y / 9))[..., None]


def _skimage_ssim(**options):
  def score(a, b):
    return structural_similarity(
      a, b, data_range=255, channel_axis=-1 if a.ndim == 3 else None, **options
    )

  return score


def _matlab_ssim(a, b):
  """As MAT's script: OpenCV's filter, five pixels cut off."""
  kernel = cv2.getGaussianKernel(11, 1.5)
  a, b = a.astype(np.float64), b.astype(np.float64)

  def smooth(x):
    return cv2.filter2D(x, -1, kernel @ kernel.T)[5:-5, 5:-5]

  return _ssim_of(a, b, smooth, 255)


def _padded_ssim(a, b):
  """As LaMa's loss: a 2-D window over [0, 1], zeros around the picture."""
  kernel = cv2.getGaussianKernel(11, 1.5)
  a, b = a / 255.0, b / 255.0

  def smooth(x):
    return cv2.filter2D(
      x, -1, kernel @ kernel.T, borderType=cv2.BORDER_CONSTANT
    )

  return _ssim_of(a, b, smooth, 1)


def _ssim_of(a, b, smooth, peak):
  c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
  mean_a, mean_b = smooth(a), smooth(b)
  var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
  cov = smooth(a * b) - mean_a * mean_b
  top = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
  return np.mean(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))


def _psnr(a, b):
  return peak_signal_noise_ratio(a, b, data_range=255)


def _l1(a, b):
  return np.mean(np.abs(a.astype(np.float64) - b)) / 255


def _l1_spl(a, b):
  return np.mean(np.abs(a.mean(2) - b.mean(2)) / 255)


def _relative(a, b):
  a, b = a.astype(np.float64), b.astype(np.float64)
  return np.abs(a - b).sum() / (a + b).sum()


def _grey(function, **options):
  def score(a, b):
    return function(rgb2gray(a / 255.0), rgb2gray(b / 255.0), **options)

  return score


_GAUSSIAN = _skimage_ssim(
  gaussian_weights=True, sigma=1.5, use_sample_covariance=False
)
_OURS = {"psnr": _psnr, "ssim": _GAUSSIAN, "mae": _l1}
_EXPECTED = {
  "standard": (ROUND, _OURS),
  "spl": (
    TRUNCATE,
    {"psnr": _psnr, "ssim": _skimage_ssim(win_size=11), "l1_spl": _l1_spl},
  ),
  "edgeconnect": (
    TRUNCATE,
    {
      "psnr": _grey(peak_signal_noise_ratio, data_range=1),
      "ssim": _grey(structural_similarity, data_range=1, win_size=51),
      "relative_mae": _grey(_relative),
    },
  ),
  "mat": (ROUND, {"psnr": _psnr, "ssim": _matlab_ssim, "l1": _l1}),
  "lama": (TRUNCATE, {"ssim": _padded_ssim}),
  "aot": (
    TRUNCATE,
    {"psnr": _psnr, "ssim": _skimage_ssim(), "relative_mae": _relative},
  ),
  "sge_net": (ROUND, _OURS),
  "espa": (ROUND, _OURS),
  "boosted_gan": (
    ROUND,
    _OURS
    | {
      "l1_percent": lambda a, b: 100 * _l1(a, b),
      "l2_percent": lambda a, b: 100 * mean_squared_error(a / 255, b / 255),
    },
  ),
}


@pytest.fixture(scope="module")
def measured():
  """Truth, composites and {protocol: scores}."""
  truth, truncated, rounded, mask = _pictures()
  names = list(PROTOCOLS)
  measure = jax.jit(
    lambda *args: [get_protocol(name).measure(*args) for name in names]
  )
  composites = {ROUND: rounded, TRUNCATE: truncated}
  found = measure(truth, composites, mask)
  return truth, composites, dict(zip(names, found, strict=True))


class TestFormulas:
  @pytest.mark.parametrize("name", list(PROTOCOLS))
  def test_is_what_the_project_computes(self, name, measured):
    truth, composites, values = measured
    rule, formulas = _EXPECTED[name]
    for key, formula in formulas.items():
      pairs = zip(truth, composites[rule], strict=True)
      expected = [formula(a, b) for a, b in pairs]
      np.testing.assert_allclose(
        values[name][key], expected, atol=1e-4, err_msg=key
      )

  @pytest.mark.parametrize("name", list(PROTOCOLS))
  def test_the_hole_is_measured_alike_everywhere(self, name, measured):
    values = measured[2]
    for key in ("hole_psnr", "hole_mae", "band_mae", "l1_percent"):
      np.testing.assert_array_equal(values[name][key], values["standard"][key])
    assert (values[name]["known_changed"] == 0).all()

  def test_formulas_spread_as_far_as_they_do_in_print(self, measured):
    ssim = {name: v["ssim"].mean() for name, v in measured[2].items()}
    assert max(ssim.values()) - min(ssim.values()) > 0.01
    assert ssim["mat"] == ssim["standard"]

  def test_changed_known_pixels_are_counted(self):
    truth, truncated, rounded, mask = _pictures()
    rounded[1, 0, :3, 1] += 1
    for name, changed in (("standard", [0, 3]), ("lama", [0, 3])):
      found = get_protocol(name).measure(
        truth, {ROUND: rounded, TRUNCATE: truncated}, mask
      )
      assert found["known_changed"].tolist() == changed


def _check(name, *, count=4, evaluated=0, masks="center", split=None, **fields):
  config = load_toy(PlainSystem()).config
  config.data.image_size = 256
  config.data.resize = "shorter_side"
  for field, value in fields.items():
    section, key = field.split("__")
    config[section][key] = value
  split = split or plain_split(count)
  manifest = build_manifest(
    split.ids, masks=masks, seed=0, image_size=256, count=evaluated,
    center_size=config.masks.center_size,
  )  # fmt: skip
  get_protocol(name).check(config, split, manifest)


class TestPapers:
  @pytest.mark.parametrize(
    ("name", "options"),
    [
      ("sge_net", {}),
      ("sge_net", {"masks": "irregular"}),
      ("sge_net", {"data__crop_size": 0.5, "masks__center_size": 0.375}),
      ("espa", {"data__resize": "stretch", "eval__guidance": "truth"}),
      ("boosted_gan", {"masks": "rectangle"}),
      ("standard", {"data__image_size": 64, "evaluated": 2}),
    ],
  )
  def test_the_papers_evaluations_pass(self, name, options):
    _check(name, **options)

  @pytest.mark.parametrize(
    ("name", "options", "line"),
    [
      ("sge_net", {"data__image_size": 64}, "image_size is 64, .* has 256"),
      ("sge_net", {"data__crop_size": 0.5}, "crop_size is 0.5, .* has 1.0"),
      ("sge_net", {"masks": "rectangle"}, "masks is rectangle"),
      ("sge_net", {"eval__guidance": "truth"}, "guidance is truth"),
      ("sge_net", {"evaluated": 3}, "number of pictures is 3"),
      ("sge_net", {"data__test_split": "other"}, "--split is test"),
      ("espa", {}, "resize is shorter_side, .* has stretch"),
      ("boosted_gan", {}, "masks is center, .* has rectangle"),
      ("edgeconnect", {"data__image_size": 48}, "looks at 51 pixels"),
    ],
  )
  def test_others_are_refused(self, name, options, line):
    with pytest.raises(UserError, match=line):
      _check(name, **options)

  def test_unknown_name_lists_the_known(self):
    with pytest.raises(UserError, match="choose from standard, spl"):
      get_protocol("slp")
    assert set(_EXPECTED) == set(protocols.PROTOCOLS)
