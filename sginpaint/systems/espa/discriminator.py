"""ESPA's patch discriminator: the paper's, and the one published.

The paper's is the 70x70 PatchGAN of pix2pix (Isola et al., CVPR 2017), with
instance norms from the second layer on. The published code
(Mark-Yu1/Interactive-Image-Inpainting) normalises the first layer too, halves
the map four times, hence 94x94, and pads it once more above and to the left in
front of the last layer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.errors import check_choice
from sginpaint.layers.discriminators import PatchDiscriminator

_KINDS: Mapping[str, Mapping[str, Any]] = {
  "patch70": {"last_stride": 1, "fields": {"instance_norm_from": 1}},
  "official": {
    "last_stride": 2,
    "fields": {
      "instance_norm_from": 0,
      "last_padding": (2, 1),
      "last_bias": False,
    },
  },
}


class Discriminator(nn.Module):
  """Scores the patches of a picture; it sees the picture and nothing else.

  Attributes:
    kind: "patch70" (paper) or "official" (published code).
    widths: channels of its layers but the last; four give the sizes of patches
      above.
    dtype: of the computation; logits are float32.
  """

  kind: str = "patch70"
  widths: Sequence[int] = (64, 128, 256, 512)
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> tuple[jax.Array, list[jax.Array]]:
    """Scores a picture [B, H, W, 3] in [-1, 1].

    Args:
      image: the picture.
      train: without effect; every system's networks take it.

    Returns:
      Logits [B, h, w, 1], with h = H/8 - 2 ("patch70") or H/16 ("official") and
      w alike, and the outputs of all layers, logits last.

    Raises:
      UserError: `kind` is not known.
    """
    check_choice("model.discriminator.kind", self.kind, _KINDS)
    kind = _KINDS[self.kind]
    return PatchDiscriminator(
      widths=tuple(self.widths),
      strides=(2,) * (len(self.widths) - 1) + (kind["last_stride"],),
      spectral=False,
      dtype=self.dtype,
      name="patch",
      **kind["fields"],
    )(image, train=train)
