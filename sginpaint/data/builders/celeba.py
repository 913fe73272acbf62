"""CelebA (Liu et al., ICCV 2015), aligned and cropped: 178 x 218.

`img_align_celeba.zip` with `img_align_celeba/000001.jpg`, ...;
`list_attr_celeba.txt`: the number of pictures, the 40 names, then a line per
picture with 1 or -1; `list_eval_partition.txt`: 0, 1 or 2 for train,
validation, test. Pictures keep their bytes; the recipe cuts the largest centred
square.
"""

import re

from sginpaint.data.builders.archives import ManualDir, read_pairs
from sginpaint.data.builders.data_set import DataSet, Item, Plan
from sginpaint.errors import UserError

# All that the paper of the boosted GAN names, and AttGAN's 13.
BOOSTED_GAN_18 = (
  "Bald", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair", "Bushy_Eyebrows",
  "Eyeglasses", "Male", "Mouth_Slightly_Open", "Mustache", "No_Beard",
  "Pale_Skin", "Young", "Smiling", "Heavy_Makeup", "Oval_Face", "Gray_Hair",
  "Wearing_Hat",
)  # fmt: skip
_PICTURE = re.compile(r"(?:^|/)(\d{6})\.(?:jpg|png)$")
_SPLITS = {"0": "train", "1": "validation", "2": "test"}
_ATTRIBUTES = "list_attr_celeba.txt"
_PARTITION = "list_eval_partition.txt"


def read_attribute_list(
  text: str, where: str
) -> tuple[tuple[str, ...], dict[str, tuple[float, ...]]]:
  """Names, and values in {0, 1} by file name, of a CelebA attribute list.

  Raises:
    UserError: a line has another number of values than there are names.
  """
  lines = text.splitlines()
  names = tuple(lines[1].split()) if len(lines) > 1 else ()
  values = {}
  for number, line in enumerate(lines[2:], 3):
    if not line.strip():
      continue
    file, *words = line.split()
    if len(words) != len(names) or not set(words) <= {"1", "-1"}:
      raise UserError(
        f"{where}, line {number}: not {len(names)} values of 1 or -1; get the "
        "file anew"
      )
    values[file] = tuple(float(word == "1") for word in words)
  return names, values


def plan(manual: ManualDir) -> Plan:
  """All pictures that the partition lists."""
  names, values = read_attribute_list(_text(manual, _ATTRIBUTES), _ATTRIBUTES)
  splits = read_pairs(_text(manual, _PARTITION), _PARTITION)
  if strange := set(splits.values()) - set(_SPLITS):
    raise UserError(
      f"{_PARTITION}: a split {strange.pop()!r}; get the file anew"
    )
  if unknown := splits.keys() - values.keys():
    raise UserError(
      f"{_ATTRIBUTES}: no line for {min(unknown)}; get the file anew"
    )
  items = []
  for path, member in manual.members("img_align_celeba").items():
    if not (match := _PICTURE.search(path)):
      continue
    # Lists name .jpg, whatever the archive holds.
    file = f"{match[1]}.jpg"
    if file in splits:
      split = _SPLITS[splits[file]]
      items.append(Item(match[1], split, member, (), values[file]))
  return Plan(items, attributes=names)


def _text(manual: ManualDir, name: str) -> str:
  text = manual.text(name)
  if text is None:
    raise manual.missing(f"no {name}")
  return text


CELEBA = DataSet(
  name="celeba",
  title="CelebA",
  home="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
  terms="non-commercial research only, no redistribution",
  files="img_align_celeba.zip, list_attr_celeba.txt, list_eval_partition.txt",
  plan=plan,
  counts={"train": 162_770, "validation": 19_867, "test": 19_962},
)
