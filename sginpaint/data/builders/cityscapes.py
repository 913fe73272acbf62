"""Cityscapes (Cordts et al., CVPR 2016), as SGE-Net splits it.

`leftImg8bit_trainvaltest.zip`, with
`leftImg8bit/<split>/<city>/<name>_leftImg8bit.png`, and
`gtFine_trainvaltest.zip`, with
`gtFine/<split>/<city>/<name>_gtFine_labelIds.png`.
The 2,975 pictures of train and the 1,525 of test train; the maps of the latter
are dummies, so they count as unlabelled; the 500 of val test. The published
label ids become the benchmark's 19 classes; every other id is a 20th, `rest`.
"""

import re
from collections.abc import Sequence

import numpy as np

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import (
  DataSet,
  Item,
  Part,
  Plan,
  class_table,
  one_label_map,
)
from sginpaint.data.builders.members import Member
from sginpaint.data.classes import (
  UNLISTED,
  ClassTable,
  class_indices,
  unlisted_value,
)
from sginpaint.data.images import LabelFormatError

# (label id, name, colour) of the benchmark's classes.
_BENCHMARK = (
  (7, "road", (128, 64, 128)),
  (8, "sidewalk", (244, 35, 232)),
  (11, "building", (70, 70, 70)),
  (12, "wall", (102, 102, 156)),
  (13, "fence", (190, 153, 153)),
  (17, "pole", (153, 153, 153)),
  (19, "traffic light", (250, 170, 30)),
  (20, "traffic sign", (220, 220, 0)),
  (21, "vegetation", (107, 142, 35)),
  (22, "terrain", (152, 251, 152)),
  (23, "sky", (70, 130, 180)),
  (24, "person", (220, 20, 60)),
  (25, "rider", (255, 0, 0)),
  (26, "car", (0, 0, 142)),
  (27, "truck", (0, 0, 70)),
  (28, "bus", (0, 60, 100)),
  (31, "train", (0, 80, 100)),
  (32, "motorcycle", (0, 0, 230)),
  (33, "bicycle", (119, 11, 32)),
)
_REST = len(_BENCHMARK)
_LAST_ID = 33
CLASSES: ClassTable = class_table(
  (*(name for _, name, _ in _BENCHMARK), "rest"),
  colours=(*(colour for _, _, colour in _BENCHMARK), (0, 0, 0)),
)
_PICTURE = re.compile(
  r"leftImg8bit/(train|val|test)/[^/]+/([^/]+)_leftImg8bit\.png$"
)
_LABELS = re.compile(r"gtFine/(train|val)/[^/]+/([^/]+)_gtFine_labelIds\.png$")


def lookup() -> np.ndarray:
  """int32 [256]: label id -> class index, or UNLISTED for what is no id."""
  table = np.full(256, UNLISTED, np.int32)
  table[: _LAST_ID + 1] = _REST
  table[255] = _REST  # -1, the licence plate, in 8 bits
  for index, (label_id, _, _) in enumerate(_BENCHMARK):
    table[label_id] = index
  return table


def label_map(parts: Sequence[Part]) -> np.ndarray:
  """uint8 [H, W] of class indices."""
  ids = one_label_map(parts)
  table = lookup()
  if (strange := unlisted_value(ids, table)) is not None:
    raise LabelFormatError(
      f"its label map holds {strange}, which is no label id"
    )
  return class_indices(ids, table)


def plan(manual: ManualDir) -> Plan:
  """Train and test to train on, val to test on."""
  labels = {
    match[2]: member
    for path, member in _unpacked_or_not(manual, "gtFine").items()
    if (match := _LABELS.search(path))
  }
  items = []
  for path, member in _unpacked_or_not(manual, "leftImg8bit").items():
    if match := _PICTURE.search(path):
      own = (labels[match[2]],) if match[2] in labels else ()
      split = "test" if match[1] == "val" else "train"
      items.append(Item(match[2], split, member, own))
  return Plan(items, CLASSES, label_map=label_map)


def _unpacked_or_not(manual: ManualDir, folder: str) -> dict[str, Member]:
  return manual.members(manual.one_of(f"{folder}_trainvaltest", folder))


CITYSCAPES = DataSet(
  name="cityscapes",
  title="Cityscapes",
  home="https://www.cityscapes-dataset.com (registration)",
  terms="non-commercial use, no redistribution",
  files="leftImg8bit_trainvaltest.zip, gtFine_trainvaltest.zip",
  plan=plan,
  size=512,
  counts={"train": 4_500, "test": 500},
)
