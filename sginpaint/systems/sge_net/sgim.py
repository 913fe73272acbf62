"""SGIM and SGIM+: from the features of one scale to those of the next.

Liao et al., "Guidance and Evaluation: Semantic-Aware Image Inpainting for Mixed
Scenes" (ECCV 2020), eqs. 2-3 and 5-6; the text behind eq. 3 swaps the features
of the two scales, eq. 2 has them right. Also what a person may say instead of
the predicted segmentation. Layout [B, H, W, C].
"""

import functools
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import one_hot_segmentation
from sginpaint.layers.convolution import Conv
from sginpaint.layers.normalization import SPADE, InstanceNorm
from sginpaint.layers.resampling import resize_bilinear, upsample_nearest

activation = functools.partial(nn.leaky_relu, negative_slope=0.2)


class SGIM(nn.Module):
  """One step of the decoder; what it is not given it does without.

  The features are doubled, joined with the encoder's, normalised and modulated
  (f, eq. 3), and the base-net reads them. With a reliability map the bias-net,
  of the same shape, adds a correction (eq. 6) that is zero at first: SGE-Net
  starts as SG-Net.

  Attributes:
    features: channels out.
    hidden: hidden channels of SPADE.
    base_width: hidden channels of the base-net, times `features`.
    mask_features: channels that the reliability map is turned into.
    normalize: instance norm before modulation. Without, modulation begins with
      none, since nothing holds the size of what it doubles.
    conv: convolution to use; carries dtype and initialiser.
  """

  features: int
  hidden: int = 128
  base_width: int = 1
  mask_features: int = 32
  normalize: bool = True
  conv: Any = Conv

  @nn.compact
  def __call__(
    self,
    inner: chex.Array,
    skip: chex.Array,
    segmentation: chex.Array | None = None,
    reliability: chex.Array | None = None,
  ) -> jax.Array:
    """Infers the features of the next scale.

    Args:
      inner: [B, h, w, C], features of this scale.
      skip: [B, 2h, 2w, C'], the encoder's at the next.
      segmentation: [B, h, w, K], class probabilities; None = instance norm
        with a learnt scale and shift takes the place of SPADE (Basic-Net),
        or nothing, where nothing is normalised.
      reliability: [B, h, w], 1 = reliable; None = no bias-net (SG-Net).

    Returns:
      [B, 2h, 2w, features].
    """
    chex.assert_rank([inner, skip], 4)
    x = upsample_nearest(activation(inner))
    x = self.conv(self.features, (3, 3), name="up")(x)
    x = jnp.concatenate([x, skip], axis=-1)
    if segmentation is not None:
      guidance = resize_bilinear(segmentation, (x.shape[1], x.shape[2]))
      x = self._modulated(x, guidance)
    elif self.normalize:
      x = InstanceNorm(affine=True, name="norm")(x)
    f = activation(x)
    y = self._net(f, "base", self.base_width * self.features)
    if reliability is None:
      return y
    mask = self.conv(self.mask_features, (3, 3), name="mask")(
      upsample_nearest(reliability[..., None])
    )
    f = jnp.concatenate([f, nn.relu(mask)], axis=-1)
    zero = {"kernel_init": nn.initializers.zeros}
    return y + self._net(f, "bias", self.features, **zero)

  def _modulated(self, x: jax.Array, guidance: jax.Array) -> jax.Array:
    return SPADE(
      self.hidden,
      norm="instance" if self.normalize else "none",
      modulation_init=None if self.normalize else nn.initializers.zeros,
      conv=self.conv,
      name="spade",
    )(x, guidance)

  def _net(self, x: jax.Array, name: str, hidden: int, **last) -> jax.Array:
    x = activation(self.conv(hidden, (3, 3), name=f"{name}_0")(x))
    return self.conv(self.features, (3, 3), name=f"{name}_1", **last)(x)


def replace_segmentation(
  probabilities: chex.Array, segmentation: chex.Array
) -> jax.Array:
  """Class probabilities with what somebody knows in place of the predicted.

  A cell of several pixels gets the shares of their classes; where of some
  nothing is said, the prediction keeps its share.

  Args:
    probabilities: [B, h, w, K].
    segmentation: int [B, H, W], multiples of h and w; 255 = not said.

  Returns:
    [B, h, w, K]; sums over K stay what they were.
  """
  chex.assert_rank([probabilities, segmentation], [4, 3])
  b, h, w, classes = probabilities.shape
  chex.assert_is_divisible(segmentation.shape[1], h)
  chex.assert_is_divisible(segmentation.shape[2], w)
  said = one_hot_segmentation(segmentation, classes)
  said = said.reshape(b, h, said.shape[1] // h, w, -1, classes).mean((2, 4))
  return said + (1 - said.sum(-1, keepdims=True)) * probabilities
