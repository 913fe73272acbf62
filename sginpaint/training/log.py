"""Metrics of steps, gathered on the devices and read back now and then."""

import time

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.training.writer import Writer

IN_FLIGHT = 2  # steps that the host may be ahead of the devices


class Log:
  """Gathers metrics on the device and reads them back at log steps only."""

  def __init__(self, writer: Writer | None, config: ConfigDict, start: int):
    """Begins at a step.

    Args:
      writer: of process 0; the others have none, but check the numbers too.
      config: of the training.
      start: finished steps.
    """
    self._writer, self._config = writer, config
    self._pending: list[dict[str, jax.Array]] = []
    self._step = self._flushed = start
    self._time: float | None = None

  def add(self, step: int, metrics: dict[str, jax.Array]) -> None:
    """Takes in the metrics of a step that may still be under way."""
    self._pending.append(metrics)
    self._step = step
    if len(self._pending) > IN_FLIGHT:
      # Without this the host runs dozens of steps ahead, and a signal or the
      # progress bar speaks of steps that are not done.
      jax.block_until_ready(self._pending[-IN_FLIGHT - 1])
    if self._writer is not None:
      self._writer.advance()

  def flush(self) -> None:
    """Writes the means since the last flush.

    Raises:
      FloatingPointError: one of them is not finite; nothing is saved after it.
    """
    if not self._pending:
      return
    values = jax.device_get(self._pending)
    now = time.perf_counter()
    means = {
      name: float(np.mean([v[name] for v in values])) for name in values[0]
    }
    bad = sorted(name for name, mean in means.items() if not np.isfinite(mean))
    if bad:
      raise FloatingPointError(
        f"{', '.join(bad)} not finite between steps {self._flushed + 1} and "
        f"{self._step}; the last checkpoint before them is sound"
      )
    if self._time is not None:
      seconds = now - self._time
      images = len(values) * self._config.batch_size
      means["images_per_second"] = images / seconds
    if self._writer is not None:
      self._writer.scalars(self._step, means)
    self._pending, self._flushed, self._time = [], self._step, now

  def scores(self, scores: dict[str, float]) -> None:
    """Writes what an evaluation between two steps said, after a flush."""
    if self._writer is not None:
      named = {f"validation/{name}": value for name, value in scores.items()}
      self._writer.scalars(self._step, named)
    self._time = time.perf_counter()  # it was no time of the training
