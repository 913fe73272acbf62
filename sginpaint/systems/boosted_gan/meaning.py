"""What pictures mean: attributes and segmentation, predicted or told.

Both are probabilities: "attributes" [B, A] and "segmentation" [B, H, W, K]; one
that nobody predicts is not there.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from sginpaint.batch import IGNORE, Guidance, one_hot_segmentation

Meaning = Mapping[str, jax.Array]


def probabilities(logits: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
  """The meaning that logits stand for.

  Args:
    logits: "attribute_logits" [B, A] and "segmentation_logits" [B, H, W, K], as
      far as there are such.
  """
  meaning = {}
  if "attribute_logits" in logits:
    meaning["attributes"] = jax.nn.sigmoid(logits["attribute_logits"])
  if "segmentation_logits" in logits:
    meaning["segmentation"] = jax.nn.softmax(logits["segmentation_logits"])
  return meaning


def guided(predicted: Meaning, told: Guidance | None) -> dict[str, jax.Array]:
  """What is predicted, but where somebody says otherwise that.

  Args:
    predicted: the meaning that networks see.
    told: by a person; NaN and class 255 say nothing.
  """
  meaning = dict(predicted)
  if told is None:
    return meaning
  if told.attributes is not None and "attributes" in meaning:
    own = meaning["attributes"]
    meaning["attributes"] = jnp.where(
      jnp.isnan(told.attributes), own, told.attributes
    )
  if told.segmentation is not None and "segmentation" in meaning:
    own, labels = meaning["segmentation"], told.segmentation
    sure = one_hot_segmentation(labels, own.shape[-1])
    meaning["segmentation"] = jnp.where(
      (labels == IGNORE)[..., None], own, sure
    )
  return meaning
