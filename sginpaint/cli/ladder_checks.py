"""What a ladder finds out before its first training.

A ladder may take days: whatever would stop it later is looked for now, for
every config and every workdir.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints, workdirs
from sginpaint.cli.evaluate import split_name
from sginpaint.cli.ladder_records import Run
from sginpaint.cli.ladder_stages import source_rows
from sginpaint.data.datasets import Dataset
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.analyses import build_analyst, choose_analyses
from sginpaint.evaluation.baselines import check_names
from sginpaint.evaluation.completed_segmentation import load_judge
from sginpaint.evaluation.guidance import check_guidance, take_guidance
from sginpaint.evaluation.manifest import KINDS, clip_buckets
from sginpaint.evaluation.perceptual_metrics import load_networks
from sginpaint.evaluation.protocols import get_protocol
from sginpaint.systems import System, build_system, example_batch
from sginpaint.training import frozen, setup, sharding
from sginpaint.training.optimizer import build_optimizers


def check_configs(
  configs: Mapping[str, ConfigDict],
  masks: Sequence[str],
  split: str,
  *,
  truth: bool,
) -> tuple[Dataset, dict[str, bool]]:
  """Tries all that needs no workdir; fills in the classes of the data.

  Args:
    configs: {name of the row: config}.
    masks: of the evaluations.
    split: of the evaluations, a role in `config.data` or a name.
    truth: whether the true segmentation is to guide as well.

  Returns:
    The data set, as the first config names it, and {name: whether the system
    takes a segmentation}.

  Raises:
    UserError: names the config and what is to be mended.
  """
  datasets, guided = [], {}
  for name, config in configs.items():
    with _naming(name):
      setup.check_config(config)
      sharding.check_batch_size(config.batch_size, sharding.make_mesh())
      dataset = setup.load_data(config)
      datasets.append(dataset)
      dataset.split(config.data.train_split)
      tried = dataset.split(split_name(config, split))
      setup.open_masks(config)
      build_optimizers(config.optimizer, config.steps)
      for target, source in config.init_from.items():
        if target not in source_rows(config, configs):
          checkpoints.load(source)
      _check_evaluation(config, masks)
      system = build_system(config)
      _check_analyses(config, system, tried)
      guided[name] = "segmentation" in system.GUIDANCE
      told = config.copy_and_resolve_references()
      told.eval.guidance = "truth" if truth else config.eval.guidance
      check_guidance(system, tried, told)
  return datasets[0], guided


def _check_evaluation(config: ConfigDict, masks: Sequence[str]) -> None:
  get_protocol(config.eval.protocol)
  check_names(tuple(config.eval.baselines))
  take_guidance(example_batch(config), config.eval.guidance)
  load_networks(config)
  for holes in masks:
    if holes == "irregular":
      clip_buckets(*config.eval.irregular_ratio)
    elif holes not in KINDS:
      MaskFolder(holes, white_is_hole=config.eval.white_is_hole)


def _check_analyses(config: ConfigDict, system: System, split: Split) -> None:
  example = example_batch(config)
  shapes = jax.eval_shape(system.init, jax.random.key(0), example)
  untrained = checkpoints.Loaded(
    config=config,
    system=system,
    variables=dict(shapes["generator"]),
    frozen={},
    step=0,
    hash="",
    workdir=os.devnull,
  )
  if not system.SERVED:
    build_analyst(untrained, split)
    return
  # What it puts out needs networks that no workdir holds yet.
  choose_analyses(config)
  load_judge(untrained)


def check_run(run: Run, dataset: Dataset) -> None:
  """Raises UserError where a workdir does not fit, or a network is missing."""
  workdir = str(run.workdir)
  with _naming(run.name):
    setup.check_resumable(workdir, run.config)
    _check_length(run)
    if not run.trained:
      setup.open_teacher(run.config, dataset, workdir)
      frozen.check_frozen(run.config, workdir)


def _check_length(run: Run) -> None:
  # `train` may go on for more steps. Here that would make another row of it
  # than the same number of steps from the start: schedules end elsewhere.
  if not workdirs.steps(str(run.workdir)):
    return
  before = workdirs.load_config(str(run.workdir)).steps
  if before != run.config.steps:
    raise UserError(
      f"config.steps is {run.config.steps} but {run.workdir} was begun with "
      f"{before}; use that or another --workdir"
    )


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
  try:
    yield
  except UserError as e:
    raise UserError(f"{name}: {e}") from e
