"""Evaluation in the training: before a save, on a part of the validation split.

Every process evaluates all of it, so that all know the same scores.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.datasets import Dataset
from sginpaint.errors import UserError
from sginpaint.evaluation.in_loop import InLoop, lower_is_better
from sginpaint.systems.base import System, Variables
from sginpaint.training.state import TrainState


def check_validation(config: ConfigDict, dataset: Dataset) -> None:
  """Raises UserError where `config.eval` cannot be done in the training."""
  every, saved = config.eval.every, config.checkpoint.every
  if config.checkpoint.best and not every:
    raise UserError(
      f"config.checkpoint.best={config.checkpoint.best}: needs an evaluation "
      f"in the training; set config.eval.every, such as {saved}"
    )
  if not every:
    return
  if every % saved:
    raise UserError(
      f"config.eval.every={every}: evaluated is what is saved; give a multiple "
      f"of config.checkpoint.every={saved}"
    )
  dataset.split(config.data.validation_split)
  lower_is_better(config)  # knows the protocol


class Validation:
  """Scores a state, and says how good that makes it."""

  def __init__(self, system: System, config: ConfigDict, dataset: Dataset):
    """Prepares the pictures and their holes; compiles at the first call.

    Raises:
      UserError: see `InLoop`.
    """
    self._config = config
    self._served = system.SERVED
    self._system = system
    self._split = dataset.split(config.data.validation_split)
    self._in_loop: InLoop | None = None

  def due(self, step: int) -> bool:
    """Whether to evaluate after this step; the last one always is."""
    return step % self._config.eval.every == 0 or step == self._config.steps

  def __call__(
    self, state: TrainState, frozen: Mapping[str, Variables]
  ) -> dict[str, Any]:
    """What `checkpoints.Writer.save` takes: `scores` and `rank`.

    Args:
      state: of the training; its running average is tried where it has one.
      frozen: networks, of which `predict` uses some.

    Raises:
      UserError: the system has no such score as `config.checkpoint.best`.
    """
    params = state.generator.params if state.ema is None else state.ema
    variables, served = _local(
      (
        state.generator.replace(params=params).variables,
        {n: v for n, v in frozen.items() if n in self._served},
      )
    )
    if self._in_loop is None:
      loaded = Loaded(
        config=self._config,
        system=self._system,
        variables=variables,
        frozen=served,
        step=int(state.step),
        hash="",
        workdir="",
      )
      self._in_loop = InLoop(loaded, self._split)
    scores = self._in_loop(variables, served)
    return {"scores": scores, "rank": self._rank(scores)}

  def _rank(self, scores: Mapping[str, float]) -> float | None:
    name = self._config.checkpoint.best
    if not name:
      return None
    if name not in scores:
      raise UserError(
        f"config.checkpoint.best={name}: no such score; there is "
        f"{', '.join(scores)}"
      )
    if not math.isfinite(scores[name]):
      return None
    lower = name in lower_is_better(self._config)
    return -scores[name] if lower else scores[name]


def _local(tree: Any) -> Any:
  """What is copied to all devices of all processes, as this process's own."""
  return jax.tree.map(lambda x: x.addressable_data(0), tree)
