"""TResNet-L against its authors' PyTorch code, whole and as SPL stops it."""

from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.backbones import tresnet
from sginpaint.losses.classification import asymmetric_loss
from tests.parity.golden import Golden
from tests.parity.layouts import nchw
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]

# Golden's name: our submodule.
_LAYERS = {
  "stem_conv": "conv1/conv",
  "stem": "conv1",
  "l1b0_conv1": "layer1_0/conv1",
  "l1b0_conv2": "layer1_0/conv2",
  "l1b0_se": "layer1_0/se",
  "l1b0": "layer1_0",
  "l2b0_downsample": "layer2_0/downsample",
  "l2b0_conv1_preblur": "layer2_0/conv1/norm",
  "l2b0_conv1_blur": "layer2_0/conv1",
  "l2b0": "layer2_0",
  "l3b0_downsample": "layer3_0/downsample",
  "l3b0_conv1": "layer3_0/conv1",
  "l3b0_conv2_blur": "layer3_0/conv2",
  "l3b0_se": "layer3_0/se",
  "l3b0_conv3": "layer3_0/conv3",
  "l3b0": "layer3_0",
  "l4b0": "layer4_0",
}


def _forward(
  module: nn.Module, variables: Any, image: np.ndarray
) -> tuple[Arrays, Arrays]:
  """Outputs, and what every submodule put out, {"layer1_0/conv1": ...}."""

  @jax.jit
  def apply(variables: Any, image: jax.Array) -> Any:
    return module.apply(
      variables,
      2 * image - 1,
      capture_intermediates=True,
      mutable=["intermediates"],
    )

  outputs, state = apply(variables, image)
  flat = flax.traverse_util.flatten_dict(state["intermediates"], sep="/")
  inside = {
    name.removesuffix("/__call__"): value[0] for name, value in flat.items()
  }
  return outputs, inside


def _maps(outputs: Arrays, inside: Arrays) -> Arrays:
  """The `mid/` arrays that are maps, as far as the network goes."""
  stages = {name: outputs[name] for name in outputs if "layer" in name}
  blocks = {
    name: inside[ours] for name, ours in _LAYERS.items() if ours in inside
  }
  return {f"mid/{name}": nchw(x) for name, x in (stages | blocks).items()}


def spl_tresnet(golden: Golden) -> Arrays:
  """The first two stages, which teach SPL."""
  module, variables = convert.from_torch("tresnet_l_trunk", golden.params)
  image = golden.image()
  outputs, inside = _forward(module, variables, image)
  return {
    **_maps(outputs, inside),
    "mid/space_to_depth": nchw(tresnet.space_to_depth(image)),
    "out/features": nchw(outputs["layer2"]),
  }


def _classifier(golden: Golden) -> Arrays:
  """Logits, the asymmetric loss of the official training, its gradients."""
  module, variables = convert.from_torch("tresnet_l", golden.params)
  image = golden.image()
  targets = golden.input("in/targets").astype(np.float32)
  outputs, inside = _forward(module, variables, image)

  def loss(logits: jax.Array) -> jax.Array:
    terms = asymmetric_loss(
      logits, targets, gamma_negative=4.0, gamma_positive=0.0
    )
    return jnp.sum(terms)

  gradient = wide_gradient(
    lambda params: loss(
      wide(module).apply({**variables, "params": params}, 2 * image - 1)[
        "logits"
      ]
    ),
    variables["params"],
  )
  arrays = {
    **_maps(outputs, inside),
    "mid/embedding": outputs["features"],
    "out/logits": outputs["logits"],
    "loss/asl_train_config": loss(outputs["logits"]),
  }
  if "head_fc_embedding" in inside:
    arrays["mid/bottleneck"] = inside["head_fc_embedding"]
  named = convert.to_torch("tresnet_l", {"params": gradient})
  return arrays | {f"grad/{name}": value for name, value in named.items()}


def tresnet_l_coco(golden: Golden) -> Arrays:
  """The linear head, 80 classes."""
  return _classifier(golden)


def tresnet_l_openimages(golden: Golden) -> Arrays:
  """The bottleneck head, 9605 classes."""
  return _classifier(golden)
