"""Outdoor Scenes (Wang et al., CVPR 2018): 9,900 pictures train, 300 test.

`OutdoorSeg_img.zip` and `OutdoorSeg_anno.zip`, the 9,900 pictures and label
maps that SGE-Net trains on, and `OST300_img.zip` and `OST300_anno.zip` to test;
a map has the name of its picture. The maps are optional: without them the data
set has no classes. Where OutdoorSeg is missing, `OutdoorSceneTrain_v2` (10,324
pictures in a folder or zip for each category) trains, without labels.
"""

import pathlib
import re
from collections.abc import Iterable

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan, class_table
from sginpaint.data.builders.members import Member

CLASSES = class_table(
  (
    "background", "sky", "water", "grass", "mountain", "building", "plant",
    "animal",
  ),
  colours=(
    (153, 153, 153), (0, 255, 255), (109, 158, 235), (183, 225, 205),
    (153, 0, 255), (17, 85, 204), (106, 168, 79), (224, 102, 102),
  ),
  ignored={8: "void"},
)  # fmt: skip
_COUNTS = {"train": 9_900, "test": 300}
_CATEGORIES = tuple(row.name for row in CLASSES.classes[1:])
_FILE = re.compile(r"\.(?:png|jpg|jpeg|bmp)$", re.IGNORECASE)


def _pictures(members: dict[str, Member]) -> Iterable[tuple[str, Member]]:
  for path, member in members.items():
    if _FILE.search(path):
      yield path, member


def _pairs(manual: ManualDir, stem: str, split: str) -> list[Item]:
  labels: dict[str, Member] = {}
  if manual.has(f"{stem}_anno"):
    found = _pictures(manual.members(f"{stem}_anno"))
    labels = {pathlib.PurePosixPath(p).stem: m for p, m in found}
  items = []
  for path, member in _pictures(manual.members(f"{stem}_img")):
    name = pathlib.PurePosixPath(path).stem
    # Some maps say in their name that they are maps.
    own = labels.get(name, labels.get(f"{name}_anno"))
    items.append(Item(name, split, member, (own,) if own else ()))
  return items


def _by_category(manual: ManualDir) -> list[Item]:
  stems = [s for s in ("OutdoorSceneTrain_v2", *_CATEGORIES) if manual.has(s)]
  if not stems:
    raise manual.missing("neither OutdoorSeg_img.zip nor OutdoorSceneTrain_v2")
  items = []
  for path, member in _pictures(manual.members(*stems)):
    parts = pathlib.PurePosixPath(path)
    category = next((p for p in parts.parts if p in _CATEGORIES), "")
    name = parts.stem if not category else f"{category}/{parts.stem}"
    items.append(Item(name, "train", member))
  return items


def plan(manual: ManualDir) -> Plan:
  """OutdoorSeg or, without it, the pictures by category; and OST300."""
  if manual.has("OutdoorSeg_img"):
    items, counts = _pairs(manual, "OutdoorSeg", "train"), _COUNTS
  else:
    items, counts = _by_category(manual), _COUNTS | {"train": 10_324}
  items += _pairs(manual, "OST300", "test")
  labelled = any(item.labels for item in items)
  return Plan(items, CLASSES if labelled else None, counts=counts)


OUTDOOR_SCENES = DataSet(
  name="outdoor_scenes",
  title="Outdoor Scenes (OST)",
  home="https://github.com/xinntao/SFTGAN",
  terms="research only, pictures belong to their photographers",
  files="OutdoorSeg_img.zip, OST300_img.zip, and the label maps "
  "OutdoorSeg_anno.zip, OST300_anno.zip",
  plan=plan,
  counts=_COUNTS,
)
