"""Reading checkpoints: the newest sound one, the best one, or one by step."""

import dataclasses
import logging
import os
import pathlib
import textwrap
from collections.abc import Mapping
from typing import Any

import jax
from flax import traverse_util
from ml_collections import ConfigDict
from orbax.checkpoint import v1 as ocp

from sginpaint.checksums import checksums, hash_variables
from sginpaint.errors import UserError
from sginpaint.layers.folding import fold_batch_norms
from sginpaint.systems import (
  base,
  build_system,
  example_batch,
  network_shapes,
)
from sginpaint.workdirs import checkpoint_path, load_config, steps

_log = logging.getLogger(__name__)

BEST = "best"  # may be given in the place of a step
Tree = dict[str, Any]


def alone() -> ocp.Context:
  """In it this process reads and writes without the others of its training."""
  if jax.process_count() == 1:
    return ocp.Context()
  me = jax.process_index()
  return ocp.Context(
    multiprocessing_options=ocp.options.MultiprocessingOptions(
      primary_host=me,
      active_processes={me},
      barrier_sync_key_prefix=f"process_{me}",
    )
  )


def read_checksums(workdir: str, step: int) -> dict[str, int]:
  """crc32 of each array as it was saved, keyed as `checksums` does."""
  metadata = ocp.checkpointables_metadata(checkpoint_path(workdir, step))
  return metadata.custom_metadata["checksums"]


def read_scores(workdir: str, step: int) -> dict[str, float]:
  """What the training's own evaluation said at this step; {} without one."""
  metadata = ocp.checkpointables_metadata(checkpoint_path(workdir, step))
  return metadata.custom_metadata.get("scores", {})


def best_steps(workdir: str) -> list[int]:
  """Steps that were evaluated in the training, best first.

  What is best was said by `config.checkpoint.best` at each save.
  """
  ranks = {}
  for step in steps(workdir):
    try:
      path = checkpoint_path(workdir, step)
      rank = ocp.checkpointables_metadata(path).custom_metadata.get("rank")
    except Exception as e:  # Orbax raises many types for a damaged file
      _warn_unsound(workdir, step, e)
      continue
    if rank is not None:
      ranks[step] = rank
  return sorted(ranks, key=lambda step: (ranks[step], step), reverse=True)


def guiding_step(workdir: str) -> str | None:
  """The step of which a network is taken to guide another: the best, if known.

  As `load` takes it; None = the newest.
  """
  return BEST if best_steps(workdir) else None


def _read(workdir: str, step: int, abstract: Tree, *, partial: bool) -> Tree:
  """One checkpoint, verified; a part of it is read by this process alone.

  Raises:
    ValueError: an array is not there in this shape, or its checksum differs.
      Orbax raises others for damage.
  """
  path = checkpoint_path(workdir, step)
  context = alone() if partial else ocp.Context()
  context.pytree.loading.partial_load = partial
  with context:
    metadata = ocp.checkpointables_metadata(path)
    _check_shapes(metadata.metadata["state"], abstract)
    tree = ocp.load_checkpointables(path, {"state": abstract})["state"]
  expected = metadata.custom_metadata["checksums"]
  for name, crc in checksums(tree).items():
    if expected[name] != crc:
      raise ValueError(f"checksum of {name} differs")
  return tree


def _check_shapes(saved: Tree, abstract: Tree) -> None:
  """Before anything is read: a read that fails leaves others under way."""
  there = traverse_util.flatten_dict(saved, sep="/")
  for name, wanted in traverse_util.flatten_dict(abstract, sep="/").items():
    shape = there[name].shape if name in there else None
    if shape != wanted.shape:
      raise ValueError(f"{name}: {shape} was saved, not {wanted.shape}")


def restore(
  workdir: str, abstract: Tree, *, rename: bool = False
) -> tuple[Tree, int] | None:
  """The newest sound checkpoint, or None where there is none.

  Args:
    workdir: of the training.
    abstract: nested dict of `jax.ShapeDtypeStruct` with shardings.
    rename: an unsound step becomes `<step>.corrupt` (training only).
  """
  for step in steps(workdir):
    try:
      return _read(workdir, step, abstract, partial=False), step
    except Exception as e:  # Orbax raises many types for a damaged file
      _warn_unsound(workdir, step, e)
      if rename:
        directory = pathlib.Path(workdir) / "checkpoints"
        os.replace(directory / str(step), directory / f"{step}.corrupt")
  return None


def _warn_unsound(workdir: str, step: int, error: Exception) -> None:
  root: BaseException = error  # Orbax's own words hide it
  while cause := root.__cause__ or root.__context__:
    root = cause
  reason = textwrap.shorten(str(root), 300)
  _log.warning("checkpoint %d of %s is unsound: %s", step, workdir, reason)


@dataclasses.dataclass(frozen=True)
class Loaded:
  """A trained network, ready to be applied.

  Attributes:
    config: as resolved by its training.
    system: built from the config.
    variables: of the generator; batch norms folded, unless not wanted so.
    frozen: variables of the frozen networks that `predict` needs.
    step: of the checkpoint.
    hash: sha256 of the generator's values as trained, the name of these
      weights.
    workdir: where it came from.
    frozen_hashes: the same of the networks in `frozen`.
  """

  config: ConfigDict
  system: base.System
  variables: dict[str, Any]
  frozen: dict[str, Any]
  step: int
  hash: str
  workdir: str
  frozen_hashes: Mapping[str, str] = dataclasses.field(default_factory=dict)


def load(
  workdir: str,
  *,
  step: int | str | None = None,
  weights: str = "ema",
  folded: bool = True,
) -> Loaded:
  """Loads a generator and what it needs from a workdir.

  Args:
    workdir: of a training, or of a converted network.
    step: of the checkpoint; None = the newest sound one; "best" = the best by
      `config.checkpoint.best` of the training.
    weights: "ema" takes the running average where there is one, "raw" never.
    folded: fold batch norms into convolutions; False keeps the values as they
      were trained, to copy them or to train on.

  Raises:
    UserError: no such workdir, no such step, or nothing sound in it.
  """
  config = load_config(workdir)
  candidates = _candidates(workdir, step)
  held = held_workdirs(workdir)
  modules = {n: build_system(load_config(w)).generator for n, w in held.items()}
  system = build_system(config, modules)
  shapes = network_shapes(config)["generator"]
  guides = {n: load(held[n]) for n in system.SERVED if n in held}
  for candidate in candidates:
    try:
      variables = _read_generator(workdir, candidate, shapes, weights)
    except Exception as e:  # Orbax raises many types for a damaged file
      _warn_unsound(workdir, candidate, e)
      continue
    name = hash_variables(variables)
    if folded:
      inputs = system.generator_inputs(example_batch(config))
      variables = fold_batch_norms(system.generator, variables, *inputs)
    return Loaded(
      config=config,
      system=system,
      variables=variables,
      frozen={name: guide.variables for name, guide in guides.items()},
      frozen_hashes={name: guide.hash for name, guide in guides.items()},
      step=candidate,
      hash=name,
      workdir=str(workdir),
    )
  raise UserError(
    f"{workdir}: its checkpoints are damaged or of another network; "
    "train again or choose another --step"
  )


def _candidates(workdir: str, step: int | str | None) -> list[int]:
  """Steps to try in this order."""
  found = steps(workdir)
  if not found:
    raise UserError(f"{workdir}: no checkpoint there yet; train first")
  if step is None:
    return found
  if step == BEST:
    if best := best_steps(workdir):
      return best
    raise UserError(
      f"{workdir}: no checkpoint of it was evaluated in the training; choose "
      "one by step, or train with config.eval.every and config.checkpoint.best"
    )
  if step not in found:
    have = ", ".join(map(str, found[::-1]))
    raise UserError(
      f"{workdir}: no checkpoint of step {step}; there are {have}"
    )
  return [int(step)]


def _read_generator(
  workdir: str, step: int, shapes: Mapping[str, Any], weights: str
) -> dict[str, Any]:
  shapes = dict(shapes)
  with alone():
    saved = read_checksums(workdir, step)
  place = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  put = lambda tree: jax.tree.map(  # noqa: E731
    lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=place), tree
  )
  params = put(shapes.pop("params"))
  averaged = weights == "ema" and any(n.startswith("ema/") for n in saved)
  abstract: Tree = (
    {"ema": params} if averaged else {"generator": {"params": params}}
  )
  if shapes:
    abstract.setdefault("generator", {})["collections"] = put(shapes)
  tree = _read(workdir, step, abstract, partial=True)
  generator = tree.get("generator", {})
  values = tree["ema"] if averaged else generator["params"]
  return {"params": values, **generator.get("collections", {})}


def held_workdirs(workdir: str) -> dict[str, str]:
  """{name: workdir} of the frozen networks that `workdir` carries with it."""
  paths = sorted(pathlib.Path(workdir, "frozen").glob("[!.]*"))
  return {path.name: str(path) for path in paths}
