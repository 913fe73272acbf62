"""Helen faces (Le et al., ECCV 2012) with the labels of Smith et al. (2013).

`SmithCVPR2013_dataset_resized.zip`: `images/<name>.jpg`; for each picture
eleven grey maps `labels/<name>/<name>_lbl00.png`, ..., `_lbl10.png`, how surely
a pixel is of the class, of which the surest counts; and the lists
`exemplars.txt` (train), `tuning.txt` (validation), `testing.txt`, lines of
`number , name`. Left and right are as the owners name the classes.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sginpaint.data.builders.archives import ManualDir, read_text
from sginpaint.data.builders.data_set import (
  DataSet,
  Item,
  Part,
  Plan,
  class_table,
)
from sginpaint.data.builders.members import Member
from sginpaint.data.images import LabelFormatError, decode_labels
from sginpaint.errors import UserError

_STEM = "SmithCVPR2013_dataset_resized"
_LISTS = {
  "exemplars.txt": "train",
  "tuning.txt": "validation",
  "testing.txt": "test",
}
CLASSES = class_table(
  (
    "background", "skin", "left_eyebrow", "right_eyebrow", "left_eye",
    "right_eye", "nose", "upper_lip", "inner_mouth", "lower_lip", "hair",
  ),
  mirrors={"left_eyebrow": "right_eyebrow", "left_eye": "right_eye"},
)  # fmt: skip
_LABEL = re.compile(r"/labels/([^/]+)/\1_lbl(\d\d)\.png$")
_PICTURE = re.compile(r"/images/([^/]+)\.jpg$")


def surest_class(parts: Sequence[Part]) -> np.ndarray:
  """uint8 [H, W]: the class whose map is brightest; the first where equal."""
  if len(parts) != len(CLASSES.rows):
    raise LabelFormatError(f"{len(parts)} label maps, not {len(CLASSES.rows)}")
  maps = [decode_labels(data) for _, data in sorted(parts)]
  if len({m.shape for m in maps}) > 1:
    raise LabelFormatError("label maps of several sizes")
  return np.argmax(np.stack(maps), axis=0).astype(np.uint8)


def plan(manual: ManualDir) -> Plan:
  """The pictures that the lists name."""
  members = manual.members(_STEM)
  splits: dict[str, str] = {}
  for file, split in _LISTS.items():
    for line in (read_text(members, file) or "").splitlines():
      splits[line.rpartition(",")[2].strip()] = split
  if not splits:
    raise UserError(f"{_STEM}: no {', '.join(_LISTS)} in it; get it anew")
  labels: dict[str, list[Member]] = defaultdict(list)
  for path, member in members.items():
    if match := _LABEL.search(path):
      labels[match[1]].append(member)
  items = []
  for path, member in members.items():
    match = _PICTURE.search(path)
    if match and match[1] in splits:
      own = tuple(labels[match[1]])
      items.append(Item(match[1], splits[match[1]], member, own))
  return Plan(items, CLASSES, label_map=surest_class)


HELEN = DataSet(
  name="helen",
  title="Helen with the face labels of Smith et al.",
  home="https://pages.cs.wisc.edu/~lizhang/projects/face-parsing/",
  terms="research only, photos belong to their photographers",
  files="SmithCVPR2013_dataset_resized.zip",
  plan=plan,
  counts={"train": 2_000, "validation": 230, "test": 100},
)
