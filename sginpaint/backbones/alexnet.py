"""Convolutions of AlexNet (Krizhevsky, arXiv 1404.5997), NHWC.

The trunk of LPIPS in its quickest form; the version of torchvision, with one
tower and 64 filters in the first layer. There is no classifier. Outputs on
[B, H, W, 3], sizes rounded as the strides have it:

  relu1 [B, H/4, W/4, 64]
  relu2 [B, H/8, W/8, 192]
  relu3 [B, H/16, W/16, 384]
  relu4 [B, H/16, W/16, 256]
  relu5 [B, H/16, W/16, 256]
"""

from collections.abc import Mapping, Sequence
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

# Per layer: kernel, stride, padding, and whether a pool stands in front.
_LAYERS = (
  (11, 4, 2, False),
  (5, 1, 2, True),
  (3, 1, 1, True),
  (3, 1, 1, False),
  (3, 1, 1, False),
)
# N of `features.N`.
_OFFICIAL = (0, 3, 6, 8, 10)


class AlexNet(nn.Module):
  """Five convolutions, each with its ReLU.

  Attributes:
    widths: their channels.
    dtype: of the computation; parameters stay float32.
  """

  widths: Sequence[int] = (64, 192, 384, 256, 256)
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, image: chex.Array) -> dict[str, jax.Array]:
    """Maps of [B, H, W, 3], which the caller has normalised; none are empty.

    Raises:
      ValueError: the picture is smaller than 31 pixels.
    """
    chex.assert_shape(image, (None, None, None, 3))
    if min(image.shape[1:3]) < 31:
      raise ValueError(f"a picture of {image.shape[1:3]} is too small: 31")
    x, outputs = image, {}
    for i, (layer, width) in enumerate(
      zip(_LAYERS, self.widths, strict=True), 1
    ):
      kernel, stride, padding, pool = layer
      if pool:
        x = nn.max_pool(x, (3, 3), (2, 2))
      x = nn.Conv(
        width,
        (kernel, kernel),
        strides=stride,
        padding=padding,
        dtype=self.dtype,
        name=f"conv{i}",
      )(x)
      x = outputs[f"relu{i}"] = nn.relu(x)
    return outputs


def convolution_rows(prefix: str) -> tuple[tuple[str, str, str], ...]:
  """Rows (PyTorch layer, `prefix` + Flax layer, kind) of the convolutions."""
  return tuple(
    (f"features.{index}", f"{prefix}conv{i}", "conv")
    for i, index in enumerate(_OFFICIAL, 1)
  )


def read_widths(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
  """Channels of each layer, off the shapes of the official tensors."""
  return tuple(shapes[f"features.{i}.weight"][0] for i in _OFFICIAL)
