"""What a measure is, and how a prediction becomes the picture it looks at."""

import dataclasses
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from sginpaint.batch import to_uint8

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
    partial: pictures may lack it (NaN) and are then left out.
  """

  name: str
  function: Callable[..., jax.Array] | None
  label: str
  quantise: str = ROUND
  higher_is_better: bool = True
  hole: bool = False
  digits: int = 2
  per_set: bool = False
  partial: bool = False


def quantise(image: chex.Array, rule: str) -> jax.Array:
  """Maps [-1, 1] to uint8 by ROUND (to nearest) or TRUNCATE (towards 0)."""
  if rule == ROUND:
    return to_uint8(image)
  if rule == TRUNCATE:
    unit = (image.astype(jnp.float32) + 1.0) / 2.0
    return jnp.clip(unit * 255.0, 0.0, 255.0).astype(jnp.uint8)
  raise ValueError(f"quantise rule {rule!r} is not known")
