"""ESPA's stage-1 generator against the published PyTorch code."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.losses import reconstruction
from tests.parity.cases.espa_attention import attention_arrays
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]

# Name in the golden: our layer, in front of its activation.
_CONVOLUTIONS = {
  "conv1": "encoder/conv_0",
  "conv2_down": "encoder/conv_1",
  "conv6": "encoder/conv_5",
  "conv7": "dilated_0",
  "conv10": "dilated_3",
  "conv11": "fuse_0",
  "conv14": "decoder_1",
  "conv16": "decoder_3",
}
_ATTENTION = {
  "espa_norm": "norm_NWHC",
  "espa_k_gelu": "k_hidden",
  "espa_k": "k_out_(NW)HC",
  "espa_v": "v_out_(NH)WC",
}


def espa_generator_small(golden: Golden) -> Arrays:
  """A wide network at 64 x 64."""
  return _generator(golden)


def espa_generator_256(golden: Golden) -> Arrays:
  """The published width at the published size."""
  return _generator(golden)


def _generator(golden: Golden) -> Arrays:
  """Forward, intermediates, the loss and its gradients."""
  module, variables = convert.from_torch("espa_autoencoder", golden.params)
  image = 2 * golden.image() - 1
  mask = nhwc(golden.input("in/mask")).astype(np.float32)
  outputs, state = jax.jit(
    lambda v: module.apply(
      v, image, mask, capture_intermediates=True, mutable=["intermediates"]
    )
  )(variables)

  def loss(variables: Any, image: Any, mask: Any) -> jax.Array:
    outputs = wide(module).apply(variables, image, mask)
    return jnp.mean(reconstruction.l1(outputs["image"], image))

  return {
    "in_check/masked_image": nchw(image * (1 - mask)),
    "out/image": nchw(outputs["image"]),
    "out/feature": nchw(outputs["features"]),
    **_intermediates(state["intermediates"]["autoencoder"]),
    "loss/l1": jnp.mean(reconstruction.l1(outputs["image"], image)),
    **_gradients(golden, loss, variables, image, mask),
  }


def _intermediates(mids: Any) -> Arrays:
  def at(path: str) -> Any:
    node = mids
    for part in path.split("/"):
      node = node[part]
    return node["__call__"][0]

  maps = {name: nn.elu(at(path)) for name, path in _CONVOLUTIONS.items()}
  maps["subcontext"], maps["espa"] = at("context"), at("attention")
  maps["conv17_preclamp"] = at("output")
  arrays = {f"mid/{name}": nchw(value) for name, value in maps.items()}
  inner = attention_arrays(mids["attention"])
  for name, ours in _ATTENTION.items():
    arrays[f"mid/{name}"] = inner[f"mid/{ours}"]
  clamped = np.abs(arrays["mid/conv17_preclamp"]) > 1
  return arrays | {"mid/clamped_fraction": np.mean(clamped)}


def _gradients(
  golden: Golden, loss: Callable, variables: Any, *inputs: Any
) -> Arrays:
  """Gradients of the parameters that the golden names, and of no others."""
  locate = convert.source("espa_autoencoder").locate
  flat = flax.traverse_util.flatten_dict(variables, sep="/")
  wanted = {
    path: value
    for path, value in flat.items()
    if f"grad/{locate(path)[0]}" in golden.arrays
  }

  def function(wanted: Any, flat: Any, *inputs: Any) -> jax.Array:
    tree = flax.traverse_util.unflatten_dict({**flat, **wanted}, sep="/")
    return loss(tree, *inputs)

  gradient = wide_gradient(function, wanted, flat, *inputs)
  tree = flax.traverse_util.unflatten_dict(gradient, sep="/")
  named = convert.to_torch("espa_autoencoder", tree)
  return {f"grad/{name}": value for name, value in named.items()}
