"""What an evaluation's scores are scores of: weights, data, software."""

import json
from typing import Any

import jax

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.files import digest


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
    "crop_size": data.crop_size,
    "jax": jax.__version__,
    "device": jax.devices()[0].device_kind,
  }


def key(
  loaded: Loaded, split: Split, weights: str, pairs: str, networks: Any
) -> str:
  """Names an evaluation: equal keys, equal numbers.

  Args:
    loaded: a checkpoint.
    split: that it is tried on.
    weights: which weights `loaded` holds.
    pairs: hash of the manifest.
    networks: JSON types, whatever else measures.
  """
  facts = describe(loaded, split, weights)
  settings = loaded.config.to_json()
  return digest(json.dumps([facts, settings, pairs, networks]))
