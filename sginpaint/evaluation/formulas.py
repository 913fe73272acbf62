"""The measures of each protocol: whose formula, on which pixels.

Read in the projects' own evaluation code; what they feed in is what they save,
so a prediction is made uint8 the way their test script writes it.

| measures      | 8 bits    | PSNR | SSIM                     | L1          |
|---------------|-----------|------|--------------------------|-------------|
| `STANDARD`    | rounded   | RGB  | Gaussian 11, sigma 1.5   | mean        |
| `SPL`         | truncated | RGB  | uniform 11, sample       | channel means |
| `EDGECONNECT` | truncated | grey | grey, uniform 51, sample | grey, relative |
| `MAT`         | rounded   | RGB  | Gaussian 11, sigma 1.5   | mean        |
| `LAMA`        | truncated | none | Gaussian 11, zero-padded | none        |
| `AOT`         | truncated | RGB  | uniform 7, sample        | relative    |

Sample: covariances with n - 1, as scikit-image's default. Relative: sum of
|a - b| / sum of (a + b). PSNR and SSIM of values in [0, 1] with range 1 are
those of 0..255 with range 255. All are means over pictures; SPL's script takes
the mean of batch means, and an identical pair counts 100 dB here where theirs
is infinite. AOT-GAN's script also lowers known pixels of 63 of the 256 levels
by one on their way through [-1, 1]; here known pixels are those of the truth.

What follows a project's own measures (`_BESIDE`) looks at the rounded
composite, the same under every protocol.
"""

from collections.abc import Callable
from functools import partial

import chex
import jax

from sginpaint.evaluation import metrics
from sginpaint.evaluation.measures import TRUNCATE, Measure

_error = partial(Measure, higher_is_better=False)

_BESIDE = (
  _error("l1_percent", metrics.l1_percent, "l1 (%)", digits=3),
  _error("l2_percent", metrics.l2_percent, "l2 (%)", digits=3),
  Measure("hole_psnr", metrics.hole_psnr, "hole PSNR (dB)", hole=True),
  _error("hole_mae", metrics.hole_mae, "hole MAE", hole=True, digits=4),
  _error(
    "band_mae",
    metrics.band_mae,
    f"MAE of the hole's outer {metrics.BAND} pixels",
    hole=True,
    digits=4,
    partial=True,  # where nothing is known there is no band
  ),
)


def _on_grey(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
  def measure(a: chex.Array, b: chex.Array) -> jax.Array:
    return function(metrics.grey(a), metrics.grey(b))

  return measure


def _uniform(size: int) -> Callable[..., jax.Array]:
  return partial(
    metrics.ssim, window="uniform", size=size, sample_covariance=True
  )


STANDARD = (
  Measure("psnr", metrics.psnr, "PSNR (dB)"),
  Measure("ssim", metrics.ssim, "SSIM", digits=4),
  _error("mae", metrics.mae, "MAE", digits=4),
  *_BESIDE,
)
SPL = (
  Measure("psnr", metrics.psnr, "PSNR (dB)", TRUNCATE),
  Measure("ssim", _uniform(11), "SSIM", TRUNCATE, digits=4),
  _error("l1_spl", metrics.l1_spl, "L1 (grey)", TRUNCATE, digits=4),
  _error("mae", metrics.mae, "MAE", TRUNCATE, digits=4),
  *_BESIDE,
)
EDGECONNECT = (
  Measure("psnr", _on_grey(metrics.psnr), "PSNR, grey (dB)", TRUNCATE),
  Measure("ssim", _on_grey(_uniform(51)), "SSIM, grey", TRUNCATE, digits=4),
  _error(
    "relative_mae",
    _on_grey(metrics.relative_mae),
    "relative MAE, grey",
    TRUNCATE,
    digits=4,
    partial=True,  # two black pictures have none
  ),
  *_BESIDE,
)
MAT = (
  Measure("psnr", metrics.psnr, "PSNR (dB)"),
  Measure("ssim", metrics.ssim, "SSIM", digits=4),
  _error("l1", metrics.mae, "L1", digits=4),
  *_BESIDE,
)
LAMA = (
  Measure(
    "ssim", partial(metrics.ssim, zero_padded=True), "SSIM", TRUNCATE, digits=4
  ),
  *_BESIDE,
)
AOT = (
  Measure("psnr", metrics.psnr, "PSNR (dB)", TRUNCATE),
  Measure("ssim", _uniform(7), "SSIM", TRUNCATE, digits=4),
  _error(
    "relative_mae",
    metrics.relative_mae,
    "relative MAE",
    TRUNCATE,
    digits=4,
    partial=True,
  ),
  *_BESIDE,
)
