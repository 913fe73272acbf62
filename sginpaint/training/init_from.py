"""Beginning with what other trainings learnt: `config.init_from`.

{"generator/<submodule>": workdir}, "generator" for all of it, or
"generator/-<submodule>" for all but that: a classifier with other attributes
takes the trunk of one for ImageNet as "generator/-fc". `*` stands for any
letters in what is left out. Parameters and collections (running moments,
spectral norms) are taken as they were trained; optimisers begin anew. In place
of a workdir may stand "none", for nothing.
"""

import fnmatch
import logging
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import traverse_util
from ml_collections import ConfigDict

from sginpaint import checkpoints, pretrained, workdirs
from sginpaint.errors import UserError
from sginpaint.systems import network_shapes
from sginpaint.training.state import TrainState

_log = logging.getLogger(__name__)


def check_init_from(
  config: ConfigDict,
  workdir: str,
  planned: Mapping[str, ConfigDict] | None = None,
) -> None:
  """Raises UserError where a source of `config.init_from` is no such thing.

  Args:
    config: of the training.
    workdir: of the training; once it has a checkpoint no source is needed.
    planned: configs of trainings that will be there by then, by workdir.

  Raises:
    UserError: a source has no checkpoint, or see `initialise_from`.
  """
  sources = _given(config.init_from)
  if not sources or workdirs.steps(workdir):
    return
  here = network_shapes(config)["generator"]
  for target, source in sources.items():
    trained = (planned or {}).get(source)
    if trained is None:
      if not workdirs.steps(source):
        raise UserError(
          f"config.init_from[{target!r}]={source}: no checkpoint there; train "
          "that first, or name another workdir"
        )
      trained = workdirs.load_config(source)
    there = network_shapes(trained)["generator"]
    _submodules(target, source, here, there)


def initialise_from(
  state: TrainState, sources: Mapping[str, str]
) -> TrainState:
  """Takes submodules from other trainings (`config.init_from`).

  Args:
    state: fresh.
    sources: `config.init_from`.

  Raises:
    UserError: a submodule is not there, here or in the source, or its arrays
      have other shapes.
  """
  generator = {
    "params": dict(state.generator.params),
    **{name: dict(c) for name, c in state.generator.collections.items()},
  }
  for target, workdir in _given(sources).items():
    given = checkpoints.load(workdir, folded=False).variables
    names = _submodules(target, workdir, generator, given)
    fresh = sorted(generator["params"].keys() - names)
    _log.info("%s from %s; not: %s", target, workdir, ", ".join(fresh) or "-")
    for name in names:
      for collection, values in generator.items():
        if name in values:
          values[name] = given[collection][name]
  params = generator.pop("params")
  return state.replace(
    generator=state.generator.replace(params=params, collections=generator),
    # Copies: the step donates its state, and no buffer can be given twice.
    ema=state.ema if state.ema is None else _copy(params),
  )


@jax.jit
def _copy(tree: Any) -> Any:
  return jax.tree.map(jnp.copy, tree)


def _given(sources: Mapping[str, str]) -> dict[str, str]:
  """Those that are there."""
  return {t: s for t, s in sources.items() if pretrained.is_path(s)}


def _submodules(
  target: str, source: str, here: Mapping[str, Any], there: Mapping[str, Any]
) -> list[str]:
  """Those that `target` means, found to fit."""
  player, _, submodule = target.partition("/")
  own = list(here["params"])
  names = [submodule] if submodule else own
  if submodule.startswith("-"):
    left = fnmatch.filter(own, submodule[1:])
    # A misspelt head must not be taken for one that is left out.
    names = [name for name in own if name not in left] if left else [submodule]
  for name in names if player == "generator" else [target]:
    if difference := _difference(here, there, name):
      raise UserError(
        f"config.init_from[{target!r}]={source}: {name!r} is not in both "
        f"networks, or of another size there ({difference}); this one has "
        f"generator/{{{', '.join(own)}}}"
      )
  return names


def _difference(
  here: Mapping[str, Any], there: Mapping[str, Any], name: str
) -> str:
  """What differs in the arrays of a submodule; "" where all shapes agree."""
  ours, theirs = _shapes(here, name), _shapes(there, name)
  if not ours or not theirs:
    return f"none {'there' if ours else 'here'}"
  for path in sorted(ours.keys() | theirs.keys()):
    if ours.get(path) != theirs.get(path):
      return f"{path} is {theirs.get(path)}, here {ours.get(path)}"
  return ""


def _shapes(variables: Mapping[str, Any], name: str) -> dict[str, Any]:
  """{"collection/submodule/.../array": shape} of a submodule."""
  trees = {
    c: {name: tree[name]} for c, tree in variables.items() if name in tree
  }
  flat = traverse_util.flatten_dict(trees, sep="/")
  return {path: tuple(array.shape) for path, array in flat.items()}
