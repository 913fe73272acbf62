"""Batch norms in inference, folded into the convolutions before them.

With running moments a batch norm is gain * x + shift per channel. The gain
moves into the convolution's kernel; the shift stays with the norm, which then
only adds. Values change, networks do not, so what is folded is applied as what
was trained.
"""

import collections
from typing import Any, Protocol, runtime_checkable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name

from sginpaint.layers.normalization import Values

_Path = tuple[str, ...]
_MARK = "folding:"


@runtime_checkable
class Foldable(Protocol):
  """A norm module with running moments, behind a convolution or not."""

  def gain(self, params: Values, stats: Values) -> np.ndarray:
    """By what each channel is multiplied, float64 [C]."""

  def adding(self, shift: np.ndarray) -> tuple[Values, Values]:
    """The parameters and moments with which it only adds `shift` [C]."""


def fold_batch_norms(
  module: nn.Module, variables: Values, *inputs: jax.Array
) -> dict[str, Any]:
  """Folds norms that read a convolution's output which nothing else reads.

  A convolution may be applied several times, always followed by the same norm.

  Args:
    module: that is applied as `module.apply(variables, *inputs, train=False)`.
    variables: its "params" and "batch_stats", float32.
    *inputs: arrays or shapes that it takes; values do not matter.

  Returns:
    Variables with which `module` gives the same up to rounding; `variables`
    themselves where nothing is to fold.
  """
  if "batch_stats" not in variables:
    return dict(variables)
  folded = {
    name: jax.tree.map(lambda leaf: leaf, variables[name])  # dicts of our own
    for name in ("params", "batch_stats")
  }
  for conv, (path, norm) in _pairs(module, variables, inputs).items():
    _fold(folded, conv, path, norm)
  return {**variables, **folded}


def _pairs(
  module: nn.Module, variables: Values, inputs: tuple[jax.Array, ...]
) -> dict[_Path, tuple[_Path, Foldable]]:
  """The norm of each convolution that has one, by the convolution's path."""
  calls: collections.Counter[_Path] = collections.Counter()
  norms: dict[_Path, Foldable] = {}

  def mark(call, args, kwargs, context):
    here = context.module
    if context.method_name == "__call__":
      calls[here.path] += 1
      if isinstance(here, nn.Conv):
        return checkpoint_name(call(*args, **kwargs), _name(here))
      if isinstance(here, Foldable):
        norms[here.path] = here
        args = (checkpoint_name(args[0], _name(here)), *args[1:])
    return call(*args, **kwargs)

  def apply(variables, *inputs):
    with nn.intercept_methods(mark):
      return module.apply(variables, *inputs, train=False)

  links = _links(jax.make_jaxpr(apply)(variables, *inputs).jaxpr)
  return {
    conv: (norm, norms[norm])
    for (conv, norm), count in links.items()
    if norm in norms and count == calls[conv] == calls[norm]
  }


def _links(jaxpr: Any) -> collections.Counter[tuple[_Path, _Path]]:
  """How often what one mark names goes to another one, and nowhere else."""
  readers = collections.defaultdict(list)
  for equation in jaxpr.eqns:
    for variable in equation.invars:
      readers[id(variable)].append(equation)
  for variable in jaxpr.outvars:
    readers[id(variable)].append(None)
  links: collections.Counter[tuple[_Path, _Path]] = collections.Counter()
  for equation in jaxpr.eqns:
    source = _path(equation)
    found = readers[id(equation.outvars[0])] if source else []
    if len(found) == 1 and (target := _path(found[0])):
      links[source, target] += 1
  return links


def _name(module: nn.Module) -> str:
  return _MARK + "/".join(module.path)


def _path(equation: Any) -> _Path:
  """The module that an equation marks; () where it marks none."""
  if equation is None or equation.primitive.name != "name":
    return ()
  name = equation.params["name"]
  if not name.startswith(_MARK):
    return ()
  return tuple(name.removeprefix(_MARK).split("/"))


def _fold(
  folded: dict[str, Any], conv: _Path, path: _Path, norm: Foldable
) -> None:
  params, stats = (_at(folded[name], path) for name in folded)
  gain = norm.gain(params, stats)
  bias = np.asarray(params.get("bias", 0.0), np.float64)
  shift = bias - gain * np.asarray(stats["mean"], np.float64)
  for tree, new in zip((params, stats), norm.adding(shift), strict=True):
    tree.update(_float32(new))
  conv_params = _at(folded["params"], conv)
  conv_params.update(
    _float32({name: gain * np.asarray(v) for name, v in conv_params.items()})
  )


def _at(tree: dict[str, Any], path: _Path) -> dict[str, Any]:
  for name in path:
    tree = tree.get(name, {})
  return tree


def _float32(values: Values) -> dict[str, jax.Array]:
  return {name: jnp.asarray(v, jnp.float32) for name, v in values.items()}
