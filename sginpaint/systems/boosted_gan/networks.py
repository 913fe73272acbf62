"""The boosted GAN's generator (Li et al., arXiv 1908.04503, figure 2, eq. 1).

An encoder and decoder with a dilated middle, after Iizuka et al. (SIGGRAPH
2017), which halves the picture four times instead of twice: at 256x256 its
middle is the 16x16 map over which the paper tiles the attributes. There a
dilation of 16 would reach outside only, so that the middle ends at 8. There is
no norm: an instance norm takes a tiled vector, which is constant over the map,
out again. Layout [B, H, W, C].
"""

import functools
from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.errors import UserError
from sginpaint.layers.convolution import Conv
from sginpaint.layers.encoder_decoder import Encoder, Stage
from sginpaint.layers.resampling import upsample_nearest

# Without norms the initial values alone keep the power of what ReLU halves.
_INIT = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
# A saturated tanh has next to no gradient: begin well inside.
_LAST = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")


class Generator(nn.Module):
  """Picture with a hole, its segmentation and its attributes to a picture.

  Attributes:
    num_attributes: A.
    num_classes: K.
    attributes_input: whether it is told the attributes.
    segmentation_input: whether it is told the segmentation.
    mask_input: whether it is told where the hole is; the paper is silent,
      Iizuka et al. tell it.
    widths: channels of the encoder: at full size, then after each halving; the
      middle keeps the last.
    dilations: of the convolutions in the middle.
    decoder_widths: channels after each doubling, as many as there are halvings.
    dtype: of the computation; parameters and outputs are float32.
  """

  num_attributes: int
  num_classes: int
  attributes_input: bool = True
  segmentation_input: bool = True
  mask_input: bool = True
  widths: Sequence[int] = (64, 128, 256, 256, 256)
  dilations: Sequence[int] = (2, 4, 8)
  decoder_widths: Sequence[int] = (256, 128, 64, 32)
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self,
    image: chex.Array,
    mask: chex.Array,
    attributes: chex.Array | None = None,
    segmentation: chex.Array | None = None,
    *,
    train: bool = False,
  ) -> dict[str, jax.Array]:
    """Fills the hole (eq. 1); what `image` holds inside it is not looked at.

    Args:
      image: [B, H, W, 3] in [-1, 1]; H and W multiples of 2 to the number of
        halvings.
      mask: [B, H, W, 1], 1 = hole.
      attributes: probabilities [B, A]; not read unless `attributes_input`.
      segmentation: probabilities [B, H, W, K]; not read unless
        `segmentation_input`.
      train: without effect; every system's networks take it.

    Returns:
      "image" float32 [B, H, W, 3] in [-1, 1], raw.

    Raises:
      UserError: H or W does not fit.
    """
    del train
    chex.assert_rank([image, mask], 4)
    chex.assert_equal_shape_prefix([image, mask], 3)
    self._check_size(*image.shape[1:3])
    conv: Any = functools.partial(Conv, kernel_init=_INIT, dtype=self.dtype)
    seen = [image * (1 - mask)]
    if self.mask_input:
      seen.append(mask)
    if self.segmentation_input:
      chex.assert_shape(segmentation, (*image.shape[:3], self.num_classes))
      seen.append(segmentation)
    x = self._encode(conv, jnp.concatenate(seen, axis=-1))
    if self.attributes_input:
      chex.assert_shape(attributes, (len(image), self.num_attributes))
      x = inject(x, attributes)
    x = nn.relu(conv(self.widths[-1], (3, 3), name="joined")(x))
    for i, dilation in enumerate((*self.dilations, 1, 1)):
      layer = conv(
        self.widths[-1], (3, 3), kernel_dilation=dilation, name=f"middle_{i}"
      )
      x = nn.relu(layer(x))
    for i, width in enumerate(self.decoder_widths):
      x = upsample_nearest(x, 2)
      x = nn.relu(conv(width, (3, 3), name=f"decoder_{i}")(x))
    x = conv(3, (3, 3), kernel_init=_LAST, name="output")(x)
    return {"image": jnp.tanh(x.astype(jnp.float32))}

  def _encode(self, conv: Any, x: jax.Array) -> jax.Array:
    stages = [Stage(features=self.widths[0], kernel=5, padding=2)]
    for width in self.widths[1:]:
      stages.append(Stage(features=width, kernel=3, stride=2, padding=1))
      stages.append(Stage(features=width, kernel=3, padding=1))
    return Encoder(stages=stages, act=nn.relu, conv=conv, name="encoder")(x)[-1]

  def _check_size(self, height: int, width: int) -> None:
    halvings = len(self.widths) - 1
    if len(self.decoder_widths) != halvings:
      raise UserError(
        f"config.model.generator.decoder_widths: {len(self.decoder_widths)} "
        f"numbers; give {halvings}, one less than in widths"
      )
    if height % 2**halvings or width % 2**halvings:
      raise UserError(
        f"the boosted GAN cannot take pictures of {height} x {width}: choose "
        f"config.data.image_size, or sides, that are multiples of {2**halvings}"
      )


def inject(x: chex.Array, attributes: chex.Array) -> jax.Array:
  """Tiles a vector [B, A] over [B, h, w, C] and appends it to the channels."""
  chex.assert_rank([x, attributes], [4, 2])
  tiled = jnp.broadcast_to(
    attributes[:, None, None].astype(x.dtype),
    (*x.shape[:3], attributes.shape[-1]),
  )
  return jnp.concatenate([x, tiled], axis=-1)
