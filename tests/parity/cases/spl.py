"""SPL's generator, discriminator and norms against the published PyTorch code."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.layers.normalization import SPADE
from sginpaint.layers.resampling import pixel_shuffle, resize_nearest
from sginpaint.losses import adversarial, distillation, reconstruction
from sginpaint.systems.spl import networks
from sginpaint.systems.spl import region_norm as rn
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc

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
    "g_total": _L1_WEIGHT * image
    + prior
    + adversarial.generator_loss(logits),
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
  def run(variables: Any) -> Any:
    def total(params: Any) -> Any:
      outputs, state = generator.apply(
        {"params": params},
        _ours(truth["image"]),
        truth["mask"],
        capture_intermediates=True,
        mutable=["intermediates"],
      )
      logits, _ = discriminator.apply(judge, outputs["image"])
      losses = _losses(outputs, logits, truth)
      return losses["g_total"], (outputs, state["intermediates"], losses)

    gradient, aux = jax.grad(total, has_aux=True)(variables["params"])
    return gradient, *aux

  gradient, outputs, mids, losses = run(variables)
  picture = networks.white_holes(_ours(truth["image"]), truth["mask"])
  doubled = networks.semantic_input(picture, truth["mask"])
  image = (outputs["image"] + 1) / 2
  composite = image * truth["mask"] + truth["image"] * (1 - truth["mask"])
  named = convert.to_torch("spl_generator", {"params": gradient})
  return {
    "in_check/masked_sem": nchw(doubled[..., :3]),
    "out/image": nchw(image),
    "out/features": nchw(outputs["prior"]),
    "out/composite": nchw(composite),
    **_intermediates(mids, outputs),
    **{f"loss/{name}": value for name, value in losses.items()},
    **{f"grad/generator.{name}": value for name, value in named.items()},
  }


def _intermediates(mids: Any, outputs: Arrays) -> Arrays:
  """Names of the golden for what Flax's `capture_intermediates` caught."""

  def at(path: str) -> Any:
    node = mids
    for part in path.split("/"):
      node = node[part]
    return node["__call__"][0]

  learner = mids["learner"]
  maps = {
    "enc_conv1": at("image_encoder/conv_0"),
    "enc_rn1": at("image_encoder/norm_0"),
    "enc_rn2": at("image_encoder/norm_1"),
    "enc_out": at("image_encoder")[-1],
    "sem_enc_out": at("learner/encoder")[-1],
    "sem_skip0": at("learner/dense_input"),
    "rdb0_dense0": jnp.concatenate(
      [at("learner/dense_input"), nn.relu(at("learner/dense_0/conv_0"))], -1
    ),
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


_KINDS = {
  # Golden's name: (ours, factor on the logits, take the sigmoid first).
  "nsgan": ("bce", 1.0, False),
  "lsgan": ("least_squares", 1.0, True),
  "hinge": ("hinge", 20.0, False),
}


def spl_discriminator(golden: Golden) -> Arrays:
  """Evaluation, three kinds of loss with gradients, two training calls."""
  module, variables = convert.from_torch("spl_discriminator", golden.params)
  real, fake = np.split(golden.image(), 2)
  arrays = _evaluation(module, variables, real)
  for name in _KINDS:
    arrays |= _adversarial(module, variables, real, fake, name)
  return arrays | _training(module, variables, real, fake)


def _evaluation(module: nn.Module, variables: Any, real: np.ndarray) -> Arrays:
  logits, features = jax.jit(module.apply)(variables, _ours(real))
  arrays = {"out/eval_prob": nchw(nn.sigmoid(logits))}
  for i, feature in enumerate(features, 1):
    arrays[f"mid/eval_conv{i}"] = nchw(feature)
    kernel = variables["params"]["patch"][f"conv_{i - 1}"]["kernel"]
    vectors = variables["spectral_norm"]["patch"][f"conv_{i - 1}"]
    arrays[f"mid/eval_sigma{i}"] = jnp.einsum(
      "hwio,hwi,o->", kernel, vectors["v"], vectors["u"]
    )
  return arrays


def _adversarial(
  module: nn.Module, variables: Any, real: Any, fake: Any, name: str
) -> Arrays:
  kind, factor, squash = _KINDS[name]

  def scores(params: Any, image: jax.Array) -> jax.Array:
    logits, _ = module.apply({**variables, "params": params}, _ours(image))
    return nn.sigmoid(logits) if squash else factor * logits

  def judge(params: Any) -> Any:
    a, b = scores(params, real), scores(params, fake)
    losses = {
      "d_real": adversarial.real_loss(a, kind=kind),
      "d_fake": adversarial.fake_loss(b, kind=kind),
      "d": adversarial.discriminator_loss(a, b, kind=kind),
    }
    losses = {key: jnp.mean(value) for key, value in losses.items()}
    return losses["d"], losses

  def fool(image: jax.Array) -> jax.Array:
    judged = scores(variables["params"], image)
    return jnp.mean(adversarial.generator_loss(judged, kind=kind))

  gradient, losses = jax.jit(jax.grad(judge, has_aux=True))(
    variables["params"]
  )
  losses["g"], image_gradient = jax.jit(jax.value_and_grad(fool))(fake)
  return {
    **{f"loss/{name}_{key}": value for key, value in losses.items()},
    **_gradients(f"grad/{name}/discriminator.", gradient),
    f"grad/{name}/g_wrt_fake": nchw(image_gradient),
  }


def _gradients(start: str, gradient: Any) -> Arrays:
  named = convert.to_torch("spl_discriminator", {"params": gradient})
  return {start + key: value for key, value in named.items()}


def _training(
  module: nn.Module, variables: Any, real: Any, fake: Any
) -> Arrays:
  def call(params: Any, state: Any, image: jax.Array) -> Any:
    return module.apply(
      {"params": params, "spectral_norm": state},
      _ours(image),
      train=True,
      mutable=["spectral_norm"],
    )

  @jax.jit
  def loss(params: Any) -> Any:
    (a, _), first = call(params, variables["spectral_norm"], real)
    (b, _), _ = call(params, first["spectral_norm"], fake)
    return jnp.mean(adversarial.discriminator_loss(a, b)), (a, b, first)

  (value, (a, b, first)), gradient = jax.jit(
    jax.value_and_grad(loss, has_aux=True)
  )(variables["params"])
  state = convert.to_torch("spl_discriminator", first)
  return {
    "out/train_prob_call1": nchw(nn.sigmoid(a)),
    "out/train_prob_call2": nchw(nn.sigmoid(b)),
    "loss/train_nsgan_d": value,
    **{f"state/call1/{key}": value for key, value in state.items()},
    **_gradients("grad/train_nsgan/discriminator.", gradient),
  }
