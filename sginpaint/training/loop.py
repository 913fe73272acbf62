"""The training loop: what happens between `train.py` and the jitted step."""

import functools
import logging
import signal
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint import checkpoints, workdirs
from sginpaint.batch import Batch
from sginpaint.data import pipeline
from sginpaint.systems import System, build_system, example_batch
from sginpaint.training import frozen as frozen_networks
from sginpaint.training import preview, setup, sharding
from sginpaint.training.init_from import check_init_from, initialise_from
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.state import (
  TrainState,
  create_train_state,
  from_tree,
  to_tree,
)
from sginpaint.training.step import TrainStep
from sginpaint.training.writer import Writer

_log = logging.getLogger(__name__)

IN_FLIGHT = 2  # steps that the host may be ahead of the devices


def train(config: ConfigDict, workdir: str) -> int:
  """Trains until `config.steps`, from wherever `workdir` stands.

  Order of beginnings: the workdir's own newest sound checkpoint, then
  `config.init_from`, then fresh values.

  Args:
    config: of configs/*.py; `data.classes` and `data.attributes` are filled in.
    workdir: made if missing.

  Returns:
    0, also after SIGTERM, or 130 after Ctrl-C; both save before they end.

  Raises:
    UserError: something in the config, the data or the workdir must be mended.
    FloatingPointError: a loss or gradient was not finite.
  """
  setup.check_config(config)
  mesh = sharding.make_mesh()
  sharding.check_batch_size(config.batch_size, mesh)
  dataset = setup.load_data(config)
  split = dataset.split(config.data.train_split)
  setup.check_system(config, split)
  setup.check_resumable(workdir, config)
  teacher = setup.open_teacher(config, dataset, workdir)
  frozen_networks.check_frozen(config, workdir)
  check_init_from(config, workdir)
  mask_folder = setup.open_masks(config)
  optimizers = build_optimizers(config.optimizer, config.steps)
  # Up to here nothing was written: what can be mended was found by now.
  workdirs.save_config(workdir, config)
  frozen_modules, frozen = frozen_networks.adopt_frozen(workdir, config)
  system = build_system(config, frozen_modules)
  state, start = begin(system, optimizers, config, workdir, mesh)
  frozen = jax.device_put(frozen, sharding.replicated(mesh))
  batches = pipeline.training_batches(
    split,
    start_step=start,
    teacher=teacher,
    teacher_scale=(
      config.teacher.input_scale if "teacher" in frozen_modules else 0
    ),
    mask_folder=mask_folder,
    **_order(config),
    **setup.geometry(config),
  )
  show = None
  if config.log.images_every:
    show = preview.make_preview(system, config, dataset)
  with batches, _Signals() as signals:
    _run(
      compile_step(system, optimizers, config, mesh),
      *(state, frozen, batches, start),
      config=config,
      workdir=workdir,
      show=show,
      signals=signals,
    )
  return signals.exit_code


def _order(config: ConfigDict) -> dict[str, Any]:
  """What decides which examples this process sees, and when."""
  return {
    "batch_size": config.batch_size,
    "seed": config.seed,
    "process_index": jax.process_index(),
    "process_count": jax.process_count(),
  }


def begin(
  system: System,
  optimizers: dict[str, Any],
  config: ConfigDict,
  workdir: str,
  mesh: jax.sharding.Mesh,
) -> tuple[TrainState, int]:
  """The state to start from and the number of steps behind it."""
  create = functools.partial(
    create_train_state,
    system,
    optimizers,
    seed=config.seed,
    ema=config.ema_decay > 0,
  )
  example = example_batch(config)
  shapes = jax.eval_shape(create, example)
  restored = checkpoints.restore(
    workdir,
    sharding.abstract(to_tree(shapes), sharding.replicated(mesh)),
    rename=jax.process_index() == 0,
  )
  if restored is not None:
    tree, start = restored
    _log.info("resuming %s at step %d", workdir, start)
    return from_tree(shapes, tree), start
  state = create(example)
  if config.init_from:
    state = initialise_from(state, config.init_from)
  return jax.device_put(state, sharding.replicated(mesh)), 0


def compile_step(
  system: System,
  optimizers: dict[str, Any],
  config: ConfigDict,
  mesh: jax.sharding.Mesh,
):
  """The jitted step: batch split over the mesh, state copied and donated."""
  step_function = TrainStep(
    system,
    optimizers,
    loss_weights=config.loss_weights.to_dict(),
    mask_options=setup.mask_options(config),
    seed=config.seed,
    ema_decay=config.ema_decay,
  )
  copied, split = sharding.replicated(mesh), sharding.batch_sharding(mesh)
  return jax.jit(
    step_function,
    in_shardings=(copied, copied, split),
    out_shardings=copied,
    donate_argnums=0,
  )


def _run(
  step_function,
  state: TrainState,
  frozen: dict[str, Any],
  batches: Iterator[Batch],
  start: int,
  *,
  config: ConfigDict,
  workdir: str,
  show,
  signals: "_Signals",
) -> None:
  writer = Writer(workdir, start=start, total=config.steps)
  saver = checkpoints.Writer(workdir, config)
  log = _Log(writer, config, start)
  mesh = sharding.make_mesh()
  step = start
  try:
    while step < config.steps and not signals.received:
      batch = sharding.put_batch(next(batches), mesh)
      state, metrics = step_function(state, frozen, batch)
      step += 1
      log.add(step, metrics)
      if step % config.log.every == 0 or saver.due(step):
        log.flush()
      if saver.due(step):
        saver.save(step, to_tree(state))
      if show is not None and step % config.log.images_every == 0:
        writer.images(step, "validation", show(state, frozen))
    if step > start:
      log.flush()
      saver.save(step, to_tree(state))
  finally:
    saver.close()
    writer.close()


class _Log:
  """Gathers metrics on the device and reads them back at log steps only."""

  def __init__(self, writer: Writer, config: ConfigDict, start: int):
    self._writer, self._config = writer, config
    self._pending: list[dict[str, jax.Array]] = []
    self._step = self._flushed = start
    self._time: float | None = None

  def add(self, step: int, metrics: dict[str, jax.Array]) -> None:
    self._pending.append(metrics)
    self._step = step
    if len(self._pending) > IN_FLIGHT:
      # Without this the host runs dozens of steps ahead, and a signal or the
      # progress bar speaks of steps that are not done.
      jax.block_until_ready(self._pending[-IN_FLIGHT - 1])
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
    self._writer.scalars(self._step, means)
    self._pending, self._flushed, self._time = [], self._step, now


class _Signals:
  """SIGTERM and Ctrl-C end the loop after the step under way."""

  def __enter__(self) -> "_Signals":
    self.received = 0
    self._old = {
      number: signal.signal(number, self._receive)
      for number in (int(signal.SIGTERM), int(signal.SIGINT))
    }
    return self

  def _receive(self, number: int, frame: Any) -> None:
    del frame
    self.received = number
    # A second one must be able to end a step that hangs.
    signal.signal(number, self._old[number])

  def __exit__(self, *_: object) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)

  @property
  def exit_code(self) -> int:
    return 130 if self.received == signal.SIGINT else 0
