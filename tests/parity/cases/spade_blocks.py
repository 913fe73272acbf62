"""SPADE and its residual block against the published PyTorch code."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.convert.mapping import Source, read, write
from sginpaint.layers.normalization import SPADE
from sginpaint.layers.resampling import resize_nearest
from sginpaint.layers.residual import SPADEResNetBlock
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc

Arrays = dict[str, Any]

_SPADE = (
  ("mlp_shared.0", "shared", "conv"),
  ("mlp_gamma", "gamma", "conv"),
  ("mlp_beta", "beta", "conv"),
  ("param_free_norm", "norm", "batch_norm"),
)
_BLOCK = (
  ("conv_{}", "conv_{}", "spectral_conv"),
  ("conv_s", "conv_shortcut", "spectral_conv"),
  *((f"norm_{{}}.{a}", f"spade_{{}}/{b}", kind) for a, b, kind in _SPADE),
  *((f"norm_s.{a}", f"spade_shortcut/{b}", kind) for a, b, kind in _SPADE),
)
_NORMS = {"batch": "batch", "block": "batch"}  # the others: instance
_TRAINED = ("batch", "block", "block_same")


def spade_blocks(golden: Golden) -> Arrays:
  """Every module evaluated; those with state also trained and differentiated.

  Gradients are of sum(output * probe).
  """
  x, probe = (nhwc(golden.input(f"in/{name}")) for name in ("x", "probe"))
  classes = golden.meta["config"]["label_nc"]
  guidance = jax.nn.one_hot(golden.input("in/labels"), classes)
  arrays = {"mid/seg_resized": nchw(resize_nearest(guidance, x.shape[1:3]))}
  names = tuple(golden.meta["config"]["modules"])
  for name in names:
    source = _source(name, names, x, guidance)
    module, variables = read(name, source, golden.params)
    output = jax.jit(module.apply)(variables, x, guidance)
    arrays[f"out/eval/{name}"] = nchw(output)
    if name in _TRAINED:
      part = probe[..., : output.shape[-1]]
      trained = _train(module, variables, x, guidance, part)
      arrays |= _named(name, source, *trained)
  return arrays


def _source(name: str, names: tuple[str, ...], *inputs: jax.Array) -> Source:
  norm = _NORMS.get(name, "instance")

  def spade(shapes: Any) -> nn.Module:
    hidden, _, kernel, _ = shapes["mlp_shared.0.weight"]
    return SPADE(hidden, norm, kernel)

  def block(shapes: Any) -> nn.Module:
    features = shapes["conv_1.weight_orig"][0]
    hidden = shapes["norm_0.mlp_shared.0.weight"][0]
    return SPADEResNetBlock(features, hidden, norm)

  whole = name.startswith("block")
  return Source(
    layers=_BLOCK if whole else _SPADE,
    build=block if whole else spade,
    inputs=tuple(x.shape for x in inputs),
    prefix=name,
    siblings=names,
  )


def _train(
  module: nn.Module, variables: Any, x: Any, guidance: Any, probe: Any
) -> tuple[jax.Array, Any, Any]:
  """Output, new state and the gradients of params and x."""
  state = {key: value for key, value in variables.items() if key != "params"}

  def score(params: Any, x: jax.Array) -> Any:
    output, new = module.apply(
      {"params": params, **state}, x, guidance, train=True, mutable=list(state)
    )
    return jnp.sum(output * probe), (output, new)

  gradient, (output, new) = jax.jit(jax.grad(score, (0, 1), has_aux=True))(
    variables["params"], x
  )
  return output, new, gradient


def _named(
  name: str, source: Source, output: jax.Array, state: Any, gradient: Any
) -> Arrays:
  params, x = gradient
  arrays = {f"out/train/{name}": nchw(output), f"grad/{name}/x": nchw(x)}
  for key, value in write(source, {"params": params}).items():
    arrays[f"grad/{name}/{key}"] = value
  for key, value in write(source, state).items():
    arrays[f"state/{name}/{key}"] = value
  return arrays
