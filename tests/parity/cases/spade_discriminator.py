"""SPADE's multi-scale discriminator and its losses against PyTorch."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.layers.discriminators import halve
from sginpaint.losses import adversarial
from sginpaint.losses.feature_matching import feature_matching_loss
from tests.parity.golden import Golden
from tests.parity.layouts import nchw

Arrays = dict[str, Any]

_KINDS = {
  "hinge": "hinge",
  "ls": "least_squares",
  "original": "bce",
  "w": "wasserstein",
}
# What is differentiated: sums of losses.
_GRADIENTS = {
  "hinge_d": ("hinge_d_fake", "hinge_d_real"),
  "ls_d": ("ls_d_fake", "ls_d_real"),
  "feature_matching": ("feature_matching",),
}


def spade_discriminator(golden: Golden) -> Arrays:
  """Maps of every layer, losses and gradients, one call in training."""
  module, variables = convert.from_torch("spade_discriminator", golden.params)
  labels = jax.nn.one_hot(
    golden.input("in/labels"), golden.meta["config"]["label_nc"]
  )
  fake, real = (
    np.concatenate([labels, image], axis=-1)
    for image in np.split(2 * golden.image() - 1, 2)
  )
  both = np.concatenate([fake, real])
  arrays = {"mid/downsampled_input": nchw(halve(both))}
  for i, (_, features) in enumerate(jax.jit(module.apply)(variables, both)):
    for j, feature in enumerate(features):
      arrays[f"out/D{i}_model{j}"] = nchw(feature)
  weight = golden.meta["config"]["lambda_feat"]
  arrays |= _losses(module, variables, fake, real, weight)
  return arrays | _training(module, variables, both)


def _losses(
  module: nn.Module, variables: Any, fake: Any, real: Any, weight: float
) -> Arrays:
  """All losses, and the gradients of those in `_GRADIENTS`."""

  def losses(params: Any) -> dict[str, jax.Array]:
    fakes, reals = (
      module.apply({**variables, "params": params}, x) for x in (fake, real)
    )
    matching = feature_matching_loss(fakes, reals)
    values = {"feature_matching": weight * jnp.mean(matching)}
    for name, kind in _KINDS.items():
      for key, loss, scales in (
        ("d_fake", adversarial.fake_loss, fakes),
        ("d_real", adversarial.real_loss, reals),
        ("g", adversarial.generator_loss, fakes),
      ):
        logits = [logits for logits, _ in scales]
        term = adversarial.mean_over_scales(loss, logits, kind=kind)
        values[f"{name}_{key}"] = jnp.mean(term)
    return values

  @jax.jit
  def differentiate(params: Any) -> tuple[dict[str, jax.Array], dict[str, Any]]:
    values, pull_back = jax.vjp(losses, params)
    zeros = jax.tree.map(jnp.zeros_like, values)
    gradients = {}
    for name, terms in _GRADIENTS.items():
      row = {**zeros, **{term: jnp.ones(()) for term in terms}}
      gradients[name] = {"params": pull_back(row)[0]}
    return values, gradients

  values, gradients = differentiate(variables["params"])
  arrays = {f"loss/{name}": value for name, value in values.items()}
  for name, gradient in gradients.items():
    named = convert.to_torch("spade_discriminator", gradient)
    for key, value in named.items():
      arrays[f"grad/{name}/{key}"] = value
  return arrays


def _training(module: nn.Module, variables: Any, both: Any) -> Arrays:
  apply = jax.jit(module.apply, static_argnames=("train", "mutable"))
  results, state = apply(variables, both, train=True, mutable="spectral_norm")
  named = convert.to_torch("spade_discriminator", state)
  last = len(results[0][1]) - 1
  return {
    **{f"state/{key}": value for key, value in named.items()},
    **{
      f"out/train_D{i}_model{last}": nchw(logits)
      for i, (logits, _) in enumerate(results)
    },
  }
