"""Paris StreetView (Doersch et al., 2012; Pathak et al., CVPR 2016).

`paris_train_original` with 14,900 pictures to train on, and `paris_eval` with
the 100 of its `paris_eval_gt` to test on, as zip or folder.
"""

import pathlib
import re

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan

_PICTURE = re.compile(
  r"(?:^|/)(paris_train_original|paris_eval_gt)/.*\.(?:jpg|png)$", re.IGNORECASE
)
_SPLITS = {"paris_train_original": "train", "paris_eval_gt": "test"}


def plan(manual: ManualDir) -> Plan:
  """The pictures of both folders, wherever they lie."""
  items = []
  for path, member in manual.members().items():
    if match := _PICTURE.search(path):
      name = pathlib.PurePosixPath(path).stem
      items.append(Item(name, _SPLITS[match[1].lower()], member))
  return Plan(items)


PARIS_STREETVIEW = DataSet(
  name="paris_streetview",
  title="Paris StreetView",
  home="https://github.com/pathak22/context-encoder (on request)",
  terms="given by its authors for research only",
  files="paris_train_original and paris_eval, each as zip or folder",
  plan=plan,
  counts={"train": 14_900, "test": 100},
)
