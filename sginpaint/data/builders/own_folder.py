"""A folder of one's own, made a prepared data set: quicker to read, one piece.

The folder is read as `config.data.name = "folder"` reads it: same pictures,
classes, attributes and splits (see `data/folder.py`).
"""

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan
from sginpaint.data.builders.members import Member
from sginpaint.data.folder import FolderExamples, load_folder


def plan(manual: ManualDir) -> Plan:
  """Every picture that is sound."""
  dataset = load_folder(str(manual.path))
  items: list[Item] = []
  table = None
  for split, examples in dataset.splits.items():
    assert isinstance(examples, FolderExamples)  # for the type checker
    table = examples.table
    items += _items(split, examples)
  return Plan(items, table, dataset.attributes)


def _items(split: str, examples: FolderExamples) -> list[Item]:
  values = examples.attribute_values
  found = []
  for i, picture in enumerate(examples.pictures):
    labels = (picture.label,) if picture.label and examples.table else ()
    image, *maps = (
      Member(file=str(examples.root / path), stored=_size(examples, path))
      for path in (picture.image, *labels)
    )
    attributes = () if values is None else tuple(values[i].tolist())
    found.append(Item(picture.id, split, image, tuple(maps), attributes))
  return found


def _size(examples: FolderExamples, path: str) -> int:
  return (examples.root / path).stat().st_size


FOLDER = DataSet(
  name="folder",
  title="a folder of your own",
  home="your disk",
  terms="yours",
  files="images/ and, where there are some, labels/ with classes.csv, "
  "attributes.csv, train.txt, validation.txt, test.txt",
  plan=plan,
)
