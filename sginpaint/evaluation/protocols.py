"""Evaluation protocols by name: what is measured, and on which pictures.

Published numbers differ by the formula alone (up to 0.06 SSIM for the same
pixels), so every score carries the name of its protocol. A protocol is a tuple
of measures (formulas.py), each of which says how the prediction becomes a uint8
picture before it is compared. Hole pixels come from the prediction, all others
from the truth; that they do is counted with every picture.

`standard` is ours. `spl`, `edgeconnect`, `mat`, `lama` and `aot` are the
formulas of the projects of that name. `sge_net`, `espa` and `boosted_gan` are
the papers' pictures and holes (settings.py) under the standard formulas, since
the papers do not say theirs: an evaluation of other pictures or holes is
refused, so that no such number bears the name. `standard` takes any.
"""

import dataclasses
from collections.abc import Mapping

import chex
import jax
from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.errors import UserError, check_choice
from sginpaint.evaluation import formulas, metrics
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.settings import (
  BOOSTED_GAN,
  ESPA,
  SGE_NET,
  Setting,
  facts_of,
)

KNOWN_CHANGED = "known_changed"


@dataclasses.dataclass(frozen=True)
class Protocol:
  """A named set of measures.

  Attributes:
    name: see `PROTOCOLS`.
    summary: for the report.
    measures: columns of the tables.
    settings: the papers' evaluations, one of which this has to be; none = any.
    least: side of the smallest pictures that it can measure.
  """

  name: str
  summary: str
  measures: tuple[Measure, ...]
  settings: tuple[Setting, ...] = ()
  least: int = 11

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
      {name: float32 [B]}, NaN where a picture has no hole to measure; under
      `KNOWN_CHANGED` the known pixels that differ from the truth.
    """
    scores = {
      m.name: m.function(truth, composites[m.quantise], *([mask] * m.hole))
      for m in self.measures
      if m.function
    }
    changed = [
      metrics.known_changed(truth, composites[rule], mask)
      for rule in self.quantisers
    ]
    return scores | {KNOWN_CHANGED: sum(changed[1:], changed[0])}

  @property
  def quantisers(self) -> tuple[str, ...]:
    """The rules by which a prediction must be made uint8 for `measure`."""
    return tuple(sorted({m.quantise for m in self.measures if m.function}))

  def check(self, config: ConfigDict, split: Split, manifest: Manifest) -> None:
    """Checks what is going to be evaluated.

    Args:
      config: of the evaluation.
      split: that it is of.
      manifest: its pairs.

    Raises:
      UserError: the pictures are too small, or it is not the paper's
        evaluation; names the first field to change.
    """
    side = config.data.image_size
    if side < self.least:
      raise UserError(
        f"--protocol={self.name}: its SSIM looks at {self.least} pixels a "
        f"side; config.data.image_size is {side}; use --protocol=standard"
      )
    facts = facts_of(config, split, manifest)
    departures = [setting.departure(facts) for setting in self.settings]
    if departures and all(departures):
      # Of the evaluation that is nearest to what was asked for.
      _, line = min(d for d in departures if d)
      raise UserError(
        f"--protocol={self.name}: {line}; or use --protocol=standard"
      )


_STANDARD = (
  "composite rounded to 8 bits; PSNR 255; SSIM Gaussian 11, sigma 1.5; MAE in "
  "[0, 1]; l1 and l2 in percent: 100 x mean absolute and mean squared error in "
  "[0, 1]"
)
_BESIDE = "errors in percent and in the hole as in standard"

PROTOCOLS: dict[str, Protocol] = {
  p.name: p
  for p in (
    Protocol("standard", _STANDARD, formulas.STANDARD),
    Protocol(
      "spl",
      "composite truncated to 8 bits; PSNR 255; SSIM uniform 11, sample "
      f"covariance; L1 of channel means; {_BESIDE}",
      formulas.SPL,
    ),
    Protocol(
      "edgeconnect",
      "composite truncated to 8 bits, then grey; PSNR; SSIM uniform 51, sample "
      f"covariance; MAE relative to the sum of both; {_BESIDE}",
      formulas.EDGECONNECT,
      least=51,
    ),
    Protocol(
      "mat",
      "composite rounded to 8 bits; PSNR 255; SSIM Gaussian 11, sigma 1.5, "
      f"windows inside the picture; L1 in [0, 1]; {_BESIDE}",
      formulas.MAT,
    ),
    Protocol(
      "lama",
      "composite truncated to 8 bits; SSIM Gaussian 11, sigma 1.5, zeros "
      f"beyond the border; {_BESIDE}",
      formulas.LAMA,
    ),
    Protocol(
      "aot",
      "composite truncated to 8 bits; PSNR 255; SSIM uniform 7, sample "
      f"covariance; MAE relative to the sum of both; {_BESIDE}",
      formulas.AOT,
    ),
    Protocol(
      "sge_net",
      f"the pictures and holes of Liao et al., ECCV 2020; {_STANDARD}",
      formulas.STANDARD,
      SGE_NET,
    ),
    Protocol(
      "espa",
      f"the pictures and holes of Yu et al., 2022; {_STANDARD}",
      formulas.STANDARD,
      ESPA,
    ),
    Protocol(
      "boosted_gan",
      f"the pictures and holes of Li et al., IJCNN 2019; {_STANDARD}",
      formulas.STANDARD,
      BOOSTED_GAN,
    ),
  )
}


def get_protocol(name: str) -> Protocol:
  """Looks a protocol up.

  Raises:
    UserError: no protocol has that name.
  """
  check_choice("eval.protocol", name, PROTOCOLS)
  return PROTOCOLS[name]
