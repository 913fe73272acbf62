"""The trainings and evaluations of a ladder, and which of them are done.

Beside the files of an evaluation lies `inputs.json`: all that its scores depend
on. While that is what an evaluation would depend on now, it is not repeated.
In the workdir of a training lies `sources.json`: the weights of others that it
began with. Those are not to change afterwards.
"""

import csv
import dataclasses
import json
import pathlib
from collections.abc import Collection
from typing import Any

from ml_collections import ConfigDict

import sginpaint
from sginpaint import checkpoints, workdirs
from sginpaint.data.mask_files import MaskFolder
from sginpaint.errors import UserError
from sginpaint.evaluation.ladder import Score, true_map
from sginpaint.evaluation.manifest import KINDS
from sginpaint.evaluation.results import LEADING
from sginpaint.files import digest, write_json
from sginpaint.training.frozen import networks_of

# Of the one evaluation of systems that fill no holes.
NO_MASKS = "none"
_RECORD = "inputs.json"
_SOURCES = "sources.json"


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
  """One training.

  Attributes:
    name: of its row.
    config: with its seed and the classes of its data.
    workdir: of the training.
    guided: whether the system takes a segmentation.
  """

  name: str
  config: ConfigDict
  workdir: pathlib.Path
  guided: bool

  @property
  def trained(self) -> bool:
    """Whether the training came to its end."""
    return self.config.steps in workdirs.steps(str(self.workdir))


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
  """One evaluation of a run.

  Attributes:
    run: that is evaluated.
    masks: value of `config.eval.masks`.
    truth: tell the system the true segmentation.
  """

  run: Run
  masks: str
  truth: bool = False

  @property
  def row(self) -> str:
    """Name of the row of the table."""
    return true_map(self.run.name) if self.truth else self.run.name

  @property
  def key(self) -> tuple[str, str, int]:
    """(row, masks, seed): no other evaluation of the ladder has the same."""
    return self.row, self.masks, self.run.config.seed

  @property
  def folder(self) -> pathlib.Path:
    """Where its files lie."""
    parent = "eval_true_map" if self.truth else "eval"
    return self.run.workdir / parent / pathlib.Path(self.masks).resolve().name

  @property
  def config(self) -> ConfigDict:
    """The config of the run with the settings of this evaluation."""
    config = self.run.config.copy_and_resolve_references()
    config.eval.masks = self.masks
    if self.truth:
      config.eval.guidance = "truth"
    return config


def inputs_of(job: Job, *, data: str, split: str) -> dict[str, Any]:
  """What the scores of a job depend on.

  Args:
    job: an evaluation of a training that came to its end.
    data: fingerprint of the data set, labels included.
    split: its name in the data set.
  """
  config = job.config
  groups = pathlib.Path(config.eval.retrieval_groups)
  holes = job.masks
  if holes not in (*KINDS, NO_MASKS):
    folder = MaskFolder(holes, white_is_hole=config.eval.white_is_hole)
    holes = folder.set_hash
  return {
    "version": sginpaint.__version__,
    "step": config.steps,
    "checkpoint": _weights(str(job.run.workdir), config.steps),
    "data": data,
    "split": split,
    "holes": holes,
    "groups": digest(groups.read_bytes()) if groups.is_file() else "",
    "networks": {
      field: _weights(value, newest[0])
      for field, value in config.eval.items()
      if isinstance(value, str) and (newest := workdirs.steps(value))
    },
    "eval": workdirs.plain_config(config)["eval"],
  }


def _weights(workdir: str, step: int) -> str:
  """Names the values in a checkpoint without reading them."""
  return digest(json.dumps(checkpoints.read_checksums(workdir, step)))


def write_sources(run: Run) -> None:
  """Records what a training begins with; to be called before it begins."""
  weights = {
    field: _weights(source, workdirs.steps(source)[0])
    for field, source in _sources(run.config).items()
  }
  write_json(run.workdir / _SOURCES, weights)


def check_sources(run: Run, planned: Collection[str]) -> None:
  """Raises UserError where a training began with other weights than are there.

  A source that is gone is no other one, unless the ladder will train it again.

  Args:
    run: a training; nothing is asked of one that has not begun, nor of one
      that was begun without a record.
    planned: workdirs of all trainings of the ladder.
  """
  path = run.workdir / _SOURCES
  if not path.is_file() or not workdirs.steps(str(run.workdir)):
    return
  began = json.loads(path.read_text())
  for field, source in _sources(run.config).items():
    newest = workdirs.steps(source)
    if not newest and source not in planned:
      continue
    if not newest or _weights(source, newest[0]) != began.get(field):
      raise UserError(
        f"config.{field}={source} was trained again since {run.workdir} began "
        f"with it; delete {run.workdir}, or use another --workdir"
      )


def _sources(config: ConfigDict) -> dict[str, str]:
  """{field: workdir} of the networks of others that a training takes."""
  begun = {
    f"init_from[{t!r}]": source for t, source in config.init_from.items()
  }
  return begun | {
    ("teacher.path" if name == "teacher" else f"objective.{name}"): source
    for name, source in networks_of(config).items()
  }


def is_done(job: Job, inputs: dict[str, Any]) -> bool:
  """Whether the job was evaluated, and with these inputs."""
  path = job.folder / _RECORD
  return path.is_file() and json.loads(path.read_text())["inputs"] == inputs


def read(job: Job) -> Score:
  """The score of a job that is done."""
  return Score(
    metrics=json.loads((job.folder / "metrics.json").read_text()),
    parameters=json.loads((job.folder / _RECORD).read_text())["parameters"],
    pictures=_pictures(job.folder / "per_image.csv"),
  )


def _pictures(path: pathlib.Path) -> dict[str, float]:
  with path.open(newline="") as file:
    return {
      line["index"]: float(line[LEADING])
      for line in csv.DictReader(file)
      if line.get(LEADING)
    }


def forget(job: Job) -> None:
  """To be called before a job's files change: half of them are no result."""
  (job.folder / _RECORD).unlink(missing_ok=True)


def write(job: Job, inputs: dict[str, Any], parameters: int) -> None:
  """To be called when all files of a job are written.

  Args:
    job: an evaluation.
    inputs: see `inputs_of`.
    parameters: numbers in the generator.
  """
  record = {"inputs": inputs, "parameters": parameters}
  write_json(job.folder / _RECORD, record)
