"""Evaluation protocols as data: what is measured, and on which pixels.

Published numbers differ by the formula alone (up to 0.06 SSIM for the same
pixels), so every score carries the name of its protocol. A protocol is a tuple
of measures, and each says how the prediction becomes a uint8 picture before it
is compared. Hole pixels come from the prediction, all others from the truth.

- `standard`: rounded to uint8; PSNR (255) and SSIM (Gaussian 11, sigma 1.5,
  population covariance) of the whole composite, mean absolute error in [0, 1],
  and the hole alone.
- `spl`: the arithmetic of the official SPL evaluation: truncated to uint8, SSIM
  with a uniform window of 11 and sample covariance, L1 of the channel means;
  here the mean is over pictures, not over batches. The hole metrics are those
  of `standard`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial

import chex
import jax
import jax.numpy as jnp

from sginpaint.batch import to_uint8
from sginpaint.errors import UserError
from sginpaint.evaluation import metrics

ROUND = "round"
TRUNCATE = "truncate"


@dataclasses.dataclass(frozen=True)
class Measure:
  """One column of the tables.

  Attributes:
    name: key in metrics.json.
    function: (truth, composite) or, for holes, (truth, composite, mask), on
      0..255 -> [B]; None = given by a network, see perceptual_metrics.py.
    label: of the column, with its unit.
    quantise: how a prediction becomes uint8, ROUND or TRUNCATE.
    higher_is_better: False for errors.
    hole: looks at hole pixels only; pictures without a hole are left out.
    digits: after the point, in tables.
    per_set: one number for all pictures together.
  """

  name: str
  function: Callable[..., jax.Array] | None
  label: str
  quantise: str = ROUND
  higher_is_better: bool = True
  hole: bool = False
  digits: int = 2
  per_set: bool = False


@dataclasses.dataclass(frozen=True)
class Protocol:
  """A named set of measures."""

  name: str
  summary: str
  measures: tuple[Measure, ...]

  def extended(self, measures: tuple[Measure, ...]) -> "Protocol":
    """With further measures behind its own."""
    return dataclasses.replace(self, measures=(*self.measures, *measures))

  @property
  def per_picture(self) -> tuple[Measure, ...]:
    """The measures that every picture has."""
    return tuple(m for m in self.measures if not m.per_set)

  def measure(
    self,
    truth: chex.Array,
    composites: Mapping[str, chex.Array],
    mask: chex.Array,
  ) -> dict[str, jax.Array]:
    """All measures that need no network, jittable.

    Args:
      truth: uint8 [B, H, W, 3].
      composites: {ROUND: uint8 [B, H, W, 3], TRUNCATE: ...}.
      mask: [B, H, W, 1], 1 = hole.

    Returns:
      {name: float32 [B]}, NaN where a picture has no hole to measure.
    """
    return {
      m.name: m.function(truth, composites[m.quantise], *([mask] * m.hole))
      for m in self.measures
      if m.function
    }

  @property
  def quantisers(self) -> tuple[str, ...]:
    """The rules by which a prediction must be made uint8 for `measure`."""
    return tuple(sorted({m.quantise for m in self.measures if m.function}))


def quantise(image: chex.Array, rule: str) -> jax.Array:
  """Maps [-1, 1] to uint8 by ROUND (to nearest) or TRUNCATE (towards 0)."""
  if rule == ROUND:
    return to_uint8(image)
  if rule == TRUNCATE:
    unit = (image.astype(jnp.float32) + 1.0) / 2.0
    return jnp.clip(unit * 255.0, 0.0, 255.0).astype(jnp.uint8)
  raise ValueError(f"quantise rule {rule!r} is not known")


_HOLE = (
  Measure("hole_psnr", metrics.hole_psnr, "hole PSNR (dB)", hole=True),
  Measure(
    "hole_mae",
    metrics.hole_mae,
    "hole MAE",
    higher_is_better=False,
    hole=True,
    digits=4,
  ),
)

PROTOCOLS: dict[str, Protocol] = {
  p.name: p
  for p in (
    Protocol(
      "standard",
      "composite rounded to 8 bits; PSNR 255; SSIM Gaussian 11, sigma 1.5; "
      "MAE in [0, 1]",
      (
        Measure("psnr", metrics.psnr, "PSNR (dB)"),
        Measure("ssim", metrics.ssim, "SSIM", digits=4),
        Measure("mae", metrics.mae, "MAE", higher_is_better=False, digits=4),
        *_HOLE,
      ),
    ),
    Protocol(
      "spl",
      "composite truncated to 8 bits; PSNR 255; SSIM uniform 11, sample "
      "covariance; L1 of channel means (hole metrics as in standard)",
      (
        Measure("psnr", metrics.psnr, "PSNR (dB)", TRUNCATE),
        Measure(
          "ssim",
          partial(
            metrics.ssim, window="uniform", size=11, sample_covariance=True
          ),
          "SSIM",
          TRUNCATE,
          digits=4,
        ),
        Measure(
          "l1_spl",
          metrics.l1_spl,
          "L1 (grey)",
          TRUNCATE,
          higher_is_better=False,
          digits=4,
        ),
        Measure(
          "mae", metrics.mae, "MAE", TRUNCATE, higher_is_better=False, digits=4
        ),
        *_HOLE,
      ),
    ),
  )
}


def get_protocol(name: str) -> Protocol:
  """Looks a protocol up.

  Raises:
    UserError: no protocol has that name.
  """
  if name not in PROTOCOLS:
    raise UserError(
      f"config.eval.protocol is {name!r}; choose from {', '.join(PROTOCOLS)}"
    )
  return PROTOCOLS[name]
