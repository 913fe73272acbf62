"""ESPA's generator: autoencoder and semantic decoder under one roof.

One module, whichever stage is trained, so that a stage starts from the last
one's checkpoint: parameters "autoencoder" and "decoder" lie side by side. Yu et
al., "Interactive Image Inpainting Using Semantic Guidance" (figure 1).
"""

from collections.abc import Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import one_hot_segmentation
from sginpaint.errors import UserError
from sginpaint.systems.espa.autoencoder import Autoencoder
from sginpaint.systems.espa.decoder import SemanticDecoder


class Generator(nn.Module):
  """Coarse picture and features, then the picture that a label map asks for.

  Attributes:
    autoencoder: fields of `Autoencoder`.
    decoder: fields of `SemanticDecoder`; None in stage 1, which has none.
    num_classes: K, classes of the label map; the decoder alone needs them.
    dtype: of the computation; parameters and outputs are float32.
  """

  autoencoder: Mapping[str, Any]
  decoder: Mapping[str, Any] | None = None
  num_classes: int = 0
  dtype: Any = jnp.float32

  def setup(self) -> None:
    self._first = Autoencoder(
      **self.autoencoder, dtype=self.dtype, name="autoencoder"
    )
    if self.decoder is not None:
      self._second = SemanticDecoder(
        **self.decoder, dtype=self.dtype, name="decoder"
      )

  def __call__(
    self,
    image: chex.Array,
    mask: chex.Array,
    segmentation: chex.Array | None = None,
    *,
    train: bool = False,
  ) -> dict[str, jax.Array]:
    """Both stages; what `image` holds inside the hole is not looked at.

    Args:
      image: [B, H, W, 3] in [-1, 1], H and W multiples of 4.
      mask: [B, H, W, 1], 1 = hole.
      segmentation: int [B, H, W], see `decode`; without decoder not read.
      train: moves the decoder's spectral norms.

    Returns:
      What `encode` returns, and "image" [B, H, W, 3], the final picture;
      without decoder it is the coarse one.

    Raises:
      UserError: H or W is no multiple of 4.
      ValueError: there is a decoder, but no segmentation.
    """
    outputs = self.encode(image, mask)
    if self.decoder is None:
      return {**outputs, "image": outputs["coarse"]}
    if segmentation is None:
      raise ValueError("ESPA's semantic decoder needs a segmentation")
    final = self.decode(outputs["features"], segmentation, train=train)
    return {**outputs, "image": final}

  def encode(self, image: chex.Array, mask: chex.Array) -> dict[str, jax.Array]:
    """Stage 1 alone, which no label map changes.

    Returns:
      "coarse" [B, H, W, 3] in [-1, 1] and "features" [B, H/4, W/4, C].

    Raises:
      UserError: H or W is no multiple of 4.
    """
    height, width = image.shape[1:3]
    if height % 4 or width % 4:
      raise UserError(
        f"ESPA cannot take pictures of {height} x {width}: choose "
        "config.data.image_size, or sides, that are multiples of 4"
      )
    outputs = self._first(image, mask)
    return {"coarse": outputs["image"], "features": outputs["features"]}

  def decode(
    self,
    features: chex.Array,
    segmentation: chex.Array,
    *,
    train: bool = False,
  ) -> jax.Array:
    """Stage 2 alone (eq. 7).

    Args:
      features: [B, H/4, W/4, C] out of `encode`.
      segmentation: int [B, H, W], class index or 255 where nothing is said.
      train: moves the spectral norms.

    Returns:
      [B, H, W, 3] in [-1, 1].
    """
    chex.assert_rank(segmentation, 3)
    one_hot = one_hot_segmentation(segmentation, self.num_classes)
    return self._second(features, one_hot, train=train)
