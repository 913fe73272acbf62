"""Which pictures a folder holds, their labels, and how they are split.

Three layouts, looked for in this order:

    images/  labels/                 one set; split by train.txt, ... if present
    train/images/  train/labels/     a set per split; likewise val, validation,
                                     test; `train/` itself where it has no
                                     images/ inside
    *.jpg, a/b/*.png, ...            the folder itself

Pictures are found at any depth; a picture's id is its path below `images/`
without extension, and its label is the PNG of the same path below `labels/`.
Split files (train.txt, val.txt or validation.txt, test.txt) hold one picture
per line, by id or by bare stem, with or without extension; where there are
any, pictures that none of them lists are left out. Without split files and
split folders, 90 % / 5 % / 5 % go to train / validation / test by a hash of the
stem, so that adding pictures moves none that was there.
"""

import dataclasses
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from sginpaint.data.images import EXTENSIONS
from sginpaint.data.splits import ALIASES
from sginpaint.data.text_files import opened_text
from sginpaint.errors import UserError

_LOG = logging.getLogger(__name__)

SPLITS = ("train", "val", "validation", "test")
_LABEL_EXTENSIONS = (".png",)


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
  """One picture; paths are POSIX and relative to the folder.

  Attributes:
    id: path below `images/` without extension.
    image: file of the picture.
    label: file of the label map, or "".
    split: the folder of its split, or "" where folders do not tell.
  """

  id: str
  image: str
  label: str
  split: str


def classes_file(labels: Path) -> Path:
  """Where the classes.csv of a folder of label maps is looked for.

  In it, or, where it is the `labels` of a folder of pictures, in that.
  """
  folder = labels.absolute()
  if folder.name != "labels":
    return labels / "classes.csv"
  root = folder.parent
  return (root.parent if root.name in SPLITS else root) / "classes.csv"


def find_pictures(root: Path) -> tuple[Picture, ...]:
  """All pictures below `root`, sorted by split and id.

  Raises:
    UserError: no such folder, no picture in it, two of the same id, a name that
      is not UTF-8, or labels of which none fits a picture.
  """
  if not root.is_dir():
    raise UserError(f"{root}: no such folder; set --config.data.path")
  found = []
  for split, base in _bases(root).items():
    images = base / "images" if (base / "images").is_dir() else base
    labels = base / "labels"
    found += _pair(root, split, images, labels)
  if not found:
    raise UserError(
      f"{root}: no pictures ({', '.join(EXTENSIONS)}) in it or in its images/"
    )
  return tuple(sorted(found, key=lambda p: (p.split, p.id)))


def assign_splits(
  root: Path, pictures: Sequence[Picture]
) -> dict[str, list[int]]:
  """Split name -> positions in `pictures`, each list ascending.

  Args:
    root: the folder, which may hold split files.
    pictures: out of `find_pictures`.

  Raises:
    UserError: a split file lists a picture that is not there.
  """
  by_folder: dict[str, list[int]] = {}
  for i, picture in enumerate(pictures):
    by_folder.setdefault(picture.split, []).append(i)
  files = {s: f for s in SPLITS if (f := root / f"{s}.txt").is_file()}
  if not files:
    return by_folder if "" not in by_folder else _by_hash(pictures)
  # A split folder without a list of its own stays whole.
  splits = {s: i for s, i in by_folder.items() if s}
  for split, file in files.items():
    folder = ALIASES.get(split, "") if split not in by_folder else split
    own = splits.pop(folder, range(len(pictures)))
    splits[split] = _listed(file, {i: pictures[i] for i in own})
  return splits


def find_by_name(name: str, names: Mapping[str, int]) -> int | None:
  """Position of a picture that a person named, or None.

  Args:
    name: an id or a bare stem, with or without a picture's extension.
    names: out of `name_index`.
  """
  path = PurePosixPath(name.strip().replace("\\", "/"))
  if path.suffix.lower() in EXTENSIONS:
    path = path.with_suffix("")
  return names.get(str(path))


def name_index(pictures: Mapping[int, Picture]) -> dict[str, int]:
  """Names of pictures -> position.

  Every id and every bare stem that only one picture has, and `<split>/<id>`
  where split folders repeat ids.
  """
  index: dict[str, int] = {}
  for name_of in (
    lambda p: PurePosixPath(p.id).name,
    lambda p: p.id,
    lambda p: f"{p.split}/{p.id}",
  ):
    counts = Counter(name_of(p) for p in pictures.values())
    index |= {
      name: i for i, p in pictures.items() if counts[name := name_of(p)] == 1
    }
  return index


def _bases(root: Path) -> dict[str, Path]:
  """Split -> the folder with its images/; "" where folders do not tell."""
  split_folders = {s: root / s for s in SPLITS if (root / s).is_dir()}
  if (root / "images").is_dir() or not split_folders:
    return {"": root}
  return split_folders


def _walk(base: Path, extensions: Sequence[str], skip: Path | None = None):
  """(path below `base` without extension, path) of files, hidden ones not."""

  def stop(error: OSError) -> None:
    raise UserError(f"{error.filename}: {error.strerror}; make it readable")

  missing = not base.exists()  # labels/ may be
  walk = os.walk(base, onerror=None if missing else stop, followlinks=True)
  for folder, folders, files in walk:
    folders[:] = [f for f in folders if f[0] != "." and Path(folder, f) != skip]
    for file in files:
      path = Path(folder, file)
      if file[0] != "." and path.suffix.lower() in extensions:
        yield path.relative_to(base).with_suffix("").as_posix(), path


def _pair(root: Path, split: str, images: Path, labels: Path) -> list[Picture]:
  label_of = {
    stem: path.relative_to(root).as_posix()
    for stem, path in _walk(labels, _LABEL_EXTENSIONS)
  }
  pictures: dict[str, Picture] = {}
  for stem, path in _walk(images, EXTENSIONS, skip=labels):
    image = path.relative_to(root).as_posix()
    if stem in pictures:
      raise UserError(
        f"{root}: {pictures[stem].image} and {image} have the same stem; "
        "rename or remove one"
      )
    try:
      image.encode()
    except UnicodeEncodeError as e:
      raise UserError(
        f"{root}: the name {image!r} is not UTF-8; rename the file"
      ) from e
    pictures[stem] = Picture(stem, image, label_of.get(stem, ""), split)
  if label_of and not any(p.label for p in pictures.values()):
    raise UserError(
      f"{labels}: no label has the stem of a picture in {images}; rename them"
    )
  if lost := len(label_of.keys() - pictures.keys()):
    _LOG.warning("%s: %d labels have no picture", labels, lost)
  return list(pictures.values())


def _listed(file: Path, pictures: Mapping[int, Picture]) -> list[int]:
  names = name_index(pictures)
  positions = set()
  with opened_text(file) as lines:
    for number, line in enumerate(lines, 1):
      if not line.strip():
        continue
      position = find_by_name(line, names)
      if position is None:
        raise UserError(
          f"{file}, line {number}: no picture {line.strip()!r}; write stems as "
          "they are below images/"
        )
      positions.add(position)
  return sorted(positions)


def split_by_hash(stem: str) -> str:
  """train (90 %), validation or test (5 % each), by the stem alone."""
  draw = hashlib.blake2b(stem.encode(), digest_size=8).digest()
  share = int.from_bytes(draw, "little") / 2**64
  return "train" if share < 0.9 else "validation" if share < 0.95 else "test"


def _by_hash(pictures: Sequence[Picture]) -> dict[str, list[int]]:
  splits: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
  for i, picture in enumerate(pictures):
    # The stem alone: variants of one picture in several subfolders must not
    # land on both sides.
    splits[split_by_hash(PurePosixPath(picture.id).name)].append(i)
  return splits
