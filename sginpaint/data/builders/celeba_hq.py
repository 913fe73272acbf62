"""CelebA-HQ (Karras et al., ICLR 2018) with CelebAMask-HQ's 19 classes.

`CelebAMask-HQ.zip` (Lee et al., CVPR 2020): `CelebA-HQ-img/0.jpg`, ... of 1024
pixels; `CelebAMask-HQ-mask-anno/<0-14>/00000_<part>.png`, a 512-pixel mask for
every part that is seen, merged here in the order of the official g_mask.py
(later parts cover earlier ones); `CelebAMask-HQ-attribute-anno.txt`, as
CelebA's; `CelebA-HQ-to-CelebA-mapping.txt`, by which a picture belongs to the
split of the CelebA picture that it was made of. Left and right are as the parts
are named there.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sginpaint.data.builders.archives import ManualDir, read_text
from sginpaint.data.builders.celeba import read_attribute_list
from sginpaint.data.builders.data_set import (
  DataSet,
  Item,
  Part,
  Plan,
  class_table,
)
from sginpaint.data.builders.members import Member
from sginpaint.data.images import LabelFormatError, decode_labels, decode_rgb
from sginpaint.errors import UserError

PARTS = (
  "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear",
  "r_ear", "mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck",
  "cloth",
)  # fmt: skip
CLASSES = class_table(
  ("background", *PARTS),
  colours=(
    (0, 0, 0), (204, 0, 0), (76, 153, 0), (204, 204, 0), (51, 51, 255),
    (204, 0, 204), (0, 255, 255), (255, 204, 204), (102, 51, 0), (255, 0, 0),
    (102, 204, 0), (255, 255, 0), (0, 0, 153), (0, 0, 204), (255, 51, 153),
    (0, 204, 204), (0, 51, 0), (255, 153, 51), (0, 204, 0),
  ),
  mirrors={"l_eye": "r_eye", "l_brow": "r_brow", "l_ear": "r_ear"},
)  # fmt: skip
_PICTURE = re.compile(r"CelebA-HQ-img/(\d+)\.jpg$")
_PART = re.compile(rf"mask-anno/\d+/(\d{{5}})_({'|'.join(PARTS)})\.png$")
_STEM = "CelebAMask-HQ"
_ATTRIBUTES = "CelebAMask-HQ-attribute-anno.txt"
_MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
# Of CelebA, how many pictures come before those that validate, and that test.
_VALIDATION, _TEST = 162_770, 182_637


def merge_parts(parts: Sequence[Part]) -> np.ndarray:
  """uint8 [512, 512]: 0 = background, i = PARTS[i - 1]."""
  found = {}
  for name, data in parts:
    match = _PART.search(name)
    assert match  # the plan chose it by this
    found[match[2]] = _mask(data)
  shapes = {mask.shape for mask in found.values()}
  if len(shapes) > 1:
    raise LabelFormatError(f"masks of several sizes, {sorted(shapes)}")
  labels = np.zeros(shapes.pop(), np.uint8)
  for value, part in enumerate(PARTS, 1):
    if part in found:
      labels[found[part]] = value
  return labels


def _mask(data: bytes) -> np.ndarray:
  """bool [H, W]; the files are grey or RGB."""
  try:
    return decode_labels(data) > 0
  except LabelFormatError:
    return decode_rgb(data)[..., 0] > 0


def plan(manual: ManualDir) -> Plan:
  """All pictures, with the masks of their parts."""
  members = manual.members(_STEM)
  names, values = read_attribute_list(_text(members, _ATTRIBUTES), _ATTRIBUTES)
  splits = _splits(_text(members, _MAPPING))
  masks: dict[int, list[Member]] = defaultdict(list)
  for path, member in members.items():
    if match := _PART.search(path):
      masks[int(match[1])].append(member)
  items = []
  for path, member in members.items():
    if match := _PICTURE.search(path):
      number, file = int(match[1]), f"{match[1]}.jpg"
      for name, listed in (
        (_ATTRIBUTES, file in values),
        (_MAPPING, number in splits),
      ):
        if not listed:
          raise UserError(f"{name}: no line for {file}; get the archive anew")
      items.append(
        Item(
          f"{number:05d}",
          splits[number],
          member,
          tuple(masks[number]),
          values[file],
        )
      )
  return Plan(items, CLASSES, names, label_map=merge_parts)


def _splits(mapping: str) -> dict[int, str]:
  """By number; a line is `number, place in CelebA (from 0), file there`."""
  splits = {}
  for row in map(str.split, mapping.splitlines()[1:]):
    if len(row) == 3 and row[0].isdecimal() and row[1].isdecimal():
      place = int(row[1])
      tests = "test" if place >= _TEST else "validation"
      splits[int(row[0])] = "train" if place < _VALIDATION else tests
  return splits


def _text(members: dict[str, Member], name: str) -> str:
  text = read_text(members, name)
  if text is None:
    raise UserError(f"{_STEM}: no {name} in it; get the archive anew")
  return text


CELEBA_HQ = DataSet(
  name="celeba_hq",
  title="CelebAMask-HQ",
  home="https://github.com/switchablenorms/CelebAMask-HQ",
  terms="non-commercial research and education only",
  files="CelebAMask-HQ.zip",
  plan=plan,
  size=512,  # that of the label maps
  counts={"train": 24_183, "validation": 2_993, "test": 2_824},
)
