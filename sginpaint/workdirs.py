"""The parts of a workdir that need no JAX: its config and its list of steps.

A workdir is `config.json`, `checkpoints/<step>/`, `frozen/<name>/` (workdirs of
the networks that the system needs but does not train), `eval/` and logs.
"""

import json
import pathlib

from ml_collections import ConfigDict

from sginpaint.errors import UserError
from sginpaint.files import write_json


def save_config(workdir: str, config: ConfigDict) -> None:
  """Writes the resolved config to `workdir/config.json`."""
  write_json(pathlib.Path(workdir) / "config.json", plain_config(config))


def plain_config(config: ConfigDict) -> dict:
  """The config as JSON holds it: lists for tuples, references resolved."""
  return json.loads(config.to_json())


def load_config(workdir: str) -> ConfigDict:
  """Reads `workdir/config.json`.

  Raises:
    UserError: the directory or the file is missing, or is not a config.
  """
  path = pathlib.Path(workdir) / "config.json"
  if not path.is_file():
    raise UserError(
      f"{workdir}: no config.json there; give the workdir of a training"
    )
  try:
    config = ConfigDict(json.loads(path.read_text()))
    _ = config.system, config.data.image_size
  except (ValueError, TypeError, AttributeError) as e:
    raise UserError(f"{path}: not a config ({e}); restore the file") from e
  return config


def checkpoint_path(workdir: str, step: int) -> pathlib.Path:
  """The directory of one checkpoint, absolute as Orbax wants it."""
  return pathlib.Path(workdir).absolute() / "checkpoints" / str(step)


def steps(workdir: str) -> list[int]:
  """Steps that have a finished checkpoint directory, newest first."""
  directory = pathlib.Path(workdir) / "checkpoints"
  if not directory.is_dir():
    return []
  names = (d.name for d in directory.iterdir())
  return sorted((int(n) for n in names if n.isdigit()), reverse=True)
