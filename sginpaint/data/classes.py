"""Classes of label maps, and `classes.csv`, which describes them.

    value,name,r,g,b,ignore,mirror
    0,sky,128,128,128,,
    1,left_eye,0,0,255,,right_eye
    2,right_eye,0,255,0,,left_eye
    255,unknown,0,0,0,1,

`value` (in the label files, 0..255) and `name` are needed; the colour, for
display only, is `r,g,b` or one column `colour` of `#rrggbb`. `mirror` names the
class that a flip turns this one into; one of the two rows is enough. A class is
ignored if its `ignore` says so (1/0, true/false, yes/no); where that is empty,
if its value is 255 or its name one of unlabelled, unlabeled, unknown, void,
ignore (in any case).

Classes that are not ignored get the indices 0..K-1 in order of the file; every
ignored value, and 255, becomes 255.
"""

import colorsys
import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.data.text_files import opened_text
from sginpaint.errors import UserError

UNLISTED = -1
_VALUES = np.arange(256)
_IGNORED_NAMES = {"unlabelled", "unlabeled", "unknown", "void", "ignore"}
_FLAGS = {
  **dict.fromkeys(("1", "true", "yes"), True),
  **dict.fromkeys(("0", "false", "no"), False),
}


@dataclasses.dataclass(frozen=True)
class ClassInfo:
  """One class.

  Attributes:
    name: unique in its data set.
    colour: RGB 0..255, for display.
    ignore: True where pixels of this class count as unlabelled.
    mirror: name of the class that a flip turns this one into, or "".
  """

  name: str
  colour: tuple[int, int, int]
  ignore: bool = False
  mirror: str = ""


@dataclasses.dataclass(frozen=True)
class ClassTable:
  """All classes of a set of files, and what their values mean.

  Attributes:
    rows: every class, ignored ones too, in order of the file.
    values: the file value of each row.
  """

  rows: tuple[ClassInfo, ...]
  values: tuple[int, ...]

  @property
  def classes(self) -> tuple[ClassInfo, ...]:
    """The K classes that networks see; position = class index."""
    return tuple(row for row in self.rows if not row.ignore)

  @property
  def lookup(self) -> np.ndarray:
    """int32 [256]: file value -> class index, 255 or UNLISTED (-1)."""
    table = np.full(256, UNLISTED, np.int32)
    table[IGNORE] = IGNORE
    index = 0
    for value, row in zip(self.values, self.rows, strict=True):
      table[value] = IGNORE if row.ignore else index
      index += not row.ignore
    return table


def class_indices(labels: np.ndarray, lookup: np.ndarray) -> np.ndarray:
  """uint8 [H, W] -> uint8 [H, W], class indices, 255 = ignore.

  Args:
    labels: values that are all listed.
    lookup: int32 [256], value -> class index, or 255.
  """
  if ((lookup == _VALUES) | (lookup == UNLISTED)).all():
    return labels
  # NumPy's indexing takes five times as long.
  return cv2.LUT(labels, lookup.astype(np.uint8))


def unlisted_value(labels: np.ndarray, lookup: np.ndarray) -> int | None:
  """A value of a label map that `lookup` maps to UNLISTED, if it has one.

  Args:
    labels: uint8 [H, W].
    lookup: int32 [256], value -> class index, 255 or UNLISTED.
  """
  strange = cv2.LUT(labels, (lookup == UNLISTED).astype(np.uint8))
  return int(labels[strange > 0][0]) if strange.any() else None


def default_colour(index: int) -> tuple[int, int, int]:
  """A colour for a class that names none; neighbours differ clearly."""
  hue = (index * 0.618034) % 1.0
  value = (0.9, 0.6, 0.75)[index % 3]
  r, g, b = colorsys.hsv_to_rgb(hue, 0.65, value)
  return round(255 * r), round(255 * g), round(255 * b)


def mirror_table(classes: Sequence[ClassInfo]) -> np.ndarray:
  """int32 [256]: class index -> class index after a flip; 255 stays."""
  names = {info.name: i for i, info in enumerate(classes)}
  table = np.arange(256, dtype=np.int32)
  for i, info in enumerate(classes):
    if info.mirror:
      table[i] = names[info.mirror]
  return table


def attribute_permutation(
  classes: Sequence[ClassInfo], attributes: Sequence[str]
) -> np.ndarray:
  """int32 [A]: which entry each attribute takes after a flip.

  An attribute called like a class (class present) swaps as that class does,
  where both partners are attributes.
  """
  mirror = {info.name: info.mirror for info in classes if info.mirror}
  position = {name: i for i, name in enumerate(attributes)}
  return np.array(
    [position.get(mirror.get(name, name), i) for name, i in position.items()],
    np.int32,
  ).reshape(len(attributes))


def table_from_values(values: Sequence[int]) -> ClassTable:
  """Classes `class_<value>` for label files that nothing describes."""
  values = tuple(v for v in sorted(values) if v != IGNORE)
  rows = tuple(
    ClassInfo(f"class_{v}", default_colour(i)) for i, v in enumerate(values)
  )
  return ClassTable(rows, values)


def read_classes(path: Path) -> ClassTable:
  """Reads a `classes.csv`.

  Raises:
    UserError: a column is missing or a row is wrong; names file and line.
  """
  with opened_text(path) as file:
    reader = csv.DictReader(file, skipinitialspace=True)
    columns = [(c or "").strip().lower() for c in reader.fieldnames or ()]
    reader.fieldnames = columns
    if missing := {"value", "name"} - set(columns):
      raise UserError(
        f"{path}: no column {' and '.join(sorted(missing))}; the first line "
        "must be value,name[,r,g,b][,colour][,ignore][,mirror]"
      )
    rows: list[ClassInfo] = []
    values: list[int] = []
    for record in reader:
      where = f"{path}, line {reader.line_num}"
      values.append(_value(record, where))
      rows.append(_class(record, len(rows), values[-1], where))
  _check_unique(path, "value", values)
  _check_unique(path, "name", [row.name for row in rows])
  table = ClassTable(_mutual_mirrors(path, rows), tuple(values))
  if not table.classes:
    raise UserError(f"{path}: no class is left that is not ignored")
  return table


def classes_csv(table: ClassTable) -> str:
  """The text of a `classes.csv` that `read_classes` reads as `table`."""
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(["value", "name", "r", "g", "b", "ignore", "mirror"])
  for value, row in zip(table.values, table.rows, strict=True):
    writer.writerow([value, row.name, *row.colour, int(row.ignore), row.mirror])
  return text.getvalue()


def _field(record: dict, name: str) -> str:
  return (record.get(name) or "").strip()


def _value(record: dict, where: str) -> int:
  text = _field(record, "value")
  if not text.isdecimal() or int(text) > 255:
    raise UserError(f"{where}: value {text!r} is not a number in 0..255")
  return int(text)


def _class(record: dict, row: int, value: int, where: str) -> ClassInfo:
  name = _field(record, "name")
  if not name:
    raise UserError(f"{where}: the name is empty")
  flag = _field(record, "ignore").lower()
  if flag and flag not in _FLAGS:
    raise UserError(f"{where}: ignore is {flag!r}; write 1 or 0")
  guess = value == IGNORE or name.lower() in _IGNORED_NAMES
  return ClassInfo(
    name=name,
    colour=_colour(record, row, where),
    ignore=_FLAGS.get(flag, guess),
    mirror=_field(record, "mirror"),
  )


def _colour(record: dict, row: int, where: str) -> tuple[int, int, int]:
  text = _field(record, "colour") or _field(record, "color")
  channels = [_field(record, c) for c in "rgb"]
  if not text and not any(channels):
    return default_colour(row)
  try:
    if text:
      rgb = tuple(bytes.fromhex(text.removeprefix("#")))
    else:
      rgb = tuple(int(c) for c in channels)
  except ValueError:
    rgb = ()
  if len(rgb) != 3 or not all(0 <= c <= 255 for c in rgb):
    raise UserError(
      f"{where}: colour {text or channels}; write #rrggbb or r,g,b in 0..255"
    )
  return rgb


def _check_unique(path: Path, what: str, items: Sequence[int | str]) -> None:
  if twice := [x for i, x in enumerate(items) if x in items[:i]]:
    raise UserError(f"{path}: {what} {twice[0]!r} stands there twice")


def _mutual_mirrors(
  path: Path, rows: Sequence[ClassInfo]
) -> tuple[ClassInfo, ...]:
  mirrors = {row.name: row.mirror for row in rows if not row.ignore}
  for name, mirror in list(mirrors.items()):
    if not mirror:
      continue
    if mirror not in mirrors:
      raise UserError(
        f"{path}: mirror {mirror!r} of {name!r} is no class there"
      )
    if mirrors[mirror] not in ("", name):
      raise UserError(
        f"{path}: {name!r} mirrors {mirror!r}, so the mirror of {mirror!r} "
        f"must be {name!r}"
      )
    mirrors[mirror] = name
  return tuple(
    dataclasses.replace(row, mirror=mirrors.get(row.name, "")) for row in rows
  )
