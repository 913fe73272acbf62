"""SGE-Net's generator, over five scales.

Liao et al., "Guidance and Evaluation: Semantic-Aware Image Inpainting for Mixed
Scenes" (ECCV 2020). Scales are numbered as in its eq. 10 and figure 7: 4 is the
bottleneck, 0 the picture's own size. Pictures are [B, H, W, 3] in [-1, 1],
masks [B, H, W, 1] with 1 = hole (the paper has 0 there).

No code was published and the paper names no widths. Here the encoder has
pix2pixHD's, the picture with its hole at 0 and the mask as fourth plane; the
context inference module (CIM) is residual blocks with growing dilation, as
edge-connect's; nothing is composited between scales. The heads read features
behind an activation, as SPADE's last convolution does.
"""

import functools
from collections.abc import Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.errors import UserError, check_choice
from sginpaint.layers.convolution import Conv
from sginpaint.layers.encoder_decoder import Encoder, Stage
from sginpaint.layers.normalization import InstanceNorm
from sginpaint.layers.resampling import hole_at, upsample_nearest
from sginpaint.layers.residual import ResidualBlock
from sginpaint.systems.base import Outputs, name_at
from sginpaint.systems.sge_net import scem
from sginpaint.systems.sge_net.sgim import (
  SGIM,
  activation,
  replace_segmentation,
)

SCALES = (4, 3, 2, 1, 0)
NORMALIZATIONS = ("instance", "none")
RELIABILITY = ("confidence", "hole", "ones", "none")
_FACTORS = (1, 2, 4, 8, 8)  # channels at scale 0, 1, ..., in widths
_STRIDE = 2 ** SCALES[0]


class Generator(nn.Module):
  """SGE-Net, SG-Net and Basic-Net; the defaults are SGE-Net.

  Attributes:
    num_classes: K, of the segmentation.
    width: channels at full size; at half 2, then 4, 8 and 8 times it.
    dilations: of the blocks of the CIM.
    guided: the predicted segmentation modulates the next scale (SGIM); False
      makes Basic-Net, in which only the losses read it.
    reliability: what the bias-net of SGIM+ reads: "confidence" (SCEM, eq. 4),
      or, to control for its weights, "hole" (all of the hole unreliable at
      every scale) or "ones" (nothing unreliable); "none" has no bias-net
      (SG-Net).
    segmentation: predict one; False leaves out branch g.
    unreliable: share of the hole that SCEM calls unreliable at scales 3, 2 and
      1; at scale 4 it is all of it, as in figure 8.
    share_of: "hole" or "image"; see scem.py.
    spade_hidden: hidden channels of SPADE.
    base_width: widens the base-nets; at 2 SG-Net has SGE-Net's size.
    normalization: "instance", behind the encoder's convolutions but the first,
      in the CIM and before modulation; or "none".
    deviation: of the normal distribution that kernels are drawn from; without
      norms they are drawn as He et al. do.
    dtype: of the computation; parameters, norms and outputs are float32.
  """

  num_classes: int
  width: int = 64
  dilations: Sequence[int] = (2, 2, 4, 4, 8, 8)
  guided: bool = True
  reliability: str = "confidence"
  segmentation: bool = True
  unreliable: Sequence[float] = (0.75, 0.5, 0.25)
  share_of: scem.ShareOf = "hole"
  spade_hidden: int = 128
  base_width: int = 1
  normalization: str = "instance"
  deviation: float = 0.02
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self,
    image: chex.Array,
    mask: chex.Array,
    segmentation: chex.Array | None = None,
    *,
    train: bool = False,
  ) -> Outputs:
    """Fills the hole; what `image` holds inside it is not looked at.

    Args:
      image: [B, H, W, 3] in [-1, 1], H and W multiples of 16.
      mask: [B, H, W, 1], 1 = hole.
      segmentation: int [B, H, W], classes that somebody knows, 255 = not said;
        they take the place of the predicted ones as guidance. SCEM goes on
        judging the prediction.
      train: without effect; every system's networks take it.

    Returns:
      All float32. Of scale l = 4 ... 1, at H / 2^l x W / 2^l, and without a
      number of scale 0: "image_l" [B, h, w, 3] in [-1, 1], the raw prediction;
      "segmentation_logits_l" [B, h, w, K]; "confidence_l" [B, h, w], the
      probability of the likeliest class; and with a bias-net "reliability_l"
      [B, h, w], what it reads. "reliability" is that of scale 1, enlarged.

    Raises:
      UserError: H or W is no multiple of 16, or a field has no such value.
    """
    del train
    self._check(image, mask)
    normalize = self.normalization == "instance"
    conv = self._conv(normalize)
    norm = InstanceNorm if normalize else None
    holed = jnp.concatenate([image * (1 - mask), mask], -1)
    skips = self._encode(conv, norm, holed)
    x = skips[-1]
    for i, dilation in enumerate(self.dilations):
      block = ResidualBlock(dilation, norm, conv, name=f"cim_{i}")
      x = block(x)
    outputs: Outputs = {}
    for scale in SCALES[:-1]:
      outputs |= self._heads(conv, x, scale)
      guidance = self._guidance(outputs, segmentation, scale)
      reliable = self._reliability(outputs, mask, scale)
      if reliable is not None:
        outputs[name_at("reliability", scale)] = reliable
      x = SGIM(
        _FACTORS[scale - 1] * self.width,
        hidden=self.spade_hidden,
        base_width=self.base_width,
        mask_features=max(self.width // 2, 1),
        normalize=normalize,
        conv=conv,
        name=f"sgim_{scale - 1}",
      )(x, skips[scale - 1], guidance, reliable)
    if reliable is not None:
      outputs["reliability"] = upsample_nearest(reliable[..., None])[..., 0]
    return outputs | self._heads(conv, x, 0)

  def _check(self, image: chex.Array, mask: chex.Array) -> None:
    chex.assert_rank([image, mask], 4)
    chex.assert_equal_shape_prefix([image, mask], 3)
    height, width = image.shape[1:3]
    if height % _STRIDE or width % _STRIDE:
      raise UserError(
        f"SGE-Net cannot fill {height}x{width}: sides must be multiples of "
        f"{_STRIDE}; for a training set config.data.image_size"
      )
    for field, choices in (
      ("reliability", RELIABILITY),
      ("normalization", NORMALIZATIONS),
    ):
      check_choice(f"model.generator.{field}", getattr(self, field), choices)
    if len(self.unreliable) != len(SCALES) - 2:
      raise UserError(
        "config.model.generator.unreliable: give a share for scales 3, 2, 1"
      )
    needs_maps = self.guided or self.reliability == "confidence"
    if needs_maps and not self.segmentation:
      raise UserError(
        "config.model.generator.segmentation=False wants guided=False and a "
        "reliability other than 'confidence'"
      )

  def _conv(self, normalize: bool) -> Any:
    init = nn.initializers.normal(self.deviation)
    if not normalize:  # nothing else holds the size of what passes
      init = nn.initializers.he_normal()
    return functools.partial(Conv, kernel_init=init, dtype=self.dtype)

  def _encode(self, conv: Any, norm: Any, holed: jax.Array) -> list[jax.Array]:
    first, *others = (factor * self.width for factor in _FACTORS)
    return Encoder(
      stages=(
        Stage(first, kernel=7),
        *(Stage(n, kernel=4, stride=2, padding=1) for n in others),
      ),
      norm=norm,
      norm_from=1,  # up to there the picture's own colours are kept
      act=activation,
      conv=conv,
      name="encoder",
    )(holed)

  def _heads(self, conv: Any, x: jax.Array, scale: int) -> Outputs:
    """Eq. 1: the branches h and g."""
    x = activation(x)
    picture = conv(3, (3, 3), name=f"image_{scale}")(x)
    outputs = {name_at("image", scale): jnp.tanh(picture.astype(jnp.float32))}
    if self.segmentation:
      logits = conv(self.num_classes, (3, 3), name=f"segmentation_{scale}")(x)
      logits = logits.astype(jnp.float32)
      outputs[name_at("segmentation_logits", scale)] = logits
      outputs[name_at("confidence", scale)] = scem.confidence_of(
        jax.nn.softmax(logits)
      )
    return outputs

  def _guidance(
    self, outputs: Outputs, segmentation: chex.Array | None, scale: int
  ) -> jax.Array | None:
    """What modulates the next scale."""
    if not self.guided:
      return None
    logits = outputs[name_at("segmentation_logits", scale)]
    probabilities = jax.nn.softmax(logits)
    if segmentation is None:
      return probabilities
    return replace_segmentation(probabilities, segmentation)

  def _reliability(
    self, outputs: Outputs, mask: chex.Array, scale: int
  ) -> jax.Array | None:
    """What the bias-net of the next scale reads."""
    if self.reliability == "none":
      return None
    hole = hole_at(mask, 2**scale)[..., 0]
    if self.reliability == "ones":
      return jnp.ones_like(hole)
    if self.reliability == "hole" or scale == SCALES[0]:
      return 1.0 - hole
    return scem.reliability_of(
      outputs[name_at("confidence", scale)],
      hole,
      unreliable=self.unreliable[SCALES.index(scale) - 1],
      share_of=self.share_of,
    )
