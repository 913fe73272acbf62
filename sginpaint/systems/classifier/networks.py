"""Networks that can be trained as multi-label classifiers.

Each takes images [B, H, W, 3] in [-1, 1] with `train` and returns a dict with
`logits` [B, A] beside its features.
"""

from typing import Any

import flax.linen as nn

from sginpaint.backbones.tresnet import TResNet
from sginpaint.errors import UserError


def build_network(
  name: str = "tresnet", *, num_classes: int, dtype: Any, **kwargs: Any
) -> nn.Module:
  """Builds the classifier `name`.

  Args:
    name: only "tresnet" so far.
    num_classes: size of `logits`.
    dtype: of the computation.
    **kwargs: fields of the network; lists stand for tuples.

  Raises:
    UserError: `name` is not known.
    TypeError: the network has no such field.
  """
  if name != "tresnet":
    raise UserError(
      f"config.model.generator.name {name!r} is not known; use tresnet"
    )
  fields: dict[str, Any] = {
    k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()
  }
  return TResNet(num_classes=num_classes, dtype=dtype, **fields)
