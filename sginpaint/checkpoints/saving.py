"""Writing checkpoints: those of a training, and copies of what is served."""

import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict
from orbax.checkpoint import multihost
from orbax.checkpoint import v1 as ocp

from sginpaint.checkpoints.loading import Tree, alone, held_workdirs, load
from sginpaint.checksums import checksums
from sginpaint.errors import UserError
from sginpaint.workdirs import (
  checkpoint_path,
  plain_config,
  save_config,
  steps,
)

_PATIENCE = 3600  # seconds


def wait_for_all(what: str) -> None:
  """Waits until every process of the training has come here.

  Collectives between CPUs give up after half a minute, and one process may
  compile for longer than another; this waits as long as `_PATIENCE`.

  Args:
    what: a name that is not used twice.
  """
  wait = multihost.get_barrier_sync_fn()
  wait(key=f"sginpaint {what}", timeout_ms=1000 * _PATIENCE)


class Writer:
  """Saves training states in the background and keeps the agreed ones."""

  def __init__(self, workdir: str, config: ConfigDict):
    """Prepares to save as `config.checkpoint` says.

    Kept are the newest, each multiple of `keep_every`, and the one of the
    highest rank where `best` is not empty.
    """
    preservation = ocp.training.preservation_policies
    decision = ocp.training.save_decision_policies
    keepers = [preservation.LatestN(config.checkpoint.keep)]
    if config.checkpoint.keep_every:
      keepers.append(preservation.EveryNSteps(config.checkpoint.keep_every))
    if config.checkpoint.best:
      keepers.append(
        preservation.BestN(
          get_metric_fn=lambda metrics: metrics["rank"],
          n=1,
          keep_checkpoints_without_metrics=False,
        )
      )
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

  def save(
    self,
    step: int,
    tree: Tree,
    *,
    scores: Mapping[str, float] | None = None,
    rank: float | None = None,
  ) -> None:
    """Copies `tree` off the devices and writes it in the background.

    Args:
      step: number of finished steps; nothing happens where it is the newest.
      tree: of arrays.
      scores: what an evaluation said of it.
      rank: the best checkpoint is the one of the highest.
    """
    metadata: dict[str, Any] = {"config": self._config}
    if scores:
      metadata["scores"] = dict(scores)
    if rank is not None:
      metadata["rank"] = rank
    if self._checkpointer.latest and self._checkpointer.latest.step == step:
      return
    self._checkpointer.save_checkpointables_async(
      step,
      {"state": tree},
      metrics=None if rank is None else {"rank": rank},
      custom_metadata=metadata | {"checksums": checksums(tree)},
    )

  def close(self) -> None:
    """Waits for the last save."""
    self._checkpointer.close()


def slim(
  source: str,
  target: str,
  *,
  step: int | str | None = None,
  dtype: str = "float32",
) -> None:
  """Copies what is served from `source` into a new workdir `target`.

  That is the generator, and the frozen networks that `predict` uses.

  Args:
    source: workdir of a training.
    target: workdir to write; must not hold checkpoints.
    step: of the checkpoint, as in `load`.
    dtype: in which arrays are kept on disk; values are rounded to it.

  Raises:
    UserError: `source` cannot be loaded or `target` holds checkpoints.
  """
  loaded = load(source, step=step, folded=False)
  if steps(target):
    raise UserError(f"{target}: holds checkpoints already; choose another")
  save_generator(
    target, loaded.config, loaded.step, loaded.variables, dtype=dtype
  )
  for name in loaded.frozen:
    copy = pathlib.Path(target) / "frozen" / name
    slim(held_workdirs(source)[name], str(copy), dtype=dtype)


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
  with alone():
    ocp.save_checkpointables(path, {"state": tree}, custom_metadata=metadata)
  # It names a path of this machine, and nothing reads it.
  (path / "commit_success.txt").unlink(missing_ok=True)
