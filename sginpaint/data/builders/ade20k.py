"""ADE20K-150 (Zhou et al., CVPR 2017): the scene parsing challenge of 2016.

`ADEChallengeData2016.zip`: `images/<training|validation>/<name>.jpg`; label
maps `annotations/<...>/<name>.png` of 1..150, 0 where there is none of the 150
classes; `objectInfo150.txt` with their names, and `sceneCategories.txt`. The
attributes are the 20 scenes and 40 objects of `scenes`.
"""

import re
from collections.abc import Sequence

import numpy as np

from sginpaint.data.attributes import PRESENT
from sginpaint.data.builders.archives import (
  ManualDir,
  read_pairs,
  read_text,
)
from sginpaint.data.builders.data_set import DataSet, Item, Plan, class_table
from sginpaint.data.builders.scenes import (
  ATTRIBUTES,
  OBJECTS,
  UNKNOWN_OBJECTS,
  scene_values,
)
from sginpaint.errors import UserError

_COUNT = 150
_PICTURE = re.compile(r"/images/(training|validation)/(.+)\.jpg$")
_LABELS = re.compile(r"/annotations/(training|validation)/(.+)\.png$")
_SPLITS = {"training": "train", "validation": "test"}


def object_values(item: Item, labels: np.ndarray | None) -> Sequence[float]:
  """The scenes as planned, and the objects as the label map shows them."""
  if labels is None:
    return (*item.attributes, *UNKNOWN_OBJECTS)
  counts = np.bincount(labels.ravel(), minlength=_COUNT + 1)
  shares = counts[1 : len(OBJECTS) + 1] / labels.size
  return (*item.attributes, *(float(share >= PRESENT) for share in shares))


def plan(manual: ManualDir) -> Plan:
  """Training pictures train, validation pictures test."""
  members = manual.members("ADEChallengeData2016")
  labels = {
    match[2]: member
    for path, member in members.items()
    if (match := _LABELS.search(path))
  }
  scenes = read_text(members, "sceneCategories.txt") or ""
  category = read_pairs(scenes, "sceneCategories.txt")
  items = []
  for path, member in members.items():
    if match := _PICTURE.search(path):
      name = match[2]
      own = (labels[name],) if name in labels else ()
      scene = scene_values(category.get(name))
      items.append(Item(name, _SPLITS[match[1]], member, own, scene))
  info = read_text(members, "objectInfo150.txt")
  if info is None:
    raise UserError(f"{manual.path}: no objectInfo150.txt in it; get it anew")
  classes = class_table(_names(info), first=1, ignored={0: "unlabelled"})
  return Plan(items, classes, ATTRIBUTES, attribute_values=object_values)


def _names(info: str) -> list[str]:
  rows = [line.split("\t") for line in info.splitlines()[1:] if line.strip()]
  if len(rows) != _COUNT:
    raise UserError(
      f"objectInfo150.txt: names {len(rows)} classes, not {_COUNT}; get it anew"
    )
  return [row[-1].partition(",")[0].strip() for row in rows]


ADE20K = DataSet(
  name="ade20k",
  title="ADE20K-150 (MIT Scene Parsing)",
  home="http://sceneparsing.csail.mit.edu",
  terms="non-commercial research and education, labels BSD-3",
  files="ADEChallengeData2016.zip",
  plan=plan,
  size=512,
  counts={"train": 20_210, "test": 2_000},
)
