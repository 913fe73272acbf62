"""Paths that a person types, tried before anything slow and before any writing.

They are tried with os.path, which says no where pathlib raises: in a locked
folder, of a name that is too long.
"""

import errno
import os
import pathlib
import tempfile

from sginpaint.errors import UserError


def check_checkpoint(checkpoint: str) -> None:
  """Raises UserError unless `--checkpoint` names a workdir."""
  path = pathlib.Path(checkpoint)
  if not os.path.isdir(checkpoint):
    what = "is a file, not" if os.path.isfile(path) else "no such folder; give"
    raise UserError(
      f"--checkpoint={checkpoint}: {what} the workdir of a training"
    )
  if not os.path.isfile(path / "config.json"):
    raise UserError(
      f"--checkpoint={checkpoint}: holds no config.json; give the workdir "
      "of a training"
    )


def check_workdir(workdir: str) -> None:
  """Raises UserError unless a training can be kept in `--workdir`."""
  if not workdir:
    raise UserError("--workdir=DIR is missing: the folder of the training")
  if os.path.lexists(workdir) and not os.path.isdir(workdir):
    raise UserError(f"--workdir={workdir}: is a file; give a folder")
  check_writable(pathlib.Path(workdir), folder=True)


def check_output_folder(output: str, *, new: bool = False) -> None:
  """Raises UserError unless files can be written to the folder `--output`.

  Args:
    output: as typed.
    new: whether nothing may be there yet.
  """
  if not output:
    raise UserError("--output='': empty; give a folder")
  path = pathlib.Path(os.path.abspath(output))
  if new and os.path.lexists(path) and not _is_empty_folder(path):
    raise UserError(f"--output={output}: exists already; choose another folder")
  if os.path.isfile(path):
    raise UserError(f"--output={output}: is a file; give a folder")
  # A new one is written beside its place and renamed.
  check_writable(path, folder=not new)


def _is_empty_folder(path: pathlib.Path) -> bool:
  return path.is_dir() and not any(path.iterdir())


def check_writable(output: pathlib.Path, *, folder: bool = False) -> None:
  """Raises UserError where a file of this path could not be made.

  Args:
    output: the file.
    folder: it is a folder, and files in it are meant.
  """
  path = output.absolute()
  above = (path, *path.parents) if folder else path.parents
  place = next(p for p in above if os.path.lexists(p))
  if not os.path.isdir(place):
    raise UserError(f"{output}: {place} is a file; choose another folder")
  if reason := _refusal(place):
    raise UserError(
      f"{output}: {place} cannot be written ({reason}); choose another folder"
    )


def _refusal(folder: pathlib.Path) -> str:
  """Why nothing can be written to a folder, or ""."""
  if not os.access(folder, os.W_OK | os.X_OK):
    return os.strerror(errno.EACCES)
  try:
    # The one way to know of a read-only or full disk; it leaves no trace.
    with tempfile.TemporaryFile(dir=folder):
      return ""
  except OSError as e:
    return e.strerror or str(e)
