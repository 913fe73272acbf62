"""What happens between two steps: log, pictures, evaluation, checkpoints."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.systems.base import Variables
from sginpaint.training.log import Log
from sginpaint.training.state import TrainState, to_tree
from sginpaint.training.validation import Validation
from sginpaint.training.writer import Writer

Show = Callable[[TrainState, dict], np.ndarray]


class Upkeep:
  """Asked after each step; every process has one, the first one writes."""

  def __init__(
    self,
    config: ConfigDict,
    workdir: str,
    start: int,
    frozen: dict[str, Variables],
    *,
    show: Show | None,
    validation: Validation | None,
  ):
    """Opens the files of the workdir.

    Args:
      config: of the training.
      workdir: of the training.
      start: finished steps.
      frozen: variables of the frozen networks.
      show: makes the pictures that TensorBoard shows.
      validation: scores a state before it is saved.
    """
    self._config, self._frozen = config, frozen
    self._show, self._validation = show, validation
    self._writer = None
    if jax.process_index() == 0:
      self._writer = Writer(workdir, start=start, total=config.steps)
    self._saver = checkpoints.Writer(workdir, config)
    self._log = Log(self._writer, config, start)

  def after(
    self, step: int, state: TrainState, metrics: Mapping[str, jax.Array]
  ) -> None:
    """What is due after a step.

    Raises:
      FloatingPointError: a metric is not finite; nothing is saved.
    """
    every = self._config.log
    self._log.add(step, dict(metrics))
    if step % every.every == 0:
      self._log.flush()
    if self._saver.due(step):
      self._save(step, state)
    if self._show is not None and step % every.images_every == 0:
      grid = self._show(state, self._frozen)
      if self._writer is not None:
        self._writer.images(step, "validation", grid)

  def end(self, step: int, state: TrainState) -> None:
    """Saves the last step of this run, unless it was."""
    if not self._saver.due(step):
      self._save(step, state)

  def close(self) -> None:
    """Waits for the last save."""
    self._saver.close()
    if self._writer is not None:
      self._writer.close()

  def _save(self, step: int, state: TrainState) -> None:
    self._log.flush()
    verdict: dict[str, Any] = {}
    if self._validation is not None and self._validation.due(step):
      verdict = self._validation(state, self._frozen)
      checkpoints.wait_for_all(f"evaluated {step}")
      self._log.scores(verdict["scores"])
    self._saver.save(step, to_tree(state), **verdict)
