"""What both sides are given: the config of SPL and a batch of arrays."""

from collections.abc import Mapping

import numpy as np
from ml_collections import ConfigDict

from benchmarks import pictures
from configs import spl


def spl_config(
  *,
  size: int,
  width: int,
  batch_size: int,
  dtype: str,
  depth: Mapping[str, int] | None = None,
) -> ConfigDict:
  """configs/spl.py at another size.

  Args:
    size: of the pictures, pixels.
    width: of both networks' first layers; 64 is the published one.
    batch_size: of the step.
    dtype: our compute dtype.
    depth: other fields of the generator.
  """
  config = spl.get_config()
  config.data.image_size, config.batch_size = size, batch_size
  config.dtype = dtype
  config.model.generator.width = width
  config.model.generator.update(depth or {})
  config.model.discriminator.widths = tuple(width * n for n in (1, 2, 4, 8))
  return config.lock()


def numpy_batch(config: ConfigDict, seed: int = 0) -> dict[str, np.ndarray]:
  """image uint8, mask and teacher features float32, [B, H, W, C] each."""
  generator = np.random.default_rng(seed)
  b, s = config.batch_size, config.data.image_size
  features = config.model.generator.prior_channels
  shape = (b, s // 4, s // 4, features)
  return {
    "image": pictures.random_pictures(b, s, seed),
    "mask": pictures.holes(b, s),
    "teacher": generator.standard_normal(shape, np.float32),
  }
