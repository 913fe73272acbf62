"""Wrong data sets: labels, attributes, lists."""

from tests.cli.wrong_inputs.rows import EVALUATE, INPAINT, TRAIN, Row


def _data(*rows: tuple[str, str, str]) -> list[Row]:
  """Rows of data sets: (folder, file of the message, mend)."""
  return [
    (name, f"{TRAIN} --config.data.path={name}", (file, mend))
    for name, file, mend in rows
  ]


DATA: list[Row] = [
  *_data(
    ("no", "no: no such folder", "set --config.data.path"),
    ("empty", "empty: no pictures", "images/"),
    ("latin_classes", "classes.csv", "save it as UTF-8"),
    ("latin_attributes", "attributes.csv", "save it as UTF-8"),
    ("latin_list", "train.txt", "save it as UTF-8"),
    ("lacking_class", "labels/p0.png", "add a line for it"),
    ("no_name", "classes.csv: no column name", "the first line must be"),
    ("large_value", "classes.csv, line 2", "0..255"),
    ("value_twice", "classes.csv: value 2", "twice"),
    ("name_twice", "classes.csv: name 'sky'", "twice"),
    ("bad_colour", "classes.csv, line 2", "write #rrggbb"),
    ("bad_mirror", "classes.csv: mirror 'left'", "is no class"),
    ("long_cell", "classes.csv: is not CSV", "mend it"),
    ("word", "attributes.csv, line 2: 'perhaps'", "write 1, 0, -1 or nothing"),
    ("no_header", "attributes.csv", "the first line must name"),
    ("column_twice", "attributes.csv", "every attribute once"),
    ("nobody", "attributes.csv", "write stems in column 1"),
    ("short_row", "attributes.csv, line 2: 1 values", "names 2"),
    ("wrong_list", "train.txt, line 1: no picture 'zz'", "write stems"),
    ("empty_list", "split 'train' is empty", "there is"),
    ("rgb_label", "labels/p0.png", "8-bit indices are needed"),
    ("deep_label", "labels/p0.png", "8-bit indices are needed"),
    ("small_labels", "labels/p0.png: 8x8 pixels", "32x32"),
    ("strange_labels", "strange_labels/labels", "rename them"),
    ("same_stem", "images/p0.jpg", "rename or remove one"),
    ("all_cut", "images/p0.png", "truncated or damaged"),
  ),
  (
    "nothing to look at in the training",
    f"{TRAIN} --config.data.path=no_validation --config.log.images_every=1",
    ("split 'validation' is empty", "there is train"),
  ),
  (
    "no such split",
    f"{EVALUATE} --split=x",
    ("no split 'x'", "there is train, validation, test"),
  ),
  *(
    (
      name,
      f"{TRAIN} --config.data.name=tfds --config.data.path={name}",
      (name, "dataset_info.json"),
    )
    for name in ("data", "cut_info", "no_info")
  ),
  (
    "attributes that a system takes not",
    f"{INPAINT} --attributes=day=1",
    ("--attributes: spl takes no attributes", "leave it out"),
  ),
  (
    "map that a system takes not",
    f"{INPAINT} --segmentation=mask.png",
    ("--segmentation: spl takes no label map", "leave it out"),
  ),
  (
    "labels lack",
    f"{TRAIN} --config.data.labels=empty",
    ("config.data.labels=empty", "segment --labels"),
  ),
]
