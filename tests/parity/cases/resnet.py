"""ResNet-50 against torchvision, serving and training."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from sginpaint import convert
from tests.parity.golden import Golden
from tests.parity.layouts import nchw


def resnet50(golden: Golden) -> dict[str, Any]:
  """Maps of every stage, logits, and the statistics after one training pass."""
  module, variables = convert.from_torch("resnet50", golden.params)
  image = 2 * golden.image() - 1
  outputs, captured = jax.jit(
    lambda *args: module.apply(*args, capture_intermediates=True)
  )(variables, image)

  def inside(*path: str) -> jax.Array:
    node = captured["intermediates"]
    for part in path:
      node = node[part]
    return node["__call__"][0]

  normed = inside("bn1")
  pool = nn.max_pool(nn.relu(normed), (3, 3), (2, 2), ((1, 1), (1, 1)))
  maps = {
    "conv1": inside("conv1"),
    "bn1": normed,
    "maxpool": pool,
    "layer1.0.conv2": inside("layer1_0", "conv2"),
    "layer2.0": inside("layer2_0"),
    **{f"layer{i}": outputs[f"layer{i}"] for i in range(1, 5)},
    "avgpool": outputs["features"][:, None, None],
  }
  trained, state = jax.jit(
    lambda *args: module.apply(*args, train=True, mutable=["batch_stats"])
  )(variables, image)
  statistics = convert.to_torch("resnet50", state)
  return {
    "out/logits": outputs["logits"],
    "out/train_logits": trained["logits"],
    **{f"mid/{key}": nchw(value) for key, value in maps.items()},
    **{f"state/{key}": np.asarray(x) for key, x in statistics.items()},
  }
