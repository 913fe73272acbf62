"""Attributes that a person wants in filled pictures: words, or a CSV file.

The file is that of a data folder, `sginpaint.data.attributes`, and may name
fewer attributes than there are. What nobody says is NaN.
"""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from sginpaint.data import attributes as table
from sginpaint.data.folder_layout import Picture
from sginpaint.errors import UserError


def read_attributes(
  given: str | None, pictures: Sequence[pathlib.Path], names: Sequence[str]
) -> dict[pathlib.Path, np.ndarray]:
  """What `--attributes` says of each picture.

  Args:
    given: NAME=VALUE,... with values in 0..1, or the path of a CSV file; None
      or "" = nothing.
    pictures: to be filled.
    names: of the A attributes that the system knows.

  Returns:
    {picture: float32 [A], NaN = not said}; empty where nothing is given.

  Raises:
    UserError: an attribute is not known, a value is none, or the file is
      missing, wrong, or has no row for any picture.
  """
  if not given:
    return {}
  if "=" not in given or os.path.isfile(given):
    return _from_file(pathlib.Path(given), pictures, names)
  vector = _nothing(names)
  for word in filter(None, given.split(",")):
    name, _, value = (part.strip() for part in word.partition("="))
    column = _position(name, names, given)
    if not np.isnan(vector[column]):
      raise UserError(f"--attributes={given}: {name} is there twice")
    vector[column] = _value(value, word, given)
  return dict.fromkeys(pictures, vector)


def _from_file(
  path: pathlib.Path, pictures: Sequence[pathlib.Path], names: Sequence[str]
) -> dict[pathlib.Path, np.ndarray]:
  if not os.path.isfile(path):
    raise UserError(
      f"--attributes={path}: no such file; write NAME=1,NAME=0 or name a file"
    )
  order = list(dict.fromkeys(pictures))
  asked = [Picture(p.stem, p.name, "", "") for p in order]
  titles, values = table.read_attributes(path, asked)
  columns = [_position(title, names, str(path)) for title in titles]
  told = {}
  for picture, row in zip(order, values, strict=True):
    told[picture] = _nothing(names)
    told[picture][columns] = row
  return told


def _nothing(names: Sequence[str]) -> np.ndarray:
  return np.full(len(names), np.nan, np.float32)


def _position(name: str, names: Sequence[str], given: str) -> int:
  if name not in names:
    known = ", ".join(names) or "none"
    raise UserError(
      f"--attributes={given}: no attribute {name!r}; there are {known}"
    )
  return list(names).index(name)


def _value(text: str, word: str, given: str) -> float:
  try:
    value = float(text)
  except ValueError:
    value = -1.0
  if not 0 <= value <= 1:
    raise UserError(
      f"--attributes={given}: {word.strip()}: write a number in 0..1 behind ="
    )
  return value
