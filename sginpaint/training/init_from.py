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
from sginpaint.training.state import TrainState


def check_init_from(config: ConfigDict, workdir: str) -> None:
  """Raises UserError where a source of `config.init_from` has no checkpoint.

  Args:
    config: of the training.
    workdir: of the training; once it has a checkpoint no source is needed.
  """
  if workdirs.steps(workdir):
    return
  for target, source in config.init_from.items():
    if not workdirs.steps(source):
      raise UserError(
        f"config.init_from[{target!r}]={source}: no checkpoint there; train "
        "that first, or name another workdir"
      )


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
    player, _, submodule = target.partition("/")
    given = checkpoints.load(workdir, folded=False).variables
    names = [submodule] if submodule else list(generator["params"])
    for name in names:
      if player != "generator" or not _fits(generator, given, name):
        raise UserError(
          f"config.init_from[{target!r}]: {name!r} is not in both networks, "
          "or of another size there; this one has "
          f"generator/{{{', '.join(generator['params'])}}}"
        )
      for collection, values in generator.items():
        if name in values:
          values[name] = given[collection][name]
  params = generator.pop("params")
  return state.replace(
    generator=state.generator.replace(params=params, collections=generator),
    ema=state.ema if state.ema is None else params,
  )


def _fits(here: Mapping[str, Any], there: Mapping[str, Any], name: str) -> bool:
  """Whether both hold the submodule, with arrays of the same shapes."""
  shapes = [
    {
      c: jax.tree.map(jnp.shape, tree[name])
      for c, tree in v.items()
      if name in tree
    }
    for v in (here, there)
  ]
  return "params" in shapes[0] and shapes[0] == shapes[1]
