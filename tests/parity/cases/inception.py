"""The Inception-v3 of FID against its PyTorch copy."""

from typing import Any

import flax.linen as nn
import jax

from sginpaint import convert
from tests.parity.golden import Golden
from tests.parity.layouts import nchw

# Golden's name of a pooled map: ours.
_BLOCKS = {
  "block0_64": "pool1",
  "block1_192": "pool2",
  "block2_768": "Mixed_6e",
}


def inception_fid(golden: Golden) -> dict[str, Any]:
  """Features, logits and the maps on the way."""
  module, variables = convert.from_torch("inception_fid", golden.params)

  @jax.jit
  def forward(variables: Any, image: jax.Array) -> Any:
    return module.apply(
      variables,
      2 * image - 1,
      capture_intermediates=_is_first,
      mutable=["intermediates"],
    )

  outputs, state = forward(variables, golden.image())
  first = state["intermediates"]["Conv2d_1a_3x3"]["__call__"][0]
  maps = {name: x for name, x in outputs.items() if x.ndim == 4}
  features = outputs["features"]
  return {
    **{f"mid/{name}": nchw(x) for name, x in maps.items()},
    **{f"out/{name}": nchw(outputs[ours]) for name, ours in _BLOCKS.items()},
    "mid/Conv2d_1a_3x3": nchw(first),
    "out/block3_2048": features[:, :, None, None],
    "out/pool3_features": features,
    "out/logits_1008": outputs["logits"],
  }


def _is_first(module: nn.Module, _: str) -> bool:
  return module.name == "Conv2d_1a_3x3"
