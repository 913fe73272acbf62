"""Each thing that can be wrong in a folder, planted and found by name."""

import numpy as np
import pytest
from PIL import Image

from configs import common
from sginpaint.data.checks import check_dataset
from sginpaint.data.checks.findings import ERROR, NOTE, WARNING
from sginpaint.data.folder import load_folder
from sginpaint.errors import UserError
from tests.data.example_folders import label, make_folder, picture, save

COUNT = 10


def clean_folder(root):
  """Pictures p00 ... p09 of which the last three validate and test."""
  make_folder(root, COUNT)
  (root / "train.txt").write_text("\n".join(f"p{i:02d}" for i in range(7)))
  (root / "val.txt").write_text("p07\n")
  (root / "test.txt").write_text("p08\np09\n")
  return root


def check(root, *, sample=0, **fields):
  """{code: finding} of a folder."""
  data = common.get_config().data
  data.update({"name": "folder", "path": str(root), "image_size": 8} | fields)
  report = check_dataset(data, lambda: load_folder(str(root)), sample=sample)
  return {finding.kind.code: finding for finding in report.findings}


def image(array, **options):
  def plant(root):
    save(root / "images/p03.png", array, **options)
    save(root / "labels/p03.png", label(3, *array.shape[:2]))

  return plant


def mode(name):
  def plant(root):
    (root / "images/p03.png").unlink()
    made = Image.fromarray(picture(3)).convert(name)
    made.save(root / "images/p03.tif")

  return plant


def labels(array, **options):
  return lambda root: save(root / "labels/p03.png", array, **options)


def text(name, content):
  return lambda root: (root / name).write_text(content)


def cut(name):
  def plant(root):
    data = (root / name).read_bytes()
    (root / name).write_bytes(data[: len(data) // 2])

  return plant


def turned(root):
  exif = Image.Exif()
  exif[274] = 6
  save(root / "images/p03.png", picture(3, 16, 12), exif=exif)


def times(root):
  for i in range(COUNT):
    values = np.random.default_rng(i).integers(0, 3, (12, 16), dtype=np.uint8)
    save(root / f"labels/p{i:02d}.png", 120 * values)
  text("classes.csv", "value,name\n0,a\n1,b\n2,c\n")(root)


def from_one(root):
  for i in range(COUNT):
    values = np.random.default_rng(i).integers(1, 4, (12, 16), dtype=np.uint8)
    save(root / f"labels/p{i:02d}.png", values)
  text("classes.csv", "value,name\n0,a\n1,b\n2,c\n")(root)


def orphan(root):
  save(root / "labels/lost.png", label(1))
  text("labels/lost.npy", "")(root)


def attributes(*lines):
  rows = [f"p{i:02d},{i % 2}" for i in range(COUNT)]
  return text("attributes.csv", "\n".join(["id,a", *rows, *lines]))


def header(line, value):
  rows = [f"p{i:02d},{value}" for i in range(COUNT)]
  return text("attributes.csv", "\n".join([line, *rows]))


def twin(split):
  names = {"train": ("p02", "p01"), "test": ("p08", "p01")}[split]
  return lambda root: save(
    root / f"images/{names[0]}.png", picture(int(names[1][1:]))
  )


def second_stem(root):
  save(root / "images/p03.jpg", picture(3))


DEEP = np.arange(192, dtype=np.uint16).reshape(12, 16) * 99
CLEAR = np.dstack([picture(3), np.full((12, 16), 9, np.uint8)])
STRAYS = np.arange(192, dtype=np.uint8).reshape(12, 16)
GREY = np.repeat(picture(3)[..., :1], 3, -1)

# (what is planted, code, severity, what its line says)
CASES = [
  (cut("images/p03.png"), "unreadable-picture", ERROR, "p03.png: not a pic"),
  (image(picture(3, 6, 8)), "small-picture", WARNING, "p03.png: 8x6"),
  (image(picture(3, 9, 80)), "extreme-aspect", WARNING, "p03.png: 80x9"),
  (image(0 * picture(3)), "plain-picture", WARNING, "p03.png"),
  (image(GREY), "grey-picture", NOTE, "p03.png"),
  (image(DEEP), "deep-picture", NOTE, "p03.png"),
  (image(CLEAR), "transparent-picture", NOTE, "p03.png"),
  (mode("CMYK"), "cmyk-picture", NOTE, "p03.tif"),
  (turned, "turned-picture", NOTE, "p03.png"),
  (cut("labels/p03.png"), "unreadable-label", ERROR, "labels/p03.png"),
  (labels(label(3, 6, 8)), "label-size", ERROR, "8x6, picture 16x12"),
  (labels(label(3, 16, 12)), "label-turned", ERROR, "12x16, picture 16x12"),
  (labels(picture(3)), "label-colours", ERROR, "mode RGB"),
  (labels(GREY), "label-colours", ERROR, "channels are equal"),
  (labels(DEEP), "label-depth", ERROR, "at most 18909"),
  (labels(label(3), format="JPEG"), "lossy-label", ERROR, "p03.png"),
  (labels(STRAYS), "unknown-value", ERROR, "interpolates"),
  (
    labels(label(3) // 9 * 0 + 7),
    "unknown-value",
    ERROR,
    "7: 192 pixels of 1 map, first labels/p03.png",
  ),
  (times, "unknown-value", ERROR, "times 120: divide"),
  (from_one, "unknown-value", ERROR, "subtract 1"),
  (labels(0 * label(3) + 9), "void-label", WARNING, "p03.png"),
  (orphan, "orphan-label", WARNING, "labels/lost.png"),
  (orphan, "label-not-png", WARNING, "labels/lost.npy"),
  (lambda root: (root / "labels/p03.png").unlink(), "no-label", WARNING, "p03"),
  (
    lambda root: (root / "classes.csv").unlink(),
    "no-classes-file",
    WARNING,
    "",
  ),
  (text("classes.csv", "value\n1\n"), "classes-file", ERROR, "no column name"),
  (attributes("lost,1"), "attribute-stem", WARNING, "line 12: lost"),
  (attributes("p03,1"), "attribute-row-twice", WARNING, "p03"),
  (attributes("p03,2"), "attribute-value", ERROR, "line 12, a: '2'"),
  (attributes("p03,1,1"), "attribute-columns", ERROR, "line 12: 2, not 1"),
  (header("id,a,a", "1,0"), "attribute-twice", ERROR, "a"),
  (header("id", "1"), "attribute-header", ERROR, "id"),
  (header("id,b", "1"), "attribute-prevalence", WARNING, "b: 100.0%"),
  (header("id,b", ""), "attribute-unknown", WARNING, "b"),
  (
    text("attributes.csv", "id,a\np01,1\n"),
    "attribute-missing",
    WARNING,
    ": 9",
  ),
  (
    text("attributes.csv", "id,a\nx,1\n"),
    "attribute-stems",
    ERROR,
    "line 2: x",
  ),
  (text("test.txt", "p08\np55\n"), "split-line", ERROR, "test.txt line 2: p55"),
  (text("val.txt", "p07\np07\n"), "split-line-twice", NOTE, "line 2: p07"),
  (text("test.txt", "p08\n"), "unlisted-picture", NOTE, "images/p09.png"),
  (text("test.txt", ""), "no-test-split", WARNING, "there is train, val"),
  (text("train.txt", ""), "no-train-split", ERROR, "there is val, test"),
  (twin("train"), "repeated-picture", NOTE, "train: images/p01.png = "),
  (twin("test"), "shared-picture", WARNING, "= test: images/p08.png"),
  (text("test.txt", "p01\n"), "shared-picture", WARNING, "images/p01.png"),
  (second_stem, "stem-twice", ERROR, "images/p03.jpg and images/p03.png"),
]


def _is_taken_whole(root) -> bool:
  """Whether the library opens the folder, trains, and leaves nothing out."""
  try:
    splits = load_folder(str(root)).splits
  except UserError:
    return False
  listed = {s: set((root / f"{s}.txt").read_text().split()) for s in splits}
  whole = all(len(e) == len(listed[s]) for s, e in splits.items())
  return whole and len(splits["train"]) > 0


@pytest.mark.parametrize(
  ("plant", "code", "severity", "said"),
  CASES,
  ids=[f"{i}-{case[1]}" for i, case in enumerate(CASES)],
)
def test_what_is_planted_is_found(tmp_path, plant, code, severity, said):
  root = clean_folder(tmp_path)
  plant(root)
  findings = check(root)
  finding = findings[code]
  assert finding.kind.severity == severity
  assert said in finding.line
  errors = {c for c, f in findings.items() if f.kind.severity == ERROR}
  assert errors == ({code} if severity == ERROR else set())
  if code != "lossy-label":  # which happens to hold no number that is wrong
    assert _is_taken_whole(root) == (severity != ERROR)


def test_nothing_is_found_in_a_clean_folder(tmp_path):
  findings = check(clean_folder(tmp_path))
  assert list(findings) == ["ignored-pixels"]
  values = np.stack([label(i) for i in range(COUNT)])
  share = np.isin(values, [9, 255]).mean()
  assert f"({share:.1%})" in findings["ignored-pixels"].line


def test_classes_that_train_does_not_show(tmp_path):
  root = clean_folder(tmp_path)
  text("classes.csv", (root / "classes.csv").read_text() + "12,moon\n")(root)
  assert check(root)["unseen-class"].examples == ("moon",)
  # What a sample does not show may well be there.
  assert "unseen-class" not in check(root, sample=3)


def test_a_size_is_proposed_that_most_pictures_have(tmp_path):
  root = make_folder(tmp_path, 20, labels=False)
  save(root / "images/p00.png", picture(0, 4, 4))
  for i in range(1, 20):
    save(root / f"images/p{i:02d}.png", picture(i, 26, 30))
  finding = check(root, image_size=32)["small-picture"]
  assert finding.count == 20
  assert finding.line.endswith("or set --config.data.image_size=24")


def test_labels_that_are_not_wanted_are_not_looked_at(tmp_path):
  root = clean_folder(tmp_path)
  labels(picture(3))(root)
  assert "label-colours" not in check(root, labels="none")


def test_a_sample_is_spread_over_the_splits(tmp_path):
  root = clean_folder(tmp_path)
  for name in ("p00", "p05"):
    cut(f"images/{name}.png")(root)
  (example,) = check(root, sample=5)["unreadable-picture"].examples
  assert example.startswith("images/p00.png")
