"""SCEM: which part of a filled hole the segmentation is unsure of (eq. 4).

Liao et al., "Guidance and Evaluation: Semantic-Aware Image Inpainting for Mixed
Scenes" (ECCV 2020), section 3.2. Maps are [B, h, w]; masks are 1 = missing as
everywhere here (the paper's M is 0 in holes), reliability is 1 = reliable.

The paper gives no number for its percentile. Here it is taken over the pixels
of the hole, of each picture by itself, and known pixels are always reliable;
`share_of="image"` is the literal reading, over all pixels. Which share is
called unreliable is fixed per scale, so that the unreliable area shrinks by
construction: what a map can show is where the confidence is, not how much.
"""

from typing import Literal, get_args

import chex
import jax
import jax.numpy as jnp

from sginpaint.errors import check_choice

ShareOf = Literal["hole", "image"]


def confidence_of(probabilities: chex.Array) -> jax.Array:
  """P_max, the probability of the most probable class.

  Args:
    probabilities: [B, h, w, K].

  Returns:
    float32 [B, h, w]; no gradient passes.
  """
  return jax.lax.stop_gradient(jnp.max(probabilities, axis=-1))


def reliability_of(
  confidence: chex.Array,
  hole: chex.Array,
  *,
  unreliable: float,
  share_of: ShareOf = "hole",
) -> jax.Array:
  """Eq. 4: 1 where the confidence exceeds its percentile, else 0.

  The threshold is the smallest confidence that at least the share `unreliable`
  does not exceed; the comparison is strict, so that all of a constant map is
  unreliable.

  Args:
    confidence: [B, h, w].
    hole: [B, h, w], 1 = missing.
    unreliable: share in [0, 1] that is to be called unreliable.
    share_of: what the share is of: "hole", outside of which all is reliable; or
      "image", where known pixels may be unreliable too.

  Returns:
    float32 [B, h, w]; no gradient passes.

  Raises:
    UserError: `share_of` is not known.
  """
  chex.assert_rank([confidence, hole], 3)
  chex.assert_equal_shape([confidence, hole])
  check_choice("model.generator.share_of", share_of, get_args(ShareOf))
  judged = hole > 0.5 if share_of == "hole" else jnp.ones_like(hole, bool)
  confidence = jax.lax.stop_gradient(confidence)
  flat = judged.reshape(len(judged), -1)
  # Behind all that is judged, so that shapes do not depend on the hole.
  ordered = jnp.sort(
    jnp.where(flat, confidence.reshape(flat.shape), jnp.inf), axis=-1
  )
  count = jnp.ceil(unreliable * jnp.sum(flat, axis=-1)).astype(jnp.int32)
  last = jnp.maximum(count - 1, 0)[:, None]
  threshold = jnp.take_along_axis(ordered, last, axis=-1)
  threshold = jnp.where(count[:, None] > 0, threshold, -jnp.inf)[..., None]
  return 1.0 - (judged & (confidence <= threshold)).astype(jnp.float32)
