"""The training loop: what happens between `train.py` and the jitted step."""

import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import Any

import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints, workdirs
from sginpaint.batch import Batch
from sginpaint.data import pipeline
from sginpaint.data.datasets import Dataset
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.teacher_features import FeatureStore
from sginpaint.errors import UserError
from sginpaint.systems import System, build_system, example_batch
from sginpaint.training import frozen as frozen_networks
from sginpaint.training import preview, setup, sharding
from sginpaint.training.init_from import check_init_from, initialise_from
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.remat import compiler_options
from sginpaint.training.state import (
  TrainState,
  create_train_state,
  from_tree,
  to_tree,
)
from sginpaint.training.step import TrainStep
from sginpaint.training.stopping import Stop, end_alone
from sginpaint.training.upkeep import Upkeep
from sginpaint.training.validation import Validation, check_validation

_log = logging.getLogger(__name__)


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
  mesh = sharding.make_mesh()
  dataset, teacher, mask_folder = _open(config, workdir, mesh)
  optimizers = build_optimizers(config.optimizer, config.steps)
  # Up to here nothing was written: what can be mended was found by now.
  with contextlib.ExitStack() as stack:
    if jax.process_index() == 0:
      stack.enter_context(workdirs.claim(workdir))
      workdirs.save_config(workdir, config)
    return _train(
      config, workdir, mesh, optimizers, dataset, teacher, mask_folder
    )


def _train(
  config: ConfigDict,
  workdir: str,
  mesh: jax.sharding.Mesh,
  optimizers: dict[str, Any],
  dataset: Dataset,
  teacher: FeatureStore | None,
  mask_folder: MaskFolder | None,
) -> int:
  frozen_modules, frozen = frozen_networks.adopt_frozen(workdir, config)
  system = build_system(config, frozen_modules)
  state, start = begin(system, optimizers, config, workdir, mesh)
  frozen = jax.device_put(frozen, sharding.replicated(mesh))
  online = "teacher" in frozen_modules
  batches = _batches(
    config,
    dataset,
    start,
    teacher=teacher,
    teacher_scale=config.teacher.input_scale if online else 0,
    mask_folder=mask_folder,
  )
  show = validation = None
  if config.log.images_every:
    show = preview.make_preview(system, config, dataset, mesh)
  if config.eval.every:
    validation = Validation(system, config, dataset)
  with batches, Stop() as stop:
    _run(
      compile_step(system, optimizers, config, mesh),
      *(state, frozen, batches, start),
      config=config,
      workdir=workdir,
      upkeep=Upkeep(
        config, workdir, start, frozen, show=show, validation=validation
      ),
      stop=stop,
    )
  return stop.exit_code


def _open(
  config: ConfigDict, workdir: str, mesh: jax.sharding.Mesh
) -> tuple[Dataset, FeatureStore | None, MaskFolder | None]:
  """Data, teacher's features and masks; finds whatever can be mended."""
  setup.check_config(config)
  sharding.check_batch_size(config.batch_size, mesh, parts=config.accumulate)
  dataset = setup.load_data(config)
  frozen_networks.adopt_names(config, workdir)
  split = dataset.split(config.data.train_split)
  setup.check_system(config, split)
  setup.check_resumable(workdir, config)
  teacher = setup.open_teacher(config, dataset, workdir)
  frozen_networks.check_frozen(config, workdir)
  check_init_from(config, workdir)
  check_validation(config, dataset)
  if config.log.images_every:
    dataset.split(config.data.validation_split)
  return dataset, teacher, setup.open_masks(config)


def _batches(
  config: ConfigDict, dataset: Dataset, start: int, **sources: Any
) -> pipeline.BatchIterator:
  """Those of this process, from step `start` on."""
  return pipeline.training_batches(
    dataset.split(config.data.train_split),
    batch_size=config.batch_size,
    start_step=start,
    seed=config.seed,
    process_index=jax.process_index(),
    process_count=jax.process_count(),
    **sources,
    **pipeline.geometry_options(config.data, train=True),
  )


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
    accumulate=config.accumulate,
    shards=mesh.size,
    remat=config.remat,
  )
  copied, split = sharding.replicated(mesh), sharding.batch_sharding(mesh)
  return jax.jit(
    step_function,
    in_shardings=(copied, copied, split),
    out_shardings=copied,
    donate_argnums=0,
    compiler_options=compiler_options(config.remat),
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
  upkeep: Upkeep,
  stop: Stop,
) -> None:
  mesh = sharding.make_mesh()
  step = start
  try:
    while step < config.steps:
      batch = sharding.put_batch(next(batches), mesh)
      if step == start and jax.process_count() > 1:
        step_function = step_function.lower(state, frozen, batch).compile()
        checkpoints.wait_for_all("compiled")
      state, metrics = step_function(state, frozen, batch)
      step += 1
      upkeep.after(step, state, metrics)
      if stop.wanted(step):
        break
    if step > start:
      upkeep.end(step, state)
  except (UserError, FloatingPointError):  # on all processes alike
    raise
  except BaseException:
    if jax.process_count() > 1:
      end_alone(workdir)
    raise
  finally:
    upkeep.close()
