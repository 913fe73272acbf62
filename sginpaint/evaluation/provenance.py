"""What an evaluation's scores are scores of: weights, data, software."""

from typing import Any

import jax

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split


def describe(loaded: Loaded, split: Split, weights: str) -> dict[str, Any]:
  """The fields that every metrics.json has under `provenance`.

  `frozen` is there where frozen networks take part in `predict`.

  Args:
    loaded: a checkpoint.
    split: that it was tried on.
    weights: which weights `loaded` holds.
  """
  data = loaded.config.data
  return {
    "system": loaded.config.system,
    "checkpoint_hash": loaded.hash,
    **({"frozen": dict(loaded.frozen_hashes)} if loaded.frozen_hashes else {}),
    "weights": weights,
    "data": data.name,
    "split": split.name,
    "split_fingerprint": split.fingerprint,
    "image_size": data.image_size,
    "resize": data.resize,
    "jax": jax.__version__,
    "device": jax.devices()[0].device_kind,
  }
