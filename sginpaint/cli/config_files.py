"""`--config=FILE[:ARG] --config.<field>=VALUE ...` into a config.

A config file is a program, and what it raises is told in one line, with the
line of the file. Its fields are those of configs/common.py: one that is
misspelt there would have no effect.
"""

import importlib.util
import os
import pathlib
import traceback
import types
from collections.abc import Mapping

from ml_collections import ConfigDict

from sginpaint.cli.overrides import apply_overrides, field_names, nearest
from sginpaint.errors import UserError


def parse_config(name: str, overrides: Mapping[str, str]) -> ConfigDict:
  """The locked config that a command line describes.

  Args:
    name: FILE[:ARG].
    overrides: {"<field>": value as typed}.

  Raises:
    UserError: the file, its argument, a field or a value is not right.
  """
  if not name:
    raise UserError("--config=configs/<name>.py is missing")
  config = load_config_file(name)
  apply_overrides(config, overrides)
  return config.lock()


def load_config_file(name: str) -> ConfigDict:
  """Calls `get_config` of `FILE[:ARG]`.

  Raises:
    UserError: no such file, not a config, or `get_config` refuses ARG.
  """
  path, _, arg = name.partition(":")
  module = _import_file(path)
  if not hasattr(module, "get_config"):
    raise UserError(f"--config={path}: has no get_config; choose another file")
  try:
    config = module.get_config(arg)
  except ValueError as e:
    raise UserError(f"--config={name}: {e}") from e
  except Exception as e:  # a config file may raise anything
    raise _faulty(path, e) from e
  if not isinstance(config, ConfigDict):
    raise UserError(f"--config={path}: get_config returns no ConfigDict")
  _check_fields(path, config)
  return config


def _check_fields(path: str, config: ConfigDict) -> None:
  """Raises UserError unless the fields are those of configs/common.py."""
  from configs import common

  expected = common.get_config()
  own = [n for n, v in expected.items() if isinstance(v, ConfigDict) and not v]
  own.append("loss_weights")  # filled in by the systems, as are the empty ones
  known, found = (
    [n for n in field_names(c) if n.split(".")[0] not in own]
    for c in (expected, config)
  )
  if lacking := [name for name in known if name not in found]:
    raise UserError(
      f"--config={path}: has no config.{lacking[0]}; begin with the fields of "
      "configs.common.get_config()"
    )
  if strange := [name for name in found if name not in known]:
    raise UserError(
      f"--config={path}: config.{strange[0]} is no field; "
      f"{nearest(strange[0], known)}"
    )


def _faulty(path: str, error: Exception) -> UserError:
  """What a config file raised, with the place in it."""
  steps = traceback.extract_tb(error.__traceback__)
  lines = [s.lineno for s in steps if s.filename == os.path.abspath(path)]
  where = f", line {lines[-1]}" if lines else ""
  reason: object = error
  while isinstance(reason, Exception) and len(reason.args) == 1:
    reason = reason.args[0]  # a KeyError shows its text in quotes
  return UserError(
    f"--config={path}{where}: cannot be read ({type(error).__name__}: "
    f"{reason}); mend the file"
  )


def _import_file(path: str) -> types.ModuleType:
  if not pathlib.Path(path).is_file():
    have = sorted(p.name for p in pathlib.Path("configs").glob("[!_]*.py"))
    raise UserError(
      f"--config={path}: no such file; configs/ has {', '.join(have)}"
    )
  spec = importlib.util.spec_from_file_location("config_file", path)
  if spec is None or spec.loader is None:
    raise UserError(f"--config={path}: is not a Python file")
  module = importlib.util.module_from_spec(spec)
  try:
    spec.loader.exec_module(module)
  except Exception as e:  # a config file may raise anything
    raise _faulty(path, e) from e
  return module
