"""What `compare` is given on its command line: [NAME=]WHAT.

WHAT is a workdir, its newest checkpoint or, as DIR@step or DIR@best, another; a
folder of pictures; a folder that evaluate wrote; or the name of a baseline.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from sginpaint.errors import UserError

CHECKPOINT, PICTURES = "checkpoint", "pictures"
EVALUATION, BASELINE = "evaluation", "baseline"
# Those of evaluation/baselines.py, without the time that its import takes.
BASELINES = ("mean_color", "telea", "navier_stokes", "masked")
_LEAST, _MOST = 2, 12


@dataclasses.dataclass(frozen=True)
class Given:
  """One thing to compare.

  Attributes:
    name: for people.
    source: as typed, without the name.
    kind: CHECKPOINT, PICTURES, EVALUATION or BASELINE.
    path: of the folder, or the baseline's name.
    step: of a checkpoint; None = the newest.
  """

  name: str
  source: str
  kind: str
  path: str
  step: int | str | None = None


def parse(words: Sequence[str]) -> list[Given]:
  """What was typed.

  Raises:
    UserError: something is not there, or two have one name.
  """
  if not _LEAST <= len(words) <= _MOST:
    raise UserError(
      f"compare: got {len(words)} to compare; give {_LEAST} to {_MOST}: "
      "workdirs, folders of pictures or baselines"
    )
  given = [_parse(word) for word in words]
  names = [one.name for one in given]
  # Two of the same last part are told apart by the whole of what was typed.
  given = [
    dataclasses.replace(one, name=one.source)
    if names.count(one.name) > 1 and f"{one.name}=" not in words[i]
    else one
    for i, one in enumerate(given)
  ]
  names = [one.name for one in given]
  for name in names:
    if names.count(name) > 1:
      twice = [one.source for one in given if one.name == name][:2]
      raise UserError(
        f"{name}: is there twice; tell them apart, as A={twice[0]} B={twice[1]}"
      )
  return given


def _parse(word: str) -> Given:
  name, equals, source = word.partition("=")
  if not equals or not name or "/" in name or pathlib.Path(word).exists():
    name, source = "", word
  path, _, step = source.rpartition("@")
  if path and _is_workdir(path):
    if not (step.isdigit() or step == "best"):
      raise UserError(f"{source}: give the step behind @, a number or best")
    last = pathlib.Path(path).resolve().name
    return Given(
      name or f"{last}@{step}",
      source,
      CHECKPOINT,
      path,
      int(step) if step.isdigit() else step,
    )
  kind = _kind(source)
  last = source if kind == BASELINE else pathlib.Path(source).resolve().name
  return Given(name or last, source, kind, source)


def _is_workdir(path: str) -> bool:
  return (pathlib.Path(path) / "config.json").is_file()


def _kind(source: str) -> str:
  folder = pathlib.Path(source)
  if not folder.is_dir():
    if source in BASELINES:
      return BASELINE
    raise UserError(
      f"{source}: no such folder; give a workdir, a folder of pictures, or one "
      f"of {', '.join(BASELINES)}"
    )
  if _is_workdir(source):
    return CHECKPOINT
  if (folder / "metrics.json").is_file():
    return EVALUATION
  return PICTURES
