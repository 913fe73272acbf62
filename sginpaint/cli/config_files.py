"""`--config=FILE[:ARG] --config.<field>=VALUE ...` into a config."""

import importlib.util
import pathlib
import types
from collections.abc import Mapping

from ml_collections import ConfigDict

from sginpaint.cli.overrides import apply_overrides
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
    return module.get_config(arg)
  except ValueError as e:
    raise UserError(f"--config={name}: {e}") from e


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
  except (SyntaxError, ImportError) as e:
    raise UserError(f"--config={path}: cannot be read ({e})") from e
  return module
