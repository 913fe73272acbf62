"""Climbs a ladder: trains and evaluates what is not done, in one process.

Seeds are the outer loop, so that a whole table is there early and gains seeds.
The seed of a run is its `config.seed`. Data order, crops and flips follow from
it and the step (`data/pipeline.py`), training masks and initial values from
keys derived from it by name (`training/state.py`): under one seed they are the
same whatever network is trained, and parameters that two networks have in
common, by path and shape, begin with equal values.
"""

import dataclasses
import gc
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from ml_collections import ConfigDict

from sginpaint import workdirs
from sginpaint.cli import ladder_records as records
from sginpaint.cli.evaluate import open_run, split_name
from sginpaint.cli.ladder_checks import check_configs, check_run
from sginpaint.cli.ladder_records import NO_MASKS, Job, Run
from sginpaint.cli.ladder_stages import begin_from
from sginpaint.errors import UserError
from sginpaint.evaluation.evaluator import evaluate
from sginpaint.evaluation.ladder import (
  Entry,
  Score,
  Table,
  build_table,
  true_map,
)
from sginpaint.evaluation.ladder_markdown import to_markdown
from sginpaint.evaluation.served import output_names
from sginpaint.files import write_atomically, write_json
from sginpaint.training import loop

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Ladder:
  """What is wanted.

  Attributes:
    configs: {name of the row: config}.
    seeds: how many.
    masks: of the evaluations, a table each.
    split: of the evaluations, a role in `config.data` or a name.
    truth: evaluate with the true segmentation as well.
    workdir: for everything.
  """

  configs: Mapping[str, ConfigDict]
  seeds: int
  masks: Sequence[str]
  split: str
  truth: bool
  workdir: pathlib.Path

  def climb(self) -> int:
    """Does what is left to do, and prints the tables.

    Returns:
      0, or what an interrupted training returned.

    Raises:
      UserError: something needs mending; of what can be known beforehand,
        before the first training.
    """
    dataset, guided = check_configs(
      self.configs, self.masks, self.split, truth=self.truth
    )
    if self.truth and not any(guided.values()):
      raise UserError(
        "--truth: no system here takes a segmentation; leave it out"
      )
    runs = [
      self._run(name, seed, guided[name])
      for seed in range(self.seeds)
      for name in self.configs
    ]
    planned = {str(run.workdir): run.config for run in runs}
    for run in runs:
      check_run(run, dataset, planned)
    results = _Results(self, dataset.fingerprint)
    for run in runs:
      results.look_for(run)
    for number, run in enumerate(runs, 1):
      if results.complete(run):
        continue
      title = f"{run.name}, seed {run.config.seed}"
      _log.info("run %d of %d: %s", number, len(runs), title)
      code = 0 if run.trained else _train(run)
      if code or not run.trained:
        _log.info("stopped in the training; the same command goes on")
        return code
      _evaluate(run, results)
      # Else the programs and arrays of all runs would stay in memory.
      jax.clear_caches()
      gc.collect()
    print(results.write())
    print(f"written to {self.workdir / 'ladder.md'}")
    return 0

  def _run(self, name: str, seed: int, guided: bool) -> Run:
    config = self.configs[name].copy_and_resolve_references()
    config.seed = seed
    begin_from(config, {n: self._folder(n, seed) for n in self.configs})
    return Run(name, config, self._folder(name, seed), guided)

  def _folder(self, name: str, seed: int) -> pathlib.Path:
    return self.workdir / name / f"seed{seed}"

  def jobs(self, run: Run) -> list[Job]:
    """The evaluations of a run, if it fills holes."""
    kinds = (False, True) if self.truth and run.guided else (False,)
    return [Job(run, masks, truth) for masks in self.masks for truth in kinds]


def _train(run: Run) -> int:
  if not workdirs.steps(str(run.workdir)):
    records.write_sources(run)
  return loop.train(run.config, str(run.workdir))


def _evaluate(run: Run, results: "_Results") -> None:
  """Evaluates what is missing of a trained run."""
  loaded, split = open_run(
    str(run.workdir),
    run.config,
    step=run.config.steps,
    split=results.ladder.split,
  )
  fills = "image" in output_names(loaded)
  jobs = results.ladder.jobs(run) if fills else [Job(run, NO_MASKS)]
  for job in jobs:
    if job.key in results.scores:
      continue
    name = f"{job.row}, seed {run.config.seed}"
    _log.info("evaluating %s: masks %s", name, job.masks)
    records.forget(job)
    evaluate(
      dataclasses.replace(loaded, config=job.config),
      split,
      output_dir=job.folder,
      name=name,
    )
    sizes = (leaf.size for leaf in jax.tree.leaves(loaded.variables["params"]))
    results.keep(job, parameters=sum(sizes))


class _Results:
  """The scores that are there.

  Attributes:
    ladder: what is wanted.
    scores: {key of a job: its score}.
  """

  def __init__(self, ladder: Ladder, data: str):
    self.ladder = ladder
    self.scores: dict[tuple[str, str, int], Score] = {}
    self._data = data

  def look_for(self, run: Run) -> None:
    """Finds what was evaluated before and would come out the same now."""
    if not run.trained:
      return
    for job in (*self.ladder.jobs(run), Job(run, NO_MASKS)):
      if records.is_done(job, self._inputs(job)):
        self.scores[job.key] = records.read(job)

  def complete(self, run: Run) -> bool:
    """Whether nothing of the run is left to do."""
    jobs = self.ladder.jobs(run)
    every = all(job.key in self.scores for job in jobs)
    return every or Job(run, NO_MASKS).key in self.scores

  def keep(self, job: Job, *, parameters: int) -> None:
    """Records an evaluation that has just been written, and the tables."""
    records.write(job, self._inputs(job), parameters)
    self.scores[job.key] = records.read(job)
    self.write()

  def _inputs(self, job: Job) -> dict[str, Any]:
    split = split_name(job.run.config, self.ladder.split)
    return records.inputs_of(job, data=self._data, split=split)

  def write(self) -> str:
    """Writes ladder.json and ladder.md; returns the latter's text."""
    found = [self._table(m) for m in (*self.ladder.masks, NO_MASKS)]
    tables = [table for table in found if table is not None]
    text = to_markdown(tables)
    folder = self.ladder.workdir
    write_json(folder / "ladder.json", [dataclasses.asdict(t) for t in tables])
    write_atomically(folder / "ladder.md", text)
    return text

  def _table(self, masks: str) -> Table | None:
    entries: list[Entry] = []
    above = None
    for name in self.ladder.configs:
      own = self._entry(name, masks, above)
      true = self._entry(true_map(name), masks, name)
      entries += [entry for entry in (own, true) if entry.scores]
      above = name if own.scores else above
    return build_table(entries) if entries else None

  def _entry(self, row: str, masks: str, above: str | None) -> Entry:
    keys = {seed: (row, masks, seed) for seed in range(self.ladder.seeds)}
    scores = {s: self.scores[k] for s, k in keys.items() if k in self.scores}
    return Entry(row, above, scores)
