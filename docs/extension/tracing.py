"""What a network really does: shapes in and out, and parameters, by module.

Networks are traced with shapes alone (`jax.eval_shape`): nothing is computed,
so the published sizes cost no more than small ones.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch
from sginpaint.cli.config_files import load_config_file
from sginpaint.systems import build_system, example_batch
from sginpaint.systems.base import System

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Trace:
  """One pass through a network.

  Attributes:
    inputs: {path of a module: shapes of its arguments}, without the batch.
    outputs: {path: shapes of what it returned}.
    parameters: {path of an array: number of its values}.
  """

  inputs: Mapping[str, Sequence[Shape]]
  outputs: Mapping[str, Sequence[Shape]]
  parameters: Mapping[str, int]

  def size(self, *prefixes: str) -> str:
    """Parameters of the modules whose paths begin so, as "45.6 M".

    Raises:
      KeyError: there are none.
    """
    count = sum(
      n
      for path, n in self.parameters.items()
      if any(path.startswith(prefix) for prefix in prefixes or ("",))
    )
    if not count:
      raise KeyError(prefixes)
    return f"{count / 1e6:.1f} M" if count >= 5e4 else f"{count:,}"

  def out(self, path: str, index: int = -1) -> str:
    """Shape of an output of a module, as "64×64×256"."""
    return times(self.outputs[path][index])

  def into(self, path: str, index: int = 0) -> str:
    """Shape of an argument of a module."""
    return times(self.inputs[path][index])


def times(shape: Shape) -> str:
  """A shape for people."""
  return "×".join(map(str, shape))


def trace(module: nn.Module, *args: Any) -> Trace:
  """Follows what `module` does with examples such as `args`."""
  inputs: dict[str, Sequence[Shape]] = {}
  outputs: dict[str, Sequence[Shape]] = {}

  def record(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
    result = call(*args, **kwargs)
    if context.method_name == "__call__":
      path = "/".join(context.module.path)
      inputs.setdefault(path, _shapes(args))
      outputs.setdefault(path, _shapes(result))
    return result

  with nn.intercept_methods(record):
    variables = jax.eval_shape(
      functools.partial(module.init, train=False), jax.random.key(0), *args
    )
  leaves = jax.tree_util.tree_leaves_with_path(variables["params"])
  parameters = {
    "/".join(str(key.key) for key in path): int(np.prod(leaf.shape))
    for path, leaf in leaves
  }
  return Trace(inputs, outputs, parameters)


def describe(name: str, *, classes: int = 0, attributes: int = 0) -> ConfigDict:
  """The config of a file, as if its data had so many classes and attributes.

  Args:
    name: "configs/<name>.py[:<argument>]".
    classes: K.
    attributes: A.
  """
  config = load_config_file(name)
  config.data.classes = ("class",) * classes
  config.data.attributes = tuple(f"attribute {i}" for i in range(attributes))
  return config


def players(config: ConfigDict) -> tuple[Trace, Trace | None]:
  """Traces of the generator and, where there is one, the discriminator."""
  system, batch = _build(config)
  generator = trace(system.generator, *system.generator_inputs(batch))
  if system.discriminator is None:
    return generator, None
  discriminator = trace(
    system.discriminator, *system.discriminator_inputs(batch)
  )
  return generator, discriminator


def _build(config: ConfigDict) -> tuple[System, Batch]:
  return build_system(config), example_batch(config)


def _shapes(tree: Any) -> Sequence[Shape]:
  return [x.shape[1:] for x in jax.tree.leaves(tree) if np.ndim(x) > 1]
