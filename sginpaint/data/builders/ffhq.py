"""FFHQ (Karras et al., CVPR 2019): 60,000 faces train, 10,000 test, as ESPA's.

`images1024x1024`, or, where that is missing, whatever pictures there are called
by their number, `00000.png` to `69999.png`, at any depth: the same made
smaller. The first 60,000 train.
"""

import re

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan

_FULL = "images1024x1024"
_PICTURE = re.compile(r"(?:^|/)(\d{5})\.(?:png|jpg|jpeg|webp)$")
_TRAIN = 60_000


def plan(manual: ManualDir) -> Plan:
  """All numbered pictures."""
  # Beside them may lie the thumbnails, and the uncropped photos.
  stems = (_FULL,) if manual.has(_FULL) else ()
  items = []
  for path, member in manual.members(*stems).items():
    if match := _PICTURE.search(path):
      split = "train" if int(match[1]) < _TRAIN else "test"
      items.append(Item(match[1], split, member))
  return Plan(items)


FFHQ = DataSet(
  name="ffhq",
  title="Flickr-Faces-HQ (FFHQ)",
  home="https://github.com/NVlabs/ffhq-dataset",
  terms="CC BY-NC-SA 4.0 as a set, single photos under their own licences",
  files="images1024x1024 as zip or folder, or the pictures made smaller",
  plan=plan,
  size=256,
  counts={"train": 60_000, "test": 10_000},
)
