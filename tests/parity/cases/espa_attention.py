"""ESPA's attention alone, on a grid that is not square."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.convert.mapping import Source
from sginpaint.layers.attention import ExternalSpatialAttention
from sginpaint.systems.espa.torch_names import ATTENTION
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]


def _source(x: np.ndarray) -> Source:
  """The layer as if it were a network, so that its rows convert it."""

  def build(shapes: Any) -> ExternalSpatialAttention:
    hidden, tokens, _ = shapes["ex_k.net.0.weight"]
    return ExternalSpatialAttention(token_factor=hidden // tokens)

  return Source(layers=ATTENTION, build=build, inputs=(x.shape,), prefix="espa")


def espa_attention(golden: Golden) -> Arrays:
  """Output, intermediates, gradients of input and parameters."""
  x, probe = (nhwc(golden.input(f"in/{name}")) for name in ("x", "probe"))
  source = _source(x)
  module, variables = convert.mapping.read(
    "espa_attention", source, golden.params
  )
  out, mids = jax.jit(
    lambda v: module.apply(
      v, x, capture_intermediates=True, mutable=["intermediates"]
    )
  )(variables)
  gradient, of_x = wide_gradient(
    lambda v, x, probe: jnp.sum(wide(module).apply(v, x) * probe),
    variables,
    x,
    probe,
    argnums=(0, 1),
  )
  named = convert.mapping.write(source, gradient)
  return {
    "out/y": nchw(out),
    "grad/x": nchw(of_x),
    **attention_arrays(mids["intermediates"]),
    **{f"grad/{name}": value for name, value in named.items()},
  }


def attention_arrays(mids: Any) -> Arrays:
  """What was caught inside the layer, by the names of the case."""
  norm, first, second, out = (
    np.asarray(mids[name]["__call__"][0])
    for name in ("norm", "height_first", "height_second", "width_second")
  )

  def tokens(x: np.ndarray) -> np.ndarray:
    """[B, C, lines, tokens] to [B lines, tokens, C]."""
    x = x.transpose(0, 2, 3, 1)
    return x.reshape(-1, *x.shape[2:])

  return {
    "mid/norm_NWHC": norm.transpose(0, 2, 1, 3),
    "mid/k_hidden_pre": tokens(first),
    "mid/k_hidden": tokens(jax.nn.gelu(first, approximate=False)),
    "mid/k_out_(NW)HC": tokens(second),
    "mid/v_out_(NH)WC": tokens(out),
  }
