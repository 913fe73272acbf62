"""Places365-Standard at 256 pixels (Zhou et al., 2017), the public Places2.

Either `places365standard_easyformat.tar` with
`places365_standard/<train|val>/<category>/<name>.jpg`, or
`train_256_places365standard.tar` with `data_256/<letter>/<category>/<name>.jpg`
and `val_256.tar` with `val_256/Places365_val_00000001.jpg`. The categories of
the latter stand in `places365_val.txt` and `categories_places365.txt` of
`filelist_places365-standard.tar`; without it they are unknown. The official
validation pictures test, as in the papers.

`places2_20` is of the boosted GAN's 20 scenes only. Attributes: those scenes,
and its 40 objects, which nobody labelled here (unknown).
"""

import functools
import re
from collections.abc import Iterator

from sginpaint.data.builders.archives import ManualDir, read_pairs, read_text
from sginpaint.data.builders.data_set import DataSet, Item, Plan
from sginpaint.data.builders.members import Member
from sginpaint.data.builders.scenes import (
  ATTRIBUTES,
  UNKNOWN_OBJECTS,
  scene_values,
)
from sginpaint.errors import UserError

_EASY = re.compile(
  r"(?:^|/)places365_standard/(train|val)/([^/]+)/([^/]+)\.jpg$"
)
_TRAIN = re.compile(r"(?:^|/)data_256/[a-z]/(.+)/([^/]+)\.jpg$")
_TEST = re.compile(r"(?:^|/)val_256/([^/]+)\.jpg$")
_EASY_STEMS = ("places365standard_easyformat", "places365_standard")
_TRAIN_STEMS = ("train_256_places365standard", "data_256")
_LISTS = "filelist_places365-standard"

# split, category or None, name, file
Found = tuple[str, str | None, str, Member]


def plan(manual: ManualDir, *, only_scenes: bool = False) -> Plan:
  """All pictures, or those of the 20 scenes."""
  easy = manual.has(manual.one_of(*_EASY_STEMS))
  values = functools.cache(
    lambda category: (*scene_values(category), *UNKNOWN_OBJECTS)
  )
  items = []
  for split, category, name, member in (_easy if easy else _official)(manual):
    attributes = values(category)
    if only_scenes and category is None:
      raise UserError(
        f"{manual.path}: the categories of val_256.tar are unknown; put "
        f"{_LISTS}.tar there too"
      )
    if only_scenes and 1.0 not in attributes:
      continue
    unique = name if split == "test" else f"{category}/{name}"
    items.append(Item(unique, split, member, (), attributes))
  return Plan(items, attributes=ATTRIBUTES)


def _easy(manual: ManualDir) -> Iterator[Found]:
  for path, member in manual.members(manual.one_of(*_EASY_STEMS)).items():
    if match := _EASY.search(path):
      split = "train" if match[1] == "train" else "test"
      yield split, match[2], match[3], member


def _official(manual: ManualDir) -> Iterator[Found]:
  for path, member in manual.members(manual.one_of(*_TRAIN_STEMS)).items():
    if match := _TRAIN.search(path):
      yield "train", match[1], match[2], member
  categories = _test_categories(manual)
  for path, member in manual.members("val_256").items():
    if match := _TEST.search(path):
      yield "test", categories.get(match[1]), match[1], member


def _test_categories(manual: ManualDir) -> dict[str, str]:
  """Name -> category, as far as the lists are there."""
  members = manual.members(_LISTS) if manual.has(_LISTS) else {}
  numbers, pictures = (
    read_pairs(manual.text(file) or read_text(members, file) or "", file)
    for file in ("categories_places365.txt", "places365_val.txt")
  )
  # "/c/church/outdoor 91" and "Places365_val_00000001.jpg 91"
  names = {number: path[3:] for path, number in numbers.items()}
  return {
    file.removesuffix(".jpg"): names[number]
    for file, number in pictures.items()
    if number in names
  }


PLACES2 = DataSet(
  name="places2",
  title="Places365-Standard",
  home="http://places2.csail.mit.edu/download.html",
  terms="non-commercial research and education, pictures keep their copyright",
  files="places365standard_easyformat.tar, or train_256_places365standard.tar "
  "with val_256.tar and filelist_places365-standard.tar",
  plan=plan,
  counts={"train": 1_803_460, "test": 36_500},
)
PLACES2_20 = DataSet(
  name="places2_20",
  title="Places365-Standard, 20 scenes",
  home=PLACES2.home,
  terms=PLACES2.terms,
  files=PLACES2.files,
  plan=functools.partial(plan, only_scenes=True),
  counts={"test": 2_000},  # nobody published how many train
)
