"""BiSeNet against zllrunning/face-parsing.PyTorch."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from sginpaint import convert
from tests.parity.golden import Golden
from tests.parity.layouts import nchw

_INSIDE = {
  "conv_avg": "conv_avg",
  "arm16": "arm16",
  "arm32": "arm32",
  "conv_head16": "conv_head16",
  "conv_head32": "conv_head32",
  "ffm": "ffm",
  "logits8": "conv_out",
  "logits16": "conv_out16",
  "logits32": "conv_out32",
}


def bisenet(golden: Golden) -> dict[str, Any]:
  """The three heads' logits, labels, and the maps on the way."""
  module, variables = convert.from_torch("bisenet", golden.params)
  outputs, captured = jax.jit(
    lambda *args: module.apply(*args, capture_intermediates=True)
  )(variables, 2 * golden.image() - 1)
  nodes = captured["intermediates"]
  stages = nodes["resnet"]["__call__"][0]
  normed = nodes["resnet"]["bn1"]["__call__"][0]
  maps = {
    "maxpool": nn.max_pool(nn.relu(normed), (3, 3), (2, 2), ((1, 1), (1, 1))),
    "layer1": stages["layer1"],
    "feat8": stages["layer2"],
    "feat16": stages["layer3"],
    "feat32": stages["layer4"],
    **{key: nodes[ours]["__call__"][0] for key, ours in _INSIDE.items()},
  }
  main = np.asarray(outputs["segmentation_logits"])
  two = np.sort(main, axis=-1)[..., -2:]
  aux16, aux32 = outputs["auxiliary"]
  return {
    "out/main": nchw(main),
    "out/aux16": nchw(aux16),
    "out/aux32": nchw(aux32),
    "out/argmax": main.argmax(-1).astype(np.uint8),
    "out/argmax_min_margin": (two[..., 1] - two[..., 0]).min(),
    **{f"mid/{key}": nchw(value) for key, value in maps.items()},
  }
