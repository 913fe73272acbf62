"""SPL's region norms and SPADE, alone, with soft, empty and full masks."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.layers.normalization import SPADE
from sginpaint.layers.resampling import resize_nearest
from sginpaint.systems.spl import region_norm as rn
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc

Arrays = dict[str, Any]

_RN_B = {
  "foreground_gamma": "hole_gamma",
  "foreground_beta": "hole_beta",
  "background_gamma": "known_gamma",
  "background_beta": "known_beta",
}
_RN_L = {
  "sa.conv1": "affine/importance",
  "sa.gamma_conv": "affine/gamma",
  "sa.beta_conv": "affine/beta",
}
_SPADE = {
  "mlp_shared.0": "shared",
  "mlp_gamma": "gamma",
  "mlp_beta": "beta",
}


def _leaves(layers: dict[str, str]) -> dict[str, str]:
  """Rows of convolutions to rows of their tensors."""
  return {
    f"{theirs}.{a}": f"{ours}/{b}"
    for theirs, ours in layers.items()
    for a, b in (("weight", "kernel"), ("bias", "bias"))
  }


def _read(golden: Golden, layer: str, rows: dict[str, str]) -> Any:
  tree: Any = {}
  for theirs, ours in rows.items():
    value = golden.params.get(f"{layer}.{theirs}")
    if value is None:
      continue
    node = tree
    *parents, leaf = ours.split("/")
    for parent in parents:
      node = node.setdefault(parent, {})
    kernel = value.ndim == 4
    node[leaf] = value.transpose(2, 3, 1, 0) if kernel else value
  return tree


def _write(rows: dict[str, str], tree: Any) -> Arrays:
  arrays = {}
  for theirs, ours in rows.items():
    node = tree
    for part in ours.split("/"):
      node = node.get(part, {})
    if not isinstance(node, dict):
      value = np.asarray(node)
      arrays[theirs] = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
  return arrays


def spl_norms(golden: Golden) -> Arrays:
  """Outputs, intermediates and gradients of sum(output * probe)."""
  x, probe, guidance, mask = (
    nhwc(golden.input(f"in/{name}")) for name in ("x", "probe", "seg", "mask")
  )
  size = x.shape[1:3]
  arrays = {
    "mid/mask_resized": nchw(resize_nearest(mask, size)),
    "mid/seg_resized": nchw(resize_nearest(guidance, size)),
    "mid/rn_core": nchw(rn.region_norm(x, resize_nearest(mask, size))),
  }
  hidden = golden.params["spade.mlp_shared.0.weight"].shape[0]
  for layer, module, rows, more in (
    ("rn_b", rn.RegionNormBasic(), _RN_B, (mask,)),
    ("rn_l", rn.RegionNormLearned(), _leaves(_RN_L), ()),
    ("spade", SPADE(hidden), _leaves(_SPADE), (guidance,)),
  ):
    params = _read(golden, layer, rows)
    output, gradient = _probe(module, params, x, probe, more)
    arrays[f"out/{layer}"] = nchw(output)
    arrays[f"grad/{layer}/x"] = nchw(gradient[1])
    for name, value in _write(rows, gradient[0]).items():
      arrays[f"grad/{layer}/{name}"] = value
    if layer == "rn_l":
      arrays |= _importance(params["affine"], x)
  return arrays


def _probe(
  module: nn.Module, params: Any, x: Any, probe: Any, more: tuple
) -> tuple[jax.Array, Any]:
  def score(params: Any, x: jax.Array) -> Any:
    output = module.apply({"params": params}, x, *more)
    return jnp.sum(output * probe), output

  gradient, output = jax.jit(jax.grad(score, (0, 1), has_aux=True))(params, x)
  return output, gradient


def _importance(params: Any, x: Any) -> Arrays:
  maps = rn.ImportanceMap().apply({"params": params}, x)
  names: tuple[str, ...] = ("map", "gamma", "beta")
  arrays = {f"mid/sa_{n}": nchw(m) for n, m in zip(names, maps, strict=True)}
  margin = np.min(np.abs(np.asarray(maps[0]) - rn.THRESHOLD))
  arrays["mid/sa_threshold_margin"] = margin
  arrays["mid/sa_mask"] = nchw(maps[0] >= rn.THRESHOLD).astype(np.uint8)
  return arrays
