"""Which number stands for which class in label files that are written.

A classes.csv that readers of the files will find decides; where there is none,
the numbers are class indices and one is written. Readers look into the folder
of the files, or, where that is the `labels` of a data set, into the data set's.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sginpaint import images
from sginpaint.cli.jobs import check_writable
from sginpaint.data.classes import read_classes
from sginpaint.data.folder_layout import classes_file
from sginpaint.errors import UserError
from sginpaint.evaluation.results import csv_text


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


def _text(classes: Sequence[Mapping[str, Any]]) -> str:
  header = ["value", "name", "r", "g", "b", "ignore", "mirror"]
  rows = [
    [value, info["name"], *info["colour"], 0, info["mirror"]]
    for value, info in enumerate(classes)
  ]
  return csv_text([header, *rows])
