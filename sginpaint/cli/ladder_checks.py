"""What a ladder finds out before its first training.

A ladder may take days: whatever would stop it later is looked for now, for
every config and every workdir.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from ml_collections import ConfigDict

from sginpaint import workdirs
from sginpaint.cli.evaluate import split_name
from sginpaint.cli.ladder_records import Run, check_sources
from sginpaint.data.datasets import Dataset
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.analyses import build_analyst
from sginpaint.evaluation.baselines import chosen_baselines
from sginpaint.evaluation.guidance import check_guidance, take_guidance
from sginpaint.evaluation.manifest import KINDS, clip_buckets
from sginpaint.evaluation.pairing import manifest_of
from sginpaint.evaluation.perceptual_metrics import load_networks
from sginpaint.evaluation.protocols import get_protocol
from sginpaint.evaluation.reviewers import build_reviewers
from sginpaint.evaluation.served import untrained
from sginpaint.systems import System, build_system, example_batch
from sginpaint.training import frozen, setup, sharding
from sginpaint.training.init_from import check_init_from
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
      frozen.adopt_names(config)
      datasets.append(dataset)
      setup.check_system(config, dataset.split(config.data.train_split))
      tried = dataset.split(split_name(config, split))
      setup.open_masks(config)
      build_optimizers(config.optimizer, config.steps)
      _check_evaluation(config, masks)
      _check_protocol(config, masks, tried)
      system = build_system(config)
      _check_analyses(config, system, tried)
      guided[name] = "segmentation" in system.GUIDANCE
      told = config.copy_and_resolve_references()
      also = ("truth",) if truth and guided[name] else ()
      for mode in (config.eval.guidance, *also):
        told.eval.guidance = mode
        check_guidance(system, tried, told)
  return datasets[0], guided


def _check_evaluation(config: ConfigDict, masks: Sequence[str]) -> None:
  get_protocol(config.eval.protocol)
  chosen_baselines(config)
  take_guidance(example_batch(config), config.eval.guidance)
  load_networks(config)
  for holes in masks:
    if holes == "irregular":
      clip_buckets(*config.eval.irregular_ratio)
    elif holes not in KINDS:
      MaskFolder(holes, white_is_hole=config.eval.white_is_hole)


def _check_protocol(
  config: ConfigDict, masks: Sequence[str], split: Split
) -> None:
  protocol = get_protocol(config.eval.protocol)
  if not protocol.settings:
    return
  asked = config.copy_and_resolve_references()
  for holes in masks:
    asked.eval.masks = holes
    pairs = manifest_of(split, asked, count=asked.eval.count)
    protocol.check(asked, split, pairs)


def _check_analyses(config: ConfigDict, system: System, split: Split) -> None:
  networks = frozen.networks_of(config)
  guides = {n: networks[n] for n in system.SERVED if n in networks}
  # A begun run may do without them: it took them along.
  if all(map(workdirs.steps, guides.values())):
    loaded = untrained(config, guides)
    build_analyst(loaded, split)
    build_reviewers(loaded, split)


def check_run(
  run: Run, dataset: Dataset, planned: Mapping[str, ConfigDict]
) -> None:
  """Raises UserError where a workdir does not fit, or a network is missing.

  Args:
    run: a training.
    dataset: that it trains on.
    planned: {workdir: config} of all trainings of the ladder.
  """
  workdir = str(run.workdir)
  with _naming(run.name):
    setup.check_resumable(workdir, run.config)
    _check_length(run)
    check_sources(run, planned)
    check_init_from(run.config, workdir, planned)
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
      f"config.steps={run.config.steps}: {run.workdir} was begun with "
      f"{before}; use that or another --workdir"
    )


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
  try:
    yield
  except UserError as e:
    raise UserError(f"{name}: {e}") from e
