"""Feature matching: a fake excites the discriminators as the real one does.

Wang et al., pix2pixHD (CVPR 2018, eq. 4), as the code of SPADE (Park et al.,
CVPR 2019) averages it. Takes what `layers.discriminators.MultiScalePatchGAN`
returns: per scale logits and the maps of all layers, logits last.
"""

from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp

from sginpaint.losses.reconstruction import l1

Scores = tuple[chex.Array, Sequence[chex.Array]]


def feature_matching_loss(
  fake: Sequence[Scores], real: Sequence[Scores]
) -> jax.Array:
  """L1 between activations, summed over layers and averaged over scales.

  The last map of each scale, its logits, is left to the adversarial loss. No
  gradient reaches the real side. pix2pixHD and SPADE weigh the result by 10.

  Args:
    fake: per scale (logits, [maps [B, h, w, C] of all layers]).
    real: the same of the real pictures.

  Returns:
    float32 [B]; each layer counts with its mean over positions and channels.
  """
  scales = []
  for (_, fakes), (_, reals) in zip(fake, real, strict=True):
    terms = [
      l1(a, jax.lax.stop_gradient(b))
      for a, b in zip(fakes[:-1], reals[:-1], strict=True)
    ]
    scales.append(jnp.sum(jnp.stack(terms), axis=0))
  return jnp.mean(jnp.stack(scales), axis=0)
