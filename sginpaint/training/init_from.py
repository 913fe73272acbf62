"""Beginning with what other trainings learnt: `config.init_from`.

{"generator/<submodule>": workdir}, or "generator" for all of it. Parameters and
collections (running moments, spectral norms) are taken as they were trained;
optimisers begin anew.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from sginpaint import checkpoints, workdirs
from sginpaint.errors import UserError
from sginpaint.systems import network_shapes
from sginpaint.training.state import TrainState


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
  if not config.init_from or workdirs.steps(workdir):
    return
  here = network_shapes(config)["generator"]
  for target, source in config.init_from.items():
    trained = (planned or {}).get(source)
    if trained is None:
      if not workdirs.steps(source):
        raise UserError(
          f"config.init_from[{target!r}]={source}: no checkpoint there; train "
          "that first, or name another workdir"
        )
      trained = workdirs.load_config(source)
    _submodules(target, here, network_shapes(trained)["generator"])


def initialise_from(
  state: TrainState, sources: Mapping[str, str]
) -> TrainState:
  """Takes submodules from other trainings (`config.init_from`).

  Args:
    state: fresh.
    sources: {"generator/<submodule>" or "generator": workdir}.

  Raises:
    UserError: a submodule is not there, here or in the source, or its arrays
      have other shapes.
  """
  generator = {
    "params": dict(state.generator.params),
    **{name: dict(c) for name, c in state.generator.collections.items()},
  }
  for target, workdir in sources.items():
    given = checkpoints.load(workdir, folded=False).variables
    for name in _submodules(target, generator, given):
      for collection, values in generator.items():
        if name in values:
          values[name] = given[collection][name]
  params = generator.pop("params")
  return state.replace(
    generator=state.generator.replace(params=params, collections=generator),
    # Copies: the step donates its state, and no buffer can be given twice.
    ema=state.ema if state.ema is None else jax.tree.map(jnp.copy, params),
  )


def _submodules(
  target: str, here: Mapping[str, Any], there: Mapping[str, Any]
) -> list[str]:
  """Those that `target` means, found to fit."""
  player, _, submodule = target.partition("/")
  names = [submodule] if submodule else list(here["params"])
  for name in names:
    if player != "generator" or not _fits(here, there, name):
      raise UserError(
        f"config.init_from[{target!r}]: {name!r} is not in both networks, "
        "or of another size there; this one has "
        f"generator/{{{', '.join(here['params'])}}}"
      )
  return names


def _fits(here: Mapping[str, Any], there: Mapping[str, Any], name: str) -> bool:
  """Whether both hold the submodule, with arrays of the same shapes."""
  shapes = [
    {
      c: jax.tree.map(lambda x: x.shape, tree[name])
      for c, tree in v.items()
      if name in tree
    }
    for v in (here, there)
  ]
  return "params" in shapes[0] and shapes[0] == shapes[1]
