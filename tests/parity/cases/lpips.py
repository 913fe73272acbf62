"""LPIPS with both trunks against the authors' code."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.backbones.lpips import unit_vectors
from tests.parity.golden import Golden
from tests.parity.layouts import nchw
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]


def lpips_alex(golden: Golden) -> Arrays:
  """Distances, features and the gradient of the second picture."""
  return _distances("lpips_alex", golden)


def lpips_vgg(golden: Golden) -> Arrays:
  """Distances, features and the gradient of the second picture."""
  return _distances("lpips_vgg", golden)


def _distances(name: str, golden: Golden) -> Arrays:
  module, variables = convert.from_torch(name, golden.params)
  first, second = np.split(2 * golden.image() - 1, 2)
  near = 2 * golden.image("in/near_u8") - 1
  distance = jax.jit(module.apply)
  terms = module.apply(variables, first, second, method="terms")
  arrays = {
    "out/distance": distance(variables, first, second),
    "out/distance_near": distance(variables, first, near),
    "out/distance_self": distance(variables, first, first),
    **{f"out/layer{i}": terms[:, i] for i in range(terms.shape[1])},
  }
  # Their flag takes pictures in [0, 1]; ours are converted by the caller.
  arrays["out/distance_normalize_flag"] = arrays["out/distance"]
  maps = module.apply(variables, first, method="activations")
  for i, x in enumerate(maps):
    arrays[f"mid/feat{i}"] = nchw(x)
    arrays[f"mid/unit_feat{i}"] = nchw(unit_vectors(x))

  def total(second: Any, first: Any, variables: Any) -> jax.Array:
    return jnp.sum(wide(module).apply(variables, first, second))

  gradient = wide_gradient(total, second, first, variables)
  return {**arrays, "grad/image1": nchw(gradient)}
