"""The parts of a workdir that need no JAX: its config and its list of steps.

A workdir is `config.json`, `checkpoints/<step>/`, `frozen/<name>/` (workdirs of
the networks that the system needs but does not train), `eval/` and logs.
"""

import contextlib
import functools
import json
import logging
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from sginpaint.errors import UserError
from sginpaint.files import write_json

_log = logging.getLogger(__name__)

# Fields that came later: what workdirs without them mean.
_LATER: dict[tuple[str, ...], dict[str, Any]] = {
  (): {"accumulate": 1, "remat": "none"},
  ("checkpoint",): {"best": ""},
  ("optimizer", "generator"): {"name": "adam"},
  ("optimizer", "discriminator"): {"name": "adam"},
  ("data",): {"labels": "", "crop_size": 1.0, "keep_attributes": []},
  ("eval",): {
    "manifest": "",
    "every": 0,
    "in_loop_count": 64,
    "feature_network": "none",
    "lpips_network": "none",
    "analyses": [],
    "segmenter": "none",
    "classifier": "none",
    "guide_judges": False,
    "retrieval_network": "none",
    "retrieval_groups": "none",
    "edits": 1,
  },
}


@contextlib.contextmanager
def claim(workdir: str) -> Iterator[None]:
  """Context in which no other process trains into `workdir`, made if missing.

  The claim ends with the process, however that ends. File systems that know no
  locks let everyone in.

  Raises:
    UserError: another process has claimed it.
  """
  os.makedirs(workdir, exist_ok=True)
  if sys.platform == "win32":
    yield
    return
  import fcntl

  folder = os.open(workdir, os.O_RDONLY)
  try:
    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError as e:
    os.close(folder)
    raise UserError(
      f"{workdir}: another process trains there now; wait for its end, or give "
      "another folder"
    ) from e
  except OSError:
    _log.debug("%s: no locks on this file system", workdir)
  try:
    yield
  finally:
    os.close(folder)


def save_config(workdir: str, config: ConfigDict) -> None:
  """Writes the resolved config to `workdir/config.json`."""
  write_json(pathlib.Path(workdir) / "config.json", plain_config(config))


def plain_config(config: ConfigDict) -> dict:
  """The config as JSON holds it: lists for tuples, references resolved."""
  return json.loads(config.to_json())


def load_config(workdir: str) -> ConfigDict:
  """Reads `workdir/config.json`; adds the fields that are younger than it.

  Raises:
    UserError: the directory or the file is missing, or is not a config.
  """
  path = pathlib.Path(workdir) / "config.json"
  if not path.is_file():
    raise UserError(
      f"{workdir}: no config.json there; give the workdir of a training"
    )
  try:
    fields = json.loads(path.read_text())
    for sections, later in _LATER.items():
      section = functools.reduce(dict.__getitem__, sections, fields)
      section.update(later | section)
    config = ConfigDict(fields)
    _ = config.system, config.data.image_size
  except (ValueError, TypeError, KeyError, AttributeError) as e:
    raise UserError(f"{path}: not a config ({e}); restore the file") from e
  return config


def checkpoint_path(workdir: str, step: int) -> pathlib.Path:
  """The directory of one checkpoint, absolute as Orbax wants it."""
  return pathlib.Path(workdir).absolute() / "checkpoints" / str(step)


def held_network(workdir: str, name: str) -> str | None:
  """Workdir of the frozen network that a training took along; None before.

  Until there is a checkpoint nothing was learnt with what lies there: it may be
  left over from another config.
  """
  path = pathlib.Path(workdir) / "frozen" / name
  return str(path) if steps(workdir) and path.is_dir() else None


def steps(workdir: str) -> list[int]:
  """Steps that have a finished checkpoint directory, newest first."""
  directory = pathlib.Path(workdir) / "checkpoints"
  if not directory.is_dir():
    return []
  names = (d.name for d in directory.iterdir())
  return sorted((int(n) for n in names if n.isdigit()), reverse=True)
