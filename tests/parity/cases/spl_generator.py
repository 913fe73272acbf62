"""SPL's generator and its losses against the published PyTorch code."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.layers.convolution import conv_general_dilated
from sginpaint.layers.resampling import pixel_shuffle
from sginpaint.losses import adversarial, distillation, reconstruction
from sginpaint.systems.spl import networks
from sginpaint.systems.spl import region_norm as rn
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]
# What the published training script uses; the paper has delta = 5.
_ALPHA, _DELTA, _L1_WEIGHT = 3.0, 2.0, 10.0


def _ours(image: jax.Array) -> jax.Array:
  """[0, 1], the range of the goldens, to [-1, 1]."""
  return 2 * image - 1


def _losses(outputs: Arrays, logits: jax.Array, truth: Arrays) -> Arrays:
  weight = reconstruction.hole_weight(truth["mask"], _DELTA)
  predicted = (outputs["image"] + 1) / 2
  image = reconstruction.l1(predicted, truth["image"], weight=weight)
  prior = distillation.prior_loss(
    outputs["prior"], truth["teacher"], truth["mask"], alpha=_ALPHA
  )
  losses = {
    "gan": adversarial.generator_loss(logits),
    "l1_weighted": image,
    "feature_prior": prior,
    "g_total": _L1_WEIGHT * image + prior + adversarial.generator_loss(logits),
  }
  return {name: jnp.mean(value) for name, value in losses.items()}


def spl_generator(golden: Golden) -> Arrays:
  """Forward, every intermediate, the losses and their gradients."""
  generator, variables = convert.from_torch("spl_generator", golden.params)
  discriminator, judge = convert.from_torch("spl_discriminator", golden.params)
  truth = {
    "image": golden.image(),
    "mask": nhwc(golden.input("in/mask")).astype(np.float32),
    "teacher": nhwc(golden.input("in/teacher_features")),
  }

  @jax.jit
  def forward(variables: Any) -> Any:
    outputs, state = generator.apply(
      variables,
      _ours(truth["image"]),
      truth["mask"],
      capture_intermediates=True,
      mutable=["intermediates"],
    )
    logits, _ = discriminator.apply(judge, outputs["image"])
    return outputs, state["intermediates"], _losses(outputs, logits, truth)

  def total(variables: Any, judge: Any, image: Any, mask: Any) -> Any:
    outputs = wide(generator).apply(variables, _ours(image), mask)
    logits, _ = wide(discriminator).apply(judge, outputs["image"])
    return _losses(outputs, logits, truth)["g_total"]

  outputs, mids, losses = forward(variables)
  inputs = judge, truth["image"], truth["mask"]
  return {
    **_outputs(outputs, truth),
    **_intermediates(mids, outputs),
    **{f"loss/{name}": value for name, value in losses.items()},
    **_gradients(golden, total, variables, *inputs),
  }


def _outputs(outputs: Arrays, truth: Arrays) -> Arrays:
  picture = networks.white_holes(_ours(truth["image"]), truth["mask"])
  doubled = networks.semantic_input(picture, truth["mask"])
  image = (outputs["image"] + 1) / 2
  composite = image * truth["mask"] + truth["image"] * (1 - truth["mask"])
  return {
    "in_check/masked_sem": nchw(doubled[..., :3]),
    "out/image": nchw(image),
    "out/features": nchw(outputs["prior"]),
    "out/composite": nchw(composite),
  }


def _gradients(
  golden: Golden, total: Callable, variables: Any, *inputs: Any
) -> Arrays:
  """Gradients of the parameters that the golden names, and of no others."""
  flat = flax.traverse_util.flatten_dict(variables, sep="/")
  locate = convert.source("spl_generator").locate
  wanted = {
    path: value
    for path, value in flat.items()
    if f"grad/generator.{locate(path)[0]}" in golden.arrays
  }

  def function(wanted: Any, flat: Any, *inputs: Any) -> jax.Array:
    tree = flax.traverse_util.unflatten_dict({**flat, **wanted}, sep="/")
    return total(tree, *inputs)

  gradient = wide_gradient(function, wanted, flat, *inputs)
  tree = flax.traverse_util.unflatten_dict(gradient, sep="/")
  named = convert.to_torch("spl_generator", tree)
  return {f"grad/generator.{name}": value for name, value in named.items()}


def _intermediates(mids: Any, outputs: Arrays) -> Arrays:
  """Names of the golden for what Flax's `capture_intermediates` caught."""

  def at(path: str) -> Any:
    node = mids
    for part in path.split("/"):
      node = node[part]
    return node["__call__"][0]

  learner = mids["learner"]
  dense_input = at("learner/dense_input")
  kernel, bias = at("learner/dense_0/conv_0")
  first = conv_general_dilated(dense_input, kernel, (1, 1), "SAME") + bias
  maps = {
    "enc_conv1": at("image_encoder/conv_0"),
    "enc_rn1": at("image_encoder/norm_0"),
    "enc_rn2": at("image_encoder/norm_1"),
    "enc_out": at("image_encoder")[-1],
    "sem_enc_out": at("learner/encoder")[-1],
    "sem_skip0": dense_input,
    "rdb0_dense0": jnp.concatenate([dense_input, nn.relu(first)], -1),
    "gff": at("learner/fuse_1"),
    "layout": outputs["features"],
    "dec_shuffle1": pixel_shuffle(at("decoder/conv_0"), 2),
    "dec_pretanh": at("decoder"),
  }
  for name, path in (("rdb", "dense_"), ("recon", "residual_")):
    for key in learner:
      index = key.removeprefix(path)
      if index.isdigit():
        maps[f"{name}{index}"] = at(f"learner/{key}")
  for key in mids:
    index = key.removeprefix("block_")
    if index.isdigit():
      maps[f"middle{index}"] = at(key)
      maps[f"middle{index}_spade0"] = at(f"{key}/spade_0")
  arrays = {}
  for i in (1, 2):
    affine = at(f"decoder/norm_{i - 1}/affine")
    maps |= {f"dec_sa{i}.{j}": value for j, value in enumerate(affine)}
    maps[f"dec_rnl{i}"] = at(f"decoder/norm_{i - 1}")
    arrays |= _threshold(f"rnl{i}", affine[0])
  return arrays | {f"mid/{name}": nchw(value) for name, value in maps.items()}


def _threshold(name: str, importance: jax.Array) -> Arrays:
  margin = np.min(np.abs(np.asarray(importance) - rn.THRESHOLD))
  return {
    f"mid/{name}_mask": nchw(importance >= rn.THRESHOLD).astype(np.uint8),
    f"mid/{name}_threshold_margin": margin,
  }
