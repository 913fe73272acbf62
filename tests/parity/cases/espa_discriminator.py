"""ESPA's published discriminator and two losses against PyTorch."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.layers.normalization import instance_norm
from sginpaint.losses import adversarial
from tests.parity.golden import Golden
from tests.parity.layouts import nchw
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]


def espa_discriminator(golden: Golden) -> Arrays:
  """Logits, every layer of the real pictures, losses and a gradient."""
  module, variables = convert.from_torch("espa_discriminator", golden.params)
  real, fake = np.split(2 * golden.image() - 1, 2)

  @jax.jit
  def forward(variables: Any, image: Any) -> Any:
    (logits, features), state = module.apply(
      variables, image, capture_intermediates=True, mutable=["intermediates"]
    )
    mids = state["intermediates"]["patch"]["conv_0"]["__call__"][0]
    return logits, features, mids

  (a, features, first), (b, *_) = (
    forward(variables, image) for image in (real, fake)
  )
  padded = jnp.pad(features[3], ((0, 0), (1, 0), (1, 0), (0, 0)))
  maps = {
    "out/real": a,
    "out/fake": b,
    "mid/model0": first,
    "mid/model1": instance_norm(first),
    **{f"mid/model{3 * i + 2}": features[i] for i in range(4)},
    "mid/model12": padded,
  }
  gradient = wide_gradient(
    lambda *args: _losses(wide(module), *args)["lsgan_d"], variables, real, fake
  )
  named = convert.to_torch("espa_discriminator", gradient)
  losses = _losses(module, variables, real, fake)
  return {
    **{name: nchw(value) for name, value in maps.items()},
    **{f"loss/{name}": value for name, value in losses.items()},
    **{f"grad/{name}": value for name, value in named.items()},
  }


def _losses(module: nn.Module, variables: Any, real: Any, fake: Any) -> Arrays:
  a, b = (module.apply(variables, image)[0] for image in (real, fake))
  values = {
    "lsgan_d": adversarial.discriminator_loss(a, b, kind="least_squares"),
    "lsgan_g": adversarial.generator_loss(b, kind="least_squares"),
    # The golden adds the two halves of this one, and averages those above.
    "hinge_d": 2 * adversarial.discriminator_loss(a, b, kind="hinge"),
  }
  return {name: jnp.mean(value) for name, value in values.items()}
