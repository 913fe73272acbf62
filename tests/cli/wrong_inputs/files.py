"""The folder in which wrong inputs are given: what is right, and what is not.

Everything is small, and made once for all rows of the tables.
"""

import json
import pathlib
import shlex
import shutil
import struct
import zlib

import numpy as np

from tests.images.files import noise, save

REPOSITORY = pathlib.Path(__file__).parents[3]
SIDE = 32
_CLASSES = "value,name\n0,sky\n1,water\n2,tree\n"

# {name of the folder: {file in it: contents}}, beside sound pictures and labels
_FOLDERS: dict[str, dict[str, str | bytes]] = {
  "data": {"classes.csv": _CLASSES},
  "latin_classes": {"classes.csv": _CLASSES.encode() + b"3,for\xeat\n"},
  "latin_attributes": {"attributes.csv": b"id,d\xe9j\xe0\np0,1\n"},
  "latin_list": {"train.txt": b"p0\nd\xe9j\xe0\n"},
  "lacking_class": {"classes.csv": "value,name\n0,sky\n1,water\n"},
  "no_name": {"classes.csv": "value,label\n0,sky\n"},
  "large_value": {"classes.csv": "value,name\n300,sky\n"},
  "value_twice": {"classes.csv": _CLASSES + "2,again\n"},
  "name_twice": {"classes.csv": _CLASSES + "3,sky\n"},
  "bad_colour": {"classes.csv": "value,name,colour\n0,sky,blue\n"},
  "bad_mirror": {"classes.csv": "value,name,mirror\n0,sky,left\n"},
  "long_cell": {"classes.csv": f'value,name\n0,"{"x" * 140_000}"\n'},
  "word": {"attributes.csv": "id,day\np0,perhaps\n"},
  "no_header": {"attributes.csv": "p0,1\np1,0\n"},
  "column_twice": {"attributes.csv": "id,day,day\np0,1,0\n"},
  "nobody": {"attributes.csv": "id,day\nzz,1\n"},
  "short_row": {"attributes.csv": "id,day,night\np0,1\n"},
  "wrong_list": {"train.txt": "zz\n"},
  "empty_list": {"train.txt": ""},
  "no_validation": {"validation.txt": ""},
}


def build(root: pathlib.Path) -> None:
  """Fills `root`."""
  (root / "text.txt").write_text("hello")
  (root / "empty").mkdir()
  for name, files in _FOLDERS.items():
    _pictures(root / name)
    for file, contents in files.items():
      raw = contents.encode() if isinstance(contents, str) else contents
      (root / name / file).write_bytes(raw)
  _labels(root)
  _masks(root)
  _configs(root)
  _checkpoints(root)
  _prepared(root)
  (root / "bad.safetensors").write_bytes(struct.pack("<Q", 10) + b"{garbage!!")
  (root / "empty.pth").write_bytes(b"")


def words_of(line: str, port: int = 0) -> list[str]:
  """The arguments of a row's command line."""
  line = line.replace("CONFIGS", str(REPOSITORY / "configs"))
  return shlex.split(line.replace("PORT", str(port)))


def snapshot(folder: pathlib.Path) -> dict[pathlib.Path, tuple[int, ...]]:
  """Every file and folder, and what tells that it changed."""
  found = {}
  for path in folder.rglob("*"):
    status = path.stat()
    # A folder in which a file was made and removed again is as it was.
    time = status.st_mtime_ns if path.is_file() else 0
    found[path] = (status.st_size * path.is_file(), time, status.st_ino)
  return found


def _pictures(folder: pathlib.Path) -> None:
  (folder / "images").mkdir(parents=True)
  (folder / "labels").mkdir()
  for i in range(4):
    image = noise((SIDE, SIDE, 3), seed=i)
    save(folder / "images" / f"p{i}.png", image)
    save(folder / "labels" / f"p{i}.png", image[..., 0] % 3)
  for split, names in (("train", "p0\np1\n"), ("validation", "p2\n")):
    (folder / f"{split}.txt").write_text(names)
  (folder / "test.txt").write_text("p3\n")


def _labels(root: pathlib.Path) -> None:
  """Folders whose pictures or label maps are wrong."""
  for name in ("rgb_label", "deep_label", "small_labels", "strange_labels"):
    _pictures(root / name)
  _pictures(root / "same_stem")
  _pictures(root / "all_cut")
  save(root / "rgb_label/labels/p0.png", noise((SIDE, SIDE, 3)))
  save(root / "deep_label/labels/p0.png", np.zeros((SIDE, SIDE, 1), np.uint16))
  save(root / "same_stem/images/p0.jpg", noise((SIDE, SIDE, 3)))
  for i in range(4):
    save(root / f"small_labels/labels/p{i}.png", np.zeros((8, 8), np.uint8))
    label = root / f"strange_labels/labels/p{i}.png"
    label.rename(label.with_name(f"q{i}.png"))
    cut = root / f"all_cut/images/p{i}.png"
    cut.write_bytes(cut.read_bytes()[:100])


def _masks(root: pathlib.Path) -> None:
  """One picture, one mask, and what cannot be either."""
  data = save(root / "a.png", noise((40, 52, 3))).read_bytes()
  hole = np.zeros((40, 52), np.uint8)
  hole[10:20, 5:25] = 255
  save(root / "mask.png", hole)
  save(root / "small.png", hole[:30])
  save(root / "none.png", np.zeros_like(hole))
  (root / "cut.png").write_bytes(data[: len(data) // 2])
  (root / "zero.png").write_bytes(b"")
  (root / "text.png").write_text("hello")
  (root / "floats.tif").write_bytes(_float_tiff())
  header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
  chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))))
  (root / "bomb.png").write_bytes(
    b"\x89PNG\r\n\x1a\n"
    + b"".join(_chunk(*c) for c in (*chunks, (b"IEND", b"")))
  )


def _chunk(kind: bytes, data: bytes) -> bytes:
  crc = struct.pack(">I", zlib.crc32(kind + data))
  return struct.pack(">I", len(data)) + kind + data + crc


def _float_tiff() -> bytes:
  import io

  from PIL import Image

  file = io.BytesIO()
  Image.fromarray(np.zeros((40, 52), np.float32)).save(file, "TIFF")
  return file.getvalue()


def _configs(root: pathlib.Path) -> None:
  start = "from configs import spl_no_teacher\ndef get_config(arg=''):\n"
  base = f"{start}  c = spl_no_teacher.get_config(arg)\n"
  for name, text in {
    "syntax": "def get_config(:\n",
    "nothing": "x = 1\n",
    "none": "def get_config(arg):\n  return None\n",
    "misspelt": f"{base}  c.stepz = 7\n  return c\n",
    "misspelt_section": f"{base}  c.optimiser.b1 = 7\n  return c\n",
    "unread": f"{base}  del c.log\n  return c\n",
    "raises": f"{base}  return c + undefined\n",
  }.items():
    (root / f"{name}.py").write_text(text)


def _checkpoints(root: pathlib.Path) -> None:
  """`spl` is sound; the others are not, or of another time."""
  asset = REPOSITORY / "assets" / "spl_scenes"
  good = json.loads((asset / "config.json").read_text())
  network = good["model"]["generator"]
  generators = {"newer": {"attention": True}, "wider": {"width": 24}}
  configs = {
    name: good | {"model": good["model"] | {"generator": network | fields}}
    for name, fields in generators.items()
  }
  configs |= {"other": good | {"system": "future"}, "cut_json": {}}
  for name in ("spl", "half", "hollow", *configs):
    shutil.copytree(asset, root / name)
    if name in configs:
      (root / name / "config.json").write_text(json.dumps(configs[name]))
  (root / "cut_json" / "config.json").write_text('{"system": "sp')
  (root / "untrained").mkdir()
  shutil.copy(asset / "config.json", root / "untrained")
  (step,) = (root / "hollow" / "checkpoints").iterdir()
  shutil.rmtree(step)
  step.mkdir()
  files = [p for p in (root / "half" / "checkpoints").rglob("*") if p.is_file()]
  largest = max(files, key=lambda p: p.stat().st_size)
  largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])


def _prepared(root: pathlib.Path) -> None:
  for name, text in (("cut_info", "{"), ("no_info", "{}")):
    (root / name).mkdir()
    (root / name / "dataset_info.json").write_text(text)
  for name, text in (("cut_metrics", "{"), ("no_metrics", "{}")):
    (root / name).mkdir()
    (root / name / "metrics.json").write_text(text)
  (root / "answers.json").write_text('{"a": 1}')
