"""Checkpoints of a workdir: written, verified, loaded; all Orbax calls.

A checkpoint holds a plain nested dict, so it depends on no class of ours, and
in its metadata a checksum of every array: Orbax has none, and a flipped bit
would be read back silently. Only training renames (an unsound step becomes
`<step>.corrupt`); every reader steps over what is unsound.
"""

import contextlib
import dataclasses
import logging
import os
import pathlib
import textwrap
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
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
from sginpaint.workdirs import (
  checkpoint_path,
  load_config,
  plain_config,
  save_config,
  steps,
)

_log = logging.getLogger(__name__)

Tree = dict[str, Any]
_PARTIAL = ocp.Context()
_PARTIAL.pytree.loading.partial_load = True


class Writer:
  """Saves training states in the background and keeps the agreed ones."""

  def __init__(self, workdir: str, config: ConfigDict):
    """Prepares to save as `config.checkpoint` says."""
    preservation = ocp.training.preservation_policies
    decision = ocp.training.save_decision_policies
    keepers = [preservation.LatestN(config.checkpoint.keep)]
    if config.checkpoint.keep_every:
      keepers.append(preservation.EveryNSteps(config.checkpoint.keep_every))
    self._config = plain_config(config)
    self._every = config.checkpoint.every
    self._checkpointer = ocp.training.Checkpointer(
      pathlib.Path(workdir).absolute() / "checkpoints",
      cleanup_tmp_directories=True,
      # The loop decides when to save; Orbax's default would skip a save while
      # another runs.
      save_decision_policy=decision.FixedIntervalPolicy(1),
      preservation_policy=preservation.AnyPreservationPolicy(keepers),
    )

  def due(self, step: int) -> bool:
    """Whether the config wants a save after this step."""
    return step % self._every == 0

  def save(self, step: int, tree: Tree) -> None:
    """Copies `tree` off the devices and writes it in the background."""
    if self._checkpointer.latest and self._checkpointer.latest.step == step:
      return
    self._checkpointer.save_checkpointables_async(
      step,
      {"state": tree},
      custom_metadata={"checksums": checksums(tree), "config": self._config},
    )

  def close(self) -> None:
    """Waits for the last save."""
    self._checkpointer.close()


def read_checksums(workdir: str, step: int) -> dict[str, int]:
  """crc32 of each array as it was saved, keyed as `checksums` does."""
  metadata = ocp.checkpointables_metadata(checkpoint_path(workdir, step))
  return metadata.custom_metadata["checksums"]


def _read(workdir: str, step: int, abstract: Tree, partial: bool) -> Tree:
  """One checkpoint, verified.

  Raises:
    ValueError: an array's checksum differs. Orbax raises others for damage.
  """
  path = checkpoint_path(workdir, step)
  expected = read_checksums(workdir, step)
  with _PARTIAL if partial else contextlib.nullcontext():
    tree = ocp.load_checkpointables(path, {"state": abstract})["state"]
  for name, crc in checksums(tree).items():
    if expected[name] != crc:
      raise ValueError(f"checksum of {name} differs")
  return tree


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
  reason = textwrap.shorten(str(error), 200)
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
  step: int | None = None,
  weights: str = "ema",
  folded: bool = True,
) -> Loaded:
  """Loads a generator and what it needs from a workdir.

  Args:
    workdir: of a training, or of a converted network.
    step: of the checkpoint; None = the newest sound one.
    weights: "ema" takes the running average where there is one, "raw" never.
    folded: fold batch norms into convolutions; False keeps the values as they
      were trained, to copy them or to train on.

  Raises:
    UserError: no such workdir, no such step, or nothing sound in it.
  """
  config = load_config(workdir)
  candidates = steps(workdir)
  if step is not None and step not in candidates:
    have = ", ".join(map(str, candidates[::-1])) or "none"
    raise UserError(
      f"{workdir}: no checkpoint of step {step}; there are {have}"
    )
  if not candidates:
    raise UserError(f"{workdir}: no checkpoint there yet; train first")
  held = _frozen(workdir)
  modules = {n: build_system(load_config(w)).generator for n, w in held.items()}
  system = build_system(config, modules)
  shapes = network_shapes(config)["generator"]
  guides = {n: load(held[n]) for n in system.SERVED if n in held}
  for candidate in candidates if step is None else [step]:
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


def _read_generator(
  workdir: str, step: int, shapes: Mapping[str, Any], weights: str
) -> dict[str, Any]:
  shapes = dict(shapes)
  place = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  put = lambda tree: jax.tree.map(  # noqa: E731
    lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=place), tree
  )
  params = put(shapes.pop("params"))
  saved = read_checksums(workdir, step)
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


def _frozen(workdir: str) -> dict[str, str]:
  """{name: workdir} of the frozen networks that `workdir` carries with it."""
  paths = sorted(pathlib.Path(workdir, "frozen").glob("[!.]*"))
  return {path.name: str(path) for path in paths}


def slim(source: str, target: str, *, dtype: str = "float32") -> None:
  """Copies what is served from `source` into a new workdir `target`.

  That is the generator, and the frozen networks that `predict` uses.

  Args:
    source: workdir of a training.
    target: workdir to write; must not hold checkpoints.
    dtype: in which arrays are kept on disk; values are rounded to it.

  Raises:
    UserError: `source` cannot be loaded or `target` holds checkpoints.
  """
  loaded = load(source, folded=False)
  if steps(target):
    raise UserError(f"{target}: holds checkpoints already; choose another")
  save_generator(
    target, loaded.config, loaded.step, loaded.variables, dtype=dtype
  )
  for name in loaded.frozen:
    copy = pathlib.Path(target) / "frozen" / name
    slim(_frozen(source)[name], str(copy), dtype=dtype)


def save_generator(
  workdir: str,
  config: ConfigDict,
  step: int,
  variables: Mapping[str, Any],
  *,
  dtype: str = "float32",
) -> None:
  """Writes a new workdir with what is served: config and generator.

  Args:
    workdir: to write; its config.json is replaced.
    config: whose `system` and `model` describe the generator.
    step: of the checkpoint.
    variables: of the generator.
    dtype: in which arrays are kept on disk; values are rounded to it.
  """
  save_config(workdir, config)
  rounded = jax.tree.map(lambda x: x.astype(dtype), dict(variables))
  tree: Tree = {"generator": {"params": rounded.pop("params")}}
  if rounded:
    tree["generator"]["collections"] = rounded
  # Readers see float32, so that is what the checksums are taken of.
  sums = checksums(jax.tree.map(lambda x: x.astype(jnp.float32), tree))
  metadata = {"checksums": sums, "config": plain_config(config)}
  path = checkpoint_path(workdir, step)
  ocp.save_checkpointables(path, {"state": tree}, custom_metadata=metadata)
  # It names a path of this machine, and nothing reads it.
  (path / "commit_success.txt").unlink(missing_ok=True)
