"""Machinery that moves tensors between PyTorch and Flax layouts.

A network's own rows (`systems/*/torch_names.py`) say which layer is which; here
is what a kind of layer consists of and how each of its tensors is laid out.
"""

import dataclasses
import fnmatch
import re
from collections.abc import Callable, Mapping

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.errors import UserError

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


@dataclasses.dataclass(frozen=True)
class Layout:
  """How a tensor is laid out on both sides.

  Attributes:
    to_flax: (array, our shape) -> array of our shape.
    to_torch: the inverse.
  """

  to_flax: Callable[[np.ndarray, Shape], np.ndarray]
  to_torch: Callable[[np.ndarray], np.ndarray]


_SAME = Layout(lambda x, _: x, lambda x: x)
# OIHW <-> HWIO.
_KERNEL = Layout(
  lambda x, _: x.transpose(2, 3, 1, 0), lambda x: x.transpose(3, 2, 0, 1)
)
_TRANSPOSED = Layout(lambda x, _: x.T, lambda x: x.T)
# A convolution along one axis, of kernel 1.
_POINTWISE = Layout(lambda x, _: x[..., 0].T, lambda x: x.T[..., None])
# The left singular vector runs over (inputs, height, width) there, over
# [height, width, inputs] here.
_SPECTRAL_V = Layout(
  lambda x, shape: x.reshape(shape[2], *shape[:2]).transpose(1, 2, 0),
  lambda x: x.transpose(2, 0, 1).reshape(-1),
)

# Kind of layer -> (PyTorch suffix, collection, Flax suffix, layout) per tensor.
KINDS: Mapping[str, tuple[tuple[str, str, str, Layout], ...]] = {
  "tensor": (("", "params", "", _SAME),),
  "conv": (
    (".weight", "params", "/kernel", _KERNEL),
    (".bias", "params", "/bias", _SAME),
  ),
  "dense": (
    (".weight", "params", "/kernel", _TRANSPOSED),
    (".bias", "params", "/bias", _SAME),
  ),
  "pointwise": ((".weight", "params", "/kernel", _POINTWISE),),
  "layer_norm": (
    (".weight", "params", "/scale", _SAME),
    (".bias", "params", "/bias", _SAME),
  ),
  "batch_norm": (
    (".weight", "params", "/scale", _SAME),
    (".bias", "params", "/bias", _SAME),
    (".running_mean", "batch_stats", "/mean", _SAME),
    (".running_var", "batch_stats", "/var", _SAME),
  ),
  "spectral_conv": (
    (".weight_orig", "params", "/kernel", _KERNEL),
    (".bias", "params", "/bias", _SAME),
    (".weight_u", "spectral_norm", "/u", _SAME),
    (".weight_v", "spectral_norm", "/v", _SPECTRAL_V),
  ),
}


@dataclasses.dataclass(frozen=True)
class Source:
  """A published network: its names, and how to build ours from shapes.

  Attributes:
    layers: rows (PyTorch layer, Flax layer, kind), "{}" for an index.
    build: {PyTorch name: shape} -> the module of that size; a KeyError in it
      means that the tensor of that name is missing.
    inputs: shapes of the arguments of `module.__call__`; in place of a size may
      stand the name of a weight, for the number of channels that it reads. Or,
      for weights that belong to one size of pictures, {PyTorch name: shape} ->
      these shapes; a KeyError as in `build`.
    prefix: what wrapper modules put in front of this network's names.
    siblings: prefixes that a checkpoint of the whole training model may hold.
    ignored: patterns of names that mean nothing to us, besides the count of
      batches that PyTorch's batch norms keep.
  """

  layers: tuple[tuple[str, str, str], ...]
  build: Callable[[Shapes], nn.Module]
  inputs: (
    tuple[tuple[int | str, ...], ...] | Callable[[Shapes], tuple[Shape, ...]]
  )
  prefix: str
  siblings: tuple[str, ...] = ()
  ignored: tuple[str, ...] = ()

  def own(self, state_dict: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors that this network has to account for, prefixes taken off."""
    # Data-parallel wrappers put "module." anywhere in a name.
    names = {
      ".".join(part for part in name.split(".") if part != "module"): name
      for name in state_dict
    }
    start = self.prefix + "."
    if any(name.startswith(start) for name in names):
      others = tuple(f"{s}." for s in self.siblings if s != self.prefix)
      names = {
        name.removeprefix(start): original
        for name, original in names.items()
        if not name.startswith(others)
      }
    return {
      name: np.asarray(state_dict[original])
      for name, original in names.items()
      if not any(
        fnmatch.fnmatchcase(name, pattern)
        for pattern in (*self.ignored, "*num_batches_tracked")
      )
    }

  def locate(self, path: str) -> tuple[str, Layout]:
    """PyTorch name and layout of our tensor `collection/layer/.../leaf`."""
    for torch_layer, flax_layer, kind in self.layers:
      for torch_suffix, collection, flax_suffix, layout in KINDS[kind]:
        pattern = f"{collection}/{flax_layer}{flax_suffix}"
        found = re.fullmatch(pattern.replace("{}", r"(\d+)"), path)
        if found:
          return torch_layer.format(*found.groups()) + torch_suffix, layout
    raise KeyError(f"no row of the name table gives {path}")


def read(
  name: str, source: Source, state_dict: Mapping[str, np.ndarray]
) -> tuple[nn.Module, dict]:
  """See `sginpaint.convert.from_torch`."""
  state = source.own(state_dict)
  shapes = {key: value.shape for key, value in state.items()}
  try:
    module, given = source.build(shapes), source.inputs
    inputs = given(shapes) if callable(given) else given
  except KeyError as e:
    raise UserError(
      f"{name}: the state dict has no tensor {e.args[0]}; "
      "is it another network's?"
    ) from e
  except (IndexError, ValueError) as e:  # axes or numbers that are not there
    raise UserError(
      f"{name}: names and shapes fit no such network; is it another one's?"
    ) from e
  arguments = [
    jax.ShapeDtypeStruct(
      tuple(shapes[n][1] if isinstance(n, str) else n for n in shape),
      jnp.float32,
    )
    for shape in inputs
  ]
  expected = jax.eval_shape(module.init, jax.random.key(0), *arguments)
  flat, missing, misshapen = {}, [], []
  for path, want in _flatten(expected).items():
    torch_name, layout = source.locate(path)
    array = state.pop(torch_name, None)
    if array is None:
      missing.append(torch_name)
      continue
    shape = layout.to_torch(np.empty(want.shape, want.dtype)).shape
    if array.shape != shape:
      misshapen.append(f"{torch_name} is {array.shape}, expected {shape}")
      continue
    array = layout.to_flax(array, want.shape)
    flat[path] = jnp.asarray(array, dtype=want.dtype)
  problems = {
    "missing": missing,
    "unknown": list(state),
    "misshapen": misshapen,
  }
  if any(problems.values()):
    raise UserError(f"{name}: {_describe(problems)}")
  return module, flax.traverse_util.unflatten_dict(flat, sep="/")


def write(source: Source, variables: Mapping) -> dict[str, np.ndarray]:
  """See `sginpaint.convert.to_torch`."""
  state = {}
  for path, value in _flatten(variables).items():
    torch_name, layout = source.locate(path)
    state[torch_name] = layout.to_torch(np.asarray(value))
  return state


def _flatten(variables: Mapping) -> dict[str, jax.ShapeDtypeStruct]:
  return flax.traverse_util.flatten_dict(variables, sep="/")


def _describe(problems: Mapping[str, list[str]], limit: int = 6) -> str:
  parts = []
  for problem, names in problems.items():
    if names:
      more = f" and {len(names) - limit} more" if len(names) > limit else ""
      listed = ", ".join(names[:limit])
      parts.append(f"{len(names)} {problem}: {listed}{more}")
  return "; ".join(parts)
