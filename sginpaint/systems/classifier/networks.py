"""Networks that can be trained as multi-label classifiers.

Each takes images [B, H, W, 3] in [-1, 1] with `train` and returns a dict with
`logits` [B, A] beside its features.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn

from sginpaint.backbones.resnet import ResNet
from sginpaint.backbones.tresnet import TResNet
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError

NETWORKS: Mapping[str, type[nn.Module]] = {
  "resnet": ResNet,
  "tresnet": TResNet,
  "vgg": VGG,
}


def build_network(
  name: str = "tresnet", *, num_classes: int, dtype: Any, **kwargs: Any
) -> nn.Module:
  """Builds the classifier `name`.

  Args:
    name: a key of `NETWORKS`.
    num_classes: size of `logits`.
    dtype: of the computation.
    **kwargs: fields of the network; lists stand for tuples.

  Raises:
    UserError: `name` is not known.
    TypeError: the network has no such field.
  """
  if name not in NETWORKS:
    raise UserError(
      f"config.model.generator.name {name!r} is not known; "
      f"use {' or '.join(NETWORKS)}"
    )
  fields: dict[str, Any] = {
    k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()
  }
  return NETWORKS[name](num_classes=num_classes, dtype=dtype, **fields)
