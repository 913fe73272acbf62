"""What pytorch-fid's checkpoint calls the tensors of `inception.Inception`.

Data for `sginpaint.convert`: rows of (PyTorch layer, Flax layer, kind of
layer), `{}` standing for the same index on both sides. Both sides use the
official names of the layers, so a row differs by its separator only:
`Mixed_5b.branch1x1.conv.weight` is `Mixed_5b/branch1x1/conv/kernel`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sginpaint.backbones.inception import (
  BLOCKS,
  MIDDLE,
  STEM,
  Block,
  Inception,
  Layer,
)


def _names(block: Block) -> Iterator[str]:
  """Of the layers of a block."""
  for branch in block.branches:
    for step in branch:
      fork = (step,) if isinstance(step, Layer) else step
      yield from (layer.name for layer in fork)
  if block.pool_layer:
    yield block.pool_layer.name


def _rows() -> Iterator[tuple[str, str, str]]:
  layers = [layer.name for layer in (*STEM, *MIDDLE)]
  for name, block in BLOCKS.items():
    layers += [f"{name}.{inside}" for inside in _names(block)]
  for layer in layers:
    ours = layer.replace(".", "/")
    yield f"{layer}.conv", f"{ours}/conv", "conv"
    yield f"{layer}.bn", f"{ours}/bn", "batch_norm"
  yield "fc", "fc", "dense"


def build(shapes: Mapping[str, tuple[int, ...]]) -> Inception:
  """The network that tensors of these shapes belong to."""
  return Inception(
    num_classes=shapes["fc.weight"][0],
    width=shapes["Conv2d_1a_3x3.conv.weight"][0],
  )


TORCH: dict[str, Any] = {
  "layers": tuple(_rows()),
  "build": build,
  "inputs": ((1, 299, 299, 3),),
  "prefix": "inception",
  # torchvision's classifier for training; it plays no part in the features.
  "ignored": ("AuxLogits.*",),
}
