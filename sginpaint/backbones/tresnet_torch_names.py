"""What the published TResNet checkpoints call the tensors of `tresnet.TResNet`.

Data for `sginpaint.convert`: rows of (PyTorch layer, Flax layer, kind of
layer), `{}` standing for the same index on both sides. Where a convolution is
followed by a blurred stride the official names have one level more; the first
row that fits counts, so these stand first.

- `TRUNK`: up to stage 2, which teaches SPL. Reads SPL's checkpoints, where it
  is `tresnet_xL_hold.body...`, and the files of the whole classifier.
- `CLASSIFIER`: the whole of it, with either head: `head.fc` (COCO) or
  `head.fc.embedding_generator.0` and `head.fc.FC` (Open Images).
"""

from collections.abc import Mapping
from typing import Any, Literal

from sginpaint.backbones.resnet import blocks_of
from sginpaint.backbones.tresnet import TResNet

Shapes = Mapping[str, tuple[int, ...]]

# Where the stride of a stage's first block is.
_STRIDED = (
  ("body.layer2.0.conv1.0", "layer2_0/conv1"),
  ("body.layer3.0.conv2.0", "layer3_0/conv2"),
  ("body.layer4.0.conv2.0", "layer4_0/conv2"),
)

_BODY = (
  *(
    row
    for theirs, ours in (
      ("body.conv1", "conv1"),
      *_STRIDED,
      ("body.layer{}.{}.conv{}", "layer{}_{}/conv{}"),
      ("body.layer{}.{}.downsample.1", "layer{}_{}/downsample/1"),
    )
    for row in (
      (f"{theirs}.0", f"{ours}/conv", "conv"),
      (f"{theirs}.1", f"{ours}/norm", "batch_norm"),
    )
  ),
  ("body.layer{}.{}.se.fc{}", "layer{}_{}/se/fc{}", "conv"),
)

_HEAD = (
  ("head.fc", "head_fc", "dense"),
  ("head.fc.embedding_generator.0", "head_fc_embedding", "dense"),
  ("head.fc.FC", "head_fc_FC", "dense"),
)

_WRAPPERS: dict[str, Any] = {
  "inputs": ((1, 32, 32, 3),),
  "prefix": "tresnet_xL_hold",
  # The other parts of SPL's training model.
  "siblings": (
    "generator",
    "discriminator",
    "tresnet_xL_hold",
    "adversarial_loss",
  ),
}


def _blocks(shapes: Shapes, stage: int) -> int:
  return blocks_of(shapes, f"body.layer{stage}")


def build_trunk(shapes: Shapes) -> TResNet:
  """The first two stages that tensors of these shapes belong to."""
  return TResNet(
    num_classes=0,
    width=shapes["body.conv1.0.weight"][0],
    layers=(_blocks(shapes, 1), _blocks(shapes, 2), 0, 0),
    last_layer=2,
  )


def build_classifier(shapes: Shapes) -> TResNet:
  """The whole network that tensors of these shapes belong to."""
  last: str = "head.fc.weight"
  head: Literal["linear", "bottleneck"] = "linear"
  if any(name.startswith("head.fc.embedding_generator.") for name in shapes):
    last, head = "head.fc.FC.weight", "bottleneck"
  return TResNet(
    num_classes=shapes[last][0],
    width=shapes["body.conv1.0.weight"][0],
    layers=(
      _blocks(shapes, 1),
      _blocks(shapes, 2),
      _blocks(shapes, 3),
      _blocks(shapes, 4),
    ),
    head=head,
  )


TRUNK: dict[str, Any] = {
  "layers": _BODY,
  "build": build_trunk,
  "ignored": ("body.layer3.*", "body.layer4.*", "head.*"),
  **_WRAPPERS,
}

CLASSIFIER: dict[str, Any] = {
  "layers": (*_BODY, *_HEAD),
  "build": build_classifier,
  **_WRAPPERS,
}
