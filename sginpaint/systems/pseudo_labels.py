"""Labels from a network's own confident predictions.

Unlabelled pictures can refine a classifier or a segmenter: a frozen copy of
what was trained first reads the *whole* picture, what it is sure of becomes a
label, the rest stays open, and the network in training sees the picture with
its hole. So it learns to say of a corrupted picture what it said of the whole
one (the future work of Li et al., arXiv 1908.04503). Labels of the data set
are not looked at.
"""

from collections.abc import Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import IGNORE, Batch, normalize_image
from sginpaint.errors import UserError
from sginpaint.systems.base import Variables, apply_module

NONE = "none"
NAME = "pseudo_labels"  # of the frozen network, and of the field that names it


def check_confidence(confidence: float) -> None:
  """Raises UserError unless 0.5 <= confidence < 1."""
  if not 0.5 <= confidence < 1.0:
    raise UserError(
      f"config.objective.confidence={confidence}: give a probability from "
      "0.5 to below 1"
    )


def read_whole(
  modules: Mapping[str, nn.Module],
  frozen: Mapping[str, Variables],
  batch: Batch,
) -> dict[str, Any]:
  """What the frozen copy puts out for whole pictures.

  Args:
    modules: the frozen networks of a system, `NAME` among them.
    frozen: their variables.
    batch: of which `image` alone is read.
  """
  outputs, _ = apply_module(
    modules[NAME], frozen[NAME], normalize_image(batch.image), train=False
  )
  return outputs


def confident_attributes(logits: chex.Array, *, confidence: float) -> jax.Array:
  """1 where an attribute is more probable than `confidence`, 0 where absence.

  Args:
    logits: [B, A].
    confidence: in [0.5, 1).

  Returns:
    float32 [B, A], NaN where neither is.
  """
  chex.assert_rank(logits, 2)
  x = logits.astype(jnp.float32)
  # 1 - sigmoid(x) cancels where it is near 0; sigmoid(-x) does not.
  absent = jnp.where(jax.nn.sigmoid(-x) > confidence, 0.0, jnp.nan)
  return jnp.where(jax.nn.sigmoid(x) > confidence, 1.0, absent)


def confident_classes(logits: chex.Array, *, confidence: float) -> jax.Array:
  """The class of every pixel that has one more probable than `confidence`.

  Args:
    logits: [B, H, W, K].
    confidence: in [0.5, 1).

  Returns:
    int32 [B, H, W], 255 where no class is.
  """
  chex.assert_rank(logits, 4)
  share = jax.nn.softmax(logits.astype(jnp.float32))
  sure = jnp.max(share, axis=-1) > confidence
  return jnp.where(sure, jnp.argmax(logits, axis=-1), IGNORE).astype(jnp.int32)
