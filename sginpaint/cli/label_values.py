"""Which number stands for which class in label files, written or read.

A classes.csv that belongs to the files decides, by the names of the classes;
where there is none, the numbers are class indices, and who writes files writes
one. It lies in the folder of the files, or, where that is the `labels` of a
data set, in the data set's. Colours are always those of the checkpoint.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint import images
from sginpaint.batch import IGNORE
from sginpaint.cli.paths import check_writable
from sginpaint.data.classes import (
  UNLISTED,
  ClassInfo,
  ClassTable,
  classes_csv,
  read_classes,
)
from sginpaint.data.folder_layout import classes_file
from sginpaint.errors import UserError


@dataclasses.dataclass(frozen=True)
class Values:
  """What stands in the files, and the classes.csv that says so.

  Attributes:
    of_class: uint8 [K], the number of each class.
    file: the classes.csv.
    text: its contents, if it is to be written; else "".
  """

  of_class: np.ndarray
  file: pathlib.Path
  text: str

  def describe(self) -> None:
    """Writes the classes.csv where it is not there yet."""
    if self.text and not os.path.lexists(self.file):
      images.write_bytes(self.file, self.text.encode())


def plan_values(output: str, classes: Sequence[Mapping[str, Any]]) -> Values:
  """Chooses the numbers; writes nothing.

  Args:
    output: folder of the label files.
    classes: `config.data.classes`, in order of their indices.

  Raises:
    UserError: a classes.csv is there that lacks one of the classes, or cannot
      be read or written.
  """
  file = classes_file(pathlib.Path(output))
  if not os.path.lexists(file):
    check_writable(file)
    indices = np.arange(len(classes), dtype=np.uint8)
    return Values(indices, file, _text(classes))
  table = read_classes(file)
  value_of = {
    row.name: value
    for row, value in zip(table.rows, table.values, strict=True)
    if not row.ignore
  }
  names = [info["name"] for info in classes]
  if lacking := [name for name in names if name not in value_of]:
    raise UserError(
      f"{file}: has no class {lacking[0]!r}, which the checkpoint knows; "
      "choose another --output"
    )
  return Values(np.array([value_of[n] for n in names], np.uint8), file, "")


def read_code(
  folder: pathlib.Path, classes: Sequence[Mapping[str, Any]]
) -> images.LabelCode:
  """How the label files of a folder are read.

  A class that the checkpoint does not know is none, unless the classes.csv
  ignores it: then nothing is said there.

  Args:
    folder: of the label files.
    classes: `config.data.classes`, in order of their indices.

  Raises:
    UserError: the classes.csv cannot be understood.
  """
  names = [info["name"] for info in classes]
  lookup = np.full(256, UNLISTED, np.int32)
  lookup[IGNORE] = IGNORE
  file = classes_file(folder)
  if not os.path.lexists(file):
    lookup[: len(names)] = np.arange(len(names))
    return _code(classes, lookup, "the checkpoint")
  table = read_classes(file)
  for row, value in zip(table.rows, table.values, strict=True):
    if row.ignore:
      lookup[value] = IGNORE
    elif row.name in names:
      lookup[value] = names.index(row.name)
  return _code(classes, lookup, str(file))


def write_code(
  values: Values, classes: Sequence[Mapping[str, Any]]
) -> images.LabelCode:
  """How label files are written, by the numbers that were chosen."""
  lookup = np.full(256, UNLISTED, np.int32)
  lookup[IGNORE] = IGNORE
  lookup[values.of_class] = np.arange(len(classes))
  return _code(classes, lookup, str(values.file))


def _code(
  classes: Sequence[Mapping[str, Any]], lookup: np.ndarray, source: str
) -> images.LabelCode:
  colours = np.array([info["colour"] for info in classes], np.uint8)
  names = tuple(info["name"] for info in classes)
  return images.LabelCode(names, colours.reshape(-1, 3), lookup, source)


def _text(classes: Sequence[Mapping[str, Any]]) -> str:
  rows = (
    ClassInfo(info["name"], tuple(info["colour"]), mirror=info["mirror"])
    for info in classes
  )
  return classes_csv(ClassTable(tuple(rows), tuple(range(len(classes)))))
