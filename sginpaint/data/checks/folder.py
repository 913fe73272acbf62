"""The layout of a folder: what is there that nobody reads, and what lacks.

`folder_layout` says what is read. Here its rules are kept, but nothing stops at
the first offence.
"""

import collections
import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sginpaint.data.checks.attributes import check_attribute_file
from sginpaint.data.checks.findings import ERROR, NOTE, WARNING, Findings, Kind
from sginpaint.data.checks.reading import UNLISTED_SPLIT, FolderSource
from sginpaint.data.classes import ClassTable, read_classes
from sginpaint.data.folder_layout import (
  SPLITS,
  Picture,
  assign_splits,
  find_by_name,
  find_pictures,
  name_index,
)
from sginpaint.data.images import EXTENSIONS
from sginpaint.data.splits import ALIASES
from sginpaint.errors import UserError

REFUSED = Kind("refused", ERROR, "the library refuses it")
_STEM_TWICE = Kind(
  "stem-twice",
  ERROR,
  "pictures that differ in their extension alone",
  "nobody knows whose label it is: rename or remove one of each",
)
_ORPHAN = Kind(
  "orphan-label",
  WARNING,
  "label maps without a picture",
  "they are not read: give both the same path below images/ and labels/",
)
_NOT_PNG = Kind(
  "label-not-png",
  WARNING,
  "files in labels/ that are no PNG",
  "they are not read: save class numbers as 8-bit PNG",
)
_CLASSES = Kind("classes-file", ERROR, "classes.csv cannot be used")
_LIST_LINE = Kind(
  "split-line",
  ERROR,
  "lines of split files without a picture",
  "write ids as below images/, or remove them",
)
_LIST_TWICE = Kind(
  "split-line-twice",
  NOTE,
  "pictures that a split file lists twice",
  "they count once",
)
_UNLISTED = Kind(
  "unlisted-picture",
  NOTE,
  "pictures that no split file lists",
  "they are left out of training and evaluation",
)


@dataclasses.dataclass(frozen=True)
class Layout:
  """What a folder holds.

  Attributes:
    source: reads its files.
    table: the classes of classes.csv; None = no such file, or not usable.
    described: whether there is a classes.csv.
    attributes: names of attributes.csv.
    values: {split: float32 [n, A]}, in order of the source.
  """

  source: FolderSource
  table: ClassTable | None
  described: bool
  attributes: tuple[str, ...]
  values: dict[str, np.ndarray]


def check_layout(
  root: Path, findings: Findings, *, labels: bool
) -> Layout | None:
  """Looks at names and lists; None where nothing can be read.

  Args:
    root: the folder, which is there.
    findings: are added to.
    labels: whether label maps are wanted.
  """
  _same_stems(root, findings)
  try:
    with quiet():
      pictures = find_pictures(root)
  except UserError as e:
    # Told already where several share a stem, and of all of them.
    if not findings.count(ERROR):
      findings.add(REFUSED, str(e), count=0)
    return None
  if labels:
    _unread_labels(root, pictures, findings)
  positions = _splits(root, pictures, findings)
  file = root / "attributes.csv"
  names: tuple[str, ...] = ()
  values = np.zeros((len(pictures), 0), np.float32)
  if file.is_file():
    names, values = check_attribute_file(file, pictures, findings)
  return Layout(
    source=FolderSource(
      root,
      {s: [pictures[i] for i in chosen] for s, chosen in positions.items()},
      labels,
    ),
    table=_read_classes(root / "classes.csv", findings) if labels else None,
    described=(root / "classes.csv").is_file(),
    attributes=names,
    values={s: values[chosen] for s, chosen in positions.items()},
  )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
  """What the library would log of a data set is told as findings instead."""
  logger = logging.getLogger("sginpaint.data")
  level = logger.level
  logger.setLevel(logging.ERROR)
  try:
    yield
  finally:
    logger.setLevel(level)


def _files(folder: Path) -> Iterator[Path]:
  for base, folders, names in os.walk(folder, followlinks=True):
    folders[:] = [name for name in folders if name[0] != "."]
    yield from (Path(base, name) for name in names if name[0] != ".")


def _label_folders(root: Path) -> list[Path]:
  return [root / "labels", *(root / split / "labels" for split in SPLITS)]


def _same_stems(root: Path, findings: Findings) -> None:
  label_folders = set(_label_folders(root))
  stems: dict[Path, list[str]] = collections.defaultdict(list)
  for path in _files(root):
    if path.suffix.lower() not in EXTENSIONS:
      continue
    if label_folders.isdisjoint(path.parents):
      stems[path.with_suffix("")].append(path.relative_to(root).as_posix())
  for names in stems.values():
    if len(names) > 1:
      findings.add(_STEM_TWICE, " and ".join(sorted(names)))


def _unread_labels(
  root: Path, pictures: Sequence[Picture], findings: Findings
) -> None:
  known = {picture.label for picture in pictures}
  for folder in _label_folders(root):
    for path in sorted(_files(folder)):
      name = path.relative_to(root).as_posix()
      if path.suffix.lower() != ".png":
        if path.name != "classes.csv":
          findings.add(_NOT_PNG, name)
      elif name not in known:
        findings.add(_ORPHAN, name)


def _read_classes(file: Path, findings: Findings) -> ClassTable | None:
  if not file.is_file():
    return None
  try:
    return read_classes(file)
  except (UserError, UnicodeDecodeError) as e:
    findings.add(_CLASSES, str(e), count=0)
    return None


def _splits(
  root: Path, pictures: Sequence[Picture], findings: Findings
) -> dict[str, list[int]]:
  """Positions in `pictures` by split; the unlisted in UNLISTED_SPLIT."""
  lists = {s: f for s in SPLITS if (f := root / f"{s}.txt").is_file()}
  for split, file in lists.items():
    _check_list(file, split, pictures, findings)
  try:
    splits = assign_splits(root, pictures)
  except (UserError, UnicodeDecodeError) as e:
    if not findings.count(ERROR):
      findings.add(REFUSED, str(e), count=0)
    splits = {}
    for index, picture in enumerate(pictures):
      splits.setdefault(picture.split or "train", []).append(index)
    return splits
  listed = set().union(*splits.values())
  unlisted = [i for i in range(len(pictures)) if i not in listed]
  for index in unlisted:
    findings.add(_UNLISTED, pictures[index].image)
  return splits | ({UNLISTED_SPLIT: unlisted} if unlisted else {})


def _check_list(
  file: Path, split: str, pictures: Sequence[Picture], findings: Findings
) -> None:
  of_split = {
    i: picture
    for i, picture in enumerate(pictures)
    if picture.split in (split, ALIASES.get(split, split))
  }
  names = name_index(of_split or dict(enumerate(pictures)))
  seen = set()
  try:
    lines = file.read_text(encoding="utf-8-sig").splitlines()
  except UnicodeDecodeError as e:
    findings.add(_LIST_LINE, f"{file.name}: not UTF-8 ({e.reason})")
    return
  for number, line in enumerate(lines, 1):
    if not line.strip():
      continue
    position = find_by_name(line, names)
    if position is None:
      findings.add(_LIST_LINE, f"{file.name} line {number}: {line.strip()}")
    elif position in seen:
      findings.add(_LIST_TWICE, f"{file.name} line {number}: {line.strip()}")
    seen.add(position)
