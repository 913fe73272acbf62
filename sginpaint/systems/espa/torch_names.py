"""What ESPA's published PyTorch code calls the tensors of our networks.

Data for `sginpaint.convert`: rows of (PyTorch layer, Flax layer, kind of
layer). Only the networks of stage 1 and a discriminator were published, each
with a `state_dict` of its own.
"""

from collections.abc import Mapping
from typing import Any

from sginpaint.systems.espa.discriminator import Discriminator
from sginpaint.systems.espa.networks import Generator

Shapes = Mapping[str, tuple[int, ...]]

ATTENTION = (
  ("norm", "norm", "layer_norm"),
  ("ex_k.net.0", "height_first", "pointwise"),
  ("ex_k.net.2", "height_second", "pointwise"),
  ("ex_v.net.0", "width_first", "pointwise"),
  ("ex_v.net.2", "width_second", "pointwise"),
)

_CONVOLUTIONS = (
  ("convc", "context"),
  ("conv1.conv", "encoder/conv_0"),
  ("conv2_downsample.conv", "encoder/conv_1"),
  ("conv3.conv", "encoder/conv_2"),
  ("conv4_downsample.conv", "encoder/conv_3"),
  ("conv5.conv", "encoder/conv_4"),
  ("conv6.conv", "encoder/conv_5"),
  *((f"conv{7 + i}_atrous.conv", f"dilated_{i}") for i in range(4)),
  *((f"conv{11 + i}.conv", f"fuse_{i}") for i in range(2)),
  *((f"conv{13 + i}.conv", f"decoder_{i}") for i in range(4)),
  ("conv17.conv", "output"),
)


def build_generator(shapes: Shapes) -> Generator:
  """The generator of stage 1 that tensors of these shapes belong to."""
  width = shapes["conv1.conv.weight"][0]
  return Generator(autoencoder={"width": width, "attention": True})


def generator_inputs(shapes: Shapes) -> tuple[tuple[int, ...], ...]:
  """Picture and mask of the size that the attention is made for."""
  height, width = (
    4 * shapes[f"espa.{name}.net.0.weight"][1] for name in ("ex_k", "ex_v")
  )
  return (1, height, width, 3), (1, height, width, 1)


def build_discriminator(shapes: Shapes) -> Discriminator:
  """The discriminator that tensors of these shapes belong to."""
  return Discriminator(
    kind="official",
    widths=tuple(shapes[f"model.{i}.weight"][0] for i in (0, 3, 6, 9)),
  )


AUTOENCODER: dict[str, Any] = {
  "layers": (
    *((a, f"autoencoder/{b}", "conv") for a, b in _CONVOLUTIONS),
    *(
      (f"espa.{a}", f"autoencoder/attention/{b}", kind)
      for a, b, kind in ATTENTION
    ),
  ),
  "build": build_generator,
  "inputs": generator_inputs,
  "prefix": "generator",
  "siblings": ("generator", "discriminator"),
}

DISCRIMINATOR: dict[str, Any] = {
  "layers": tuple(
    (f"model.{3 * i + (i == 4)}", f"patch/conv_{i}", "conv") for i in range(5)
  ),
  "build": build_discriminator,
  "inputs": ((1, 64, 64, 3),),
  "prefix": "discriminator",
  "siblings": ("generator", "discriminator"),
}
