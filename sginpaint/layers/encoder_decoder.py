"""Encoder and decoder: convolution, norm, activation, stage after stage.

The first thing every inpainting network here is made of. What differs between
networks (widths, kernel sizes, norm, activation, the way up) are fields; what
lies between encoder and decoder is the system's own. Layout [B, H, W, C].
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import chex
import flax.linen as nn
import jax

from sginpaint.layers.convolution import Conv
from sginpaint.layers.resampling import pixel_shuffle


@dataclasses.dataclass(frozen=True)
class Stage:
  """One convolution: `features` channels, square `kernel`, `stride`.

  Attributes:
    features: channels out.
    kernel: side of the kernel.
    stride: of the convolution.
    padding: pixels of zeros on each side, or "REFLECT" for as many mirrored
      ones as keep the size.
  """

  features: int
  kernel: int
  stride: int = 1
  padding: int | str = "REFLECT"


class Encoder(nn.Module):
  """A stack of strided convolutions, each followed by norm and activation.

  Attributes:
    stages: from the image inwards.
    norm: constructor of the norm after each convolution, or None. It is called
      as `norm(name=...)(x, *conditions)`.
    norm_from: first stage (counted from 0) that has one.
    act: activation after the norm.
    conv: convolution to use; carries dtype and initialiser.
  """

  stages: Sequence[Stage]
  norm: Callable[..., nn.Module] | None = None
  norm_from: int = 0
  act: Callable[[chex.Array], jax.Array] = nn.relu
  conv: Any = Conv

  @nn.compact
  def __call__(self, x: chex.Array, *conditions: chex.Array) -> list[jax.Array]:
    """Encodes [B, H, W, C]; `conditions` go to every norm.

    Returns:
      The output of every stage, the last one innermost, so that a decoder can
      be given skip connections.
    """
    outputs = []
    for i, stage in enumerate(self.stages):
      x = _convolve(self.conv, stage, name=f"conv_{i}")(x)
      if self.norm is not None and i >= self.norm_from:
        x = self.norm(name=f"norm_{i}")(x, *conditions)
      x = self.act(x)
      outputs.append(x)
    return outputs


class Decoder(nn.Module):
  """Pixel-shuffle upsampling by 2 per width, then one convolution to colour.

  Each step is a 3x3 convolution to four times the width, the shuffle, the norm
  and the activation; nothing follows the last convolution.

  Attributes:
    widths: channels after each upsampling, from the inside outwards.
    output: the last convolution.
    norm: constructor of the norm after each shuffle, or None.
    act: activation after the norm.
    conv: convolution to use; carries dtype and initialiser.
  """

  widths: Sequence[int]
  output: Stage
  norm: Callable[..., nn.Module] | None = None
  act: Callable[[chex.Array], jax.Array] = nn.relu
  conv: Any = Conv

  @nn.compact
  def __call__(self, x: chex.Array) -> jax.Array:
    """Decodes [B, h, w, C] to [B, h 2^n, w 2^n, output.features]."""
    for i, width in enumerate(self.widths):
      up = Stage(features=4 * width, kernel=3, padding=1)
      x = _convolve(self.conv, up, name=f"conv_{i}")(x)
      x = pixel_shuffle(x, 2)
      if self.norm is not None:
        x = self.norm(name=f"norm_{i}")(x)
      x = self.act(x)
    return _convolve(self.conv, self.output, name="output")(x)


def _convolve(conv: Any, stage: Stage, *, name: str) -> nn.Module:
  # An explicit symmetric padding: "SAME" pads strided convolutions one-sidedly.
  padding: Any = stage.padding
  if isinstance(padding, int):
    padding = ((padding, padding), (padding, padding))
  return conv(
    stage.features,
    (stage.kernel, stage.kernel),
    strides=stage.stride,
    padding=padding,
    name=name,
  )
