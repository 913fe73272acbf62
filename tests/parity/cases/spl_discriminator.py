"""SPL's discriminator, adversarial losses and spectral norm against PyTorch."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.losses import adversarial
from tests.parity.golden import Golden
from tests.parity.layouts import nchw
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]

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


def _score(module: nn.Module, variables: Any, image: Any) -> jax.Array:
  """Logits of a picture in [0, 1], the range of the goldens."""
  return module.apply(variables, 2 * image - 1)[0]


def _evaluation(module: nn.Module, variables: Any, real: np.ndarray) -> Arrays:
  logits, features = jax.jit(module.apply)(variables, 2 * real - 1)
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

  def losses(module: nn.Module, variables: Any, real: Any, fake: Any) -> Arrays:
    a, b = (_score(module, variables, image) for image in (real, fake))
    a, b = ((nn.sigmoid(x) if squash else factor * x) for x in (a, b))
    values = {
      "d_real": adversarial.real_loss(a, kind=kind),
      "d_fake": adversarial.fake_loss(b, kind=kind),
      "d": adversarial.discriminator_loss(a, b, kind=kind),
      "g": adversarial.generator_loss(b, kind=kind),
    }
    return {key: jnp.mean(value) for key, value in values.items()}

  def gradient(key: str, argnum: int) -> Any:
    return wide_gradient(
      lambda *args: losses(wide(module), *args)[key],
      variables,
      real,
      fake,
      argnums=argnum,
    )

  values = jax.jit(lambda *args: losses(module, *args))(variables, real, fake)
  return {
    **{f"loss/{name}_{key}": value for key, value in values.items()},
    **_named(f"grad/{name}/discriminator.", gradient("d", 0)),
    f"grad/{name}/g_wrt_fake": nchw(gradient("g", 2)),
  }


def _named(start: str, gradient: Any) -> Arrays:
  named = convert.to_torch("spl_discriminator", {"params": gradient["params"]})
  return {start + key: value for key, value in named.items()}


def _training(
  module: nn.Module, variables: Any, real: Any, fake: Any
) -> Arrays:
  """Real, then fake: each call moves the power iteration on."""

  def run(module: nn.Module, variables: Any, real: Any, fake: Any) -> Any:
    def call(state: Any, image: jax.Array) -> Any:
      return module.apply(
        {**variables, **state}, 2 * image - 1, train=True, mutable=list(state)
      )

    state = {"spectral_norm": variables["spectral_norm"]}
    (a, _), first = call(state, real)
    (b, _), _ = call(first, fake)
    return jnp.mean(adversarial.discriminator_loss(a, b)), (a, b, first)

  value, (a, b, first) = jax.jit(lambda *args: run(module, *args))(
    variables, real, fake
  )
  gradient = wide_gradient(
    lambda *args: run(wide(module), *args)[0], variables, real, fake
  )
  state = convert.to_torch("spl_discriminator", first)
  return {
    "out/train_prob_call1": nchw(nn.sigmoid(a)),
    "out/train_prob_call2": nchw(nn.sigmoid(b)),
    "loss/train_nsgan_d": value,
    **{f"state/call1/{key}": value for key, value in state.items()},
    **_named("grad/train_nsgan/discriminator.", gradient),
  }
