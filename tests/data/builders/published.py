"""Tiny archives of the shape in which the data sets are published."""

import io
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.io import savemat

HEIGHT, WIDTH = 12, 16
CELEBA_NAMES = ("Smiling", "Bald", "Young")


def pixels(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
  """uint8 [H, W, 3], smooth enough for JPEG."""
  coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
  return cv2.resize(coarse, (width, height))


def encoded(array: np.ndarray, kind: str = "jpg", **options) -> bytes:
  """The array as a file, by Pillow."""
  file = io.BytesIO()
  name = {"jpg": "JPEG", "png": "PNG"}[kind]
  Image.fromarray(array).save(file, name, **options)
  return file.getvalue()


def jpg(seed: int, **size: int) -> bytes:
  return encoded(pixels(seed, **size), quality=90)


def png(seed: int, **size: int) -> bytes:
  return encoded(pixels(seed, **size), "png")


def label_png(array: np.ndarray) -> bytes:
  return encoded(np.asarray(array, np.uint8), "png")


def write_zip(path: Path, files: dict[str, bytes]) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  with zipfile.ZipFile(path, "w") as archive:
    for i, (name, data) in enumerate(files.items()):
      method = zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED
      archive.writestr(name, data, compress_type=method)


def write_tar(path: Path, files: dict[str, bytes]) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
    for name, data in files.items():
      info = tarfile.TarInfo(name)
      info.size = len(data)
      archive.addfile(info, io.BytesIO(data))


def write_folder(root: Path, files: dict[str, bytes]) -> None:
  for name, data in files.items():
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def celeba_list(rows: dict[str, str]) -> str:
  lines = [str(len(rows)), " ".join(CELEBA_NAMES) + " "]
  return "\n".join([*lines, *(f"{k} {v}" for k, v in rows.items())]) + "\n"


def celeba(root: Path) -> None:
  numbers = (1, 2, 162771, 182638)
  files = {f"{n:06d}.jpg": jpg(n, height=22, width=18) for n in numbers}
  write_zip(
    root / "img_align_celeba.zip",
    {f"img_align_celeba/{name}": data for name, data in files.items()},
  )
  values = (" 1 -1  1", "-1 -1 -1", " 1  1  1", "-1  1 -1")
  rows = dict(zip(files, values, strict=True))
  (root / "list_attr_celeba.txt").write_text(celeba_list(rows))
  splits = dict(zip(files, "0012", strict=True))
  (root / "list_eval_partition.txt").write_text(
    "".join(f"{name} {split}\n" for name, split in splits.items())
  )


def celeba_hq(root: Path) -> None:
  """Three pictures; the first has skin, an eye on it, and hair over both."""
  mask = np.zeros((8, 8), np.uint8)
  skin, eye, hair = mask.copy(), mask.copy(), mask.copy()
  skin[2:, :], eye[3, 3], hair[:4, :2] = 255, 255, 255
  grey = {"skin": skin, "l_eye": eye, "hair": hair}
  base = "CelebAMask-HQ"
  files = {
    f"{base}/CelebAMask-HQ-mask-anno/{i // 2}/{i:05d}_{part}.png": encoded(
      np.dstack([array] * 3) if part == "hair" else array, "png"
    )
    for i in range(3)
    for part, array in grey.items()
  }
  files |= {
    f"{base}/CelebA-HQ-img/{i}.jpg": jpg(i, height=16, width=16)
    for i in range(3)
  }
  rows = {f"{i}.jpg": " -1 1 1" for i in range(3)}
  files[f"{base}/CelebAMask-HQ-attribute-anno.txt"] = celeba_list(rows).encode()
  files[f"{base}/CelebA-HQ-to-CelebA-mapping.txt"] = (
    b"idx orig_idx orig_file\n0 5 000006.jpg\n"
    b"1 162770 162771.jpg\n2 182637 182638.jpg\n"
  )
  write_zip(root / "CelebAMask-HQ.zip", files)


def ffhq(root: Path) -> None:
  """Made smaller by somebody: a folder, a zip and a file by itself."""
  write_folder(
    root / "256x256",
    {
      f"{n // 1000 * 1000:05d}/{n:05d}.png": png(n, height=16, width=16)
      for n in (0, 59_999)
    },
  )
  write_zip(root / "more.zip", {"69999.png": png(4, height=16, width=16)})
  write_folder(root, {"60000.png": png(5, height=16, width=16)})


def cityscapes(root: Path) -> None:
  ids = np.resize(np.array([0, 7, 33, 26, 4, 255], np.uint8), (HEIGHT, WIDTH))
  pictures, labels = {}, {}
  for i, split in enumerate(("train", "val", "test")):
    name = f"{split}/aachen/aachen_{i:06d}_000019"
    pictures[f"leftImg8bit/{name}_leftImg8bit.png"] = png(i)
    labels[f"gtFine/{name}_gtFine_labelIds.png"] = label_png(ids)
    labels[f"gtFine/{name}_gtFine_color.png"] = png(i)
  write_zip(root / "leftImg8bit_trainvaltest.zip", pictures)
  write_zip(root / "gtFine_trainvaltest.zip", labels)


def outdoor_scenes(root: Path) -> None:
  values = np.resize(np.array([0, 7, 8, 255], np.uint8), (HEIGHT, WIDTH))
  for stem, kind, make in (("OutdoorSeg", "jpg", jpg), ("OST300", "png", png)):
    names = [f"{stem}_{i:03d}" for i in range(2)]
    write_zip(
      root / f"{stem}_img.zip",
      {f"{stem}/{name}.{kind}": make(i) for i, name in enumerate(names)},
    )
    write_zip(
      root / f"{stem}_anno.zip",
      {f"{stem}_anno/{names[1]}.png": label_png(values)},
    )


def paris_streetview(root: Path) -> None:
  write_zip(
    root / "paris_train_original.zip",
    {f"paris_train_original/48.8_{i}_90.JPG": jpg(i) for i in range(2)},
  )
  write_folder(
    root / "paris_eval",
    {"paris_eval_gt/001_im.png": png(7), "paris_eval_corrupted/1.png": png(8)},
  )


def helen(root: Path) -> None:
  base, files = "SmithCVPR2013_dataset_resized", {}
  names = ("100_1", "200_2", "300_1")
  for i, name in enumerate(names):
    files[f"{base}/images/{name}.jpg"] = jpg(i)
    for value in range(11):
      sure = np.zeros((HEIGHT, WIDTH), np.uint8)
      sure[value] = 200  # row i is of class i ...
      sure[11] = 20 * value  # ... and the last row of the surest, hair
      path = f"{base}/labels/{name}/{name}_lbl{value:02d}.png"
      files[path] = label_png(sure)
  lists = ("exemplars.txt", "tuning.txt", "testing.txt")
  for i, (file, name) in enumerate(zip(lists, names, strict=True)):
    files[f"{base}/{file}"] = f"{i + 1} , {name}\r\n".encode()
  write_zip(root / f"{base}.zip", files)


def ade20k(root: Path) -> None:
  base = "ADEChallengeData2016"
  labels = np.ones((HEIGHT, WIDTH), np.uint8)
  labels[0, 0], labels[1, :4] = 17, 0
  info = "Idx\tRatio\tTrain\tVal\tName\n" + "".join(
    f"{i} \t0.1\t9\t9\tthing {i}, other word\n" for i in range(1, 151)
  )
  files = {f"{base}/objectInfo150.txt": info.encode()}
  for split, short, scene in (
    ("training", "train", "church_outdoor"),
    ("validation", "val", "abbey"),
  ):
    name = f"ADE_{short}_00000001"
    files[f"{base}/images/{split}/{name}.jpg"] = jpg(len(scene))
    files[f"{base}/annotations/{split}/{name}.png"] = label_png(labels)
    key = f"{base}/sceneCategories.txt"
    files[key] = files.get(key, b"") + f"{name} {scene}\n".encode()
  write_zip(root / f"{base}.zip", files)


def sun_attributes(root: Path) -> None:
  # Their hashes put the first into train, the second into test.
  paths = ["c/church/outdoor/sun_a.jpg", "a/abbey/sun_f0.jpg"]
  files = {}
  for name, value in (
    ("attributes", np.array([["sailing"], ["dirty"]], object)),
    ("images", np.array([[path] for path in paths], object)),
  ):
    buffer = io.BytesIO()
    savemat(buffer, {name: value})
    files[f"SUNAttributeDB/{name}.mat"] = buffer.getvalue()
  buffer = io.BytesIO()
  savemat(buffer, {"labels_cv": np.array([[0, 1 / 3], [1, 0]])})
  files["SUNAttributeDB/attributeLabels_continuous.mat"] = buffer.getvalue()
  write_tar(root / "SUNAttributeDB.tar.gz", files)
  write_tar(
    root / "SUNAttributeDB_Images.tar.gz",
    {f"images/{path}": jpg(i) for i, path in enumerate(paths)},
  )


def places2(root: Path) -> None:
  write_tar(
    root / "train_256_places365standard.tar",
    {
      "data_256/c/church/outdoor/00000001.jpg": jpg(1),
      "data_256/a/abbey/00000001.jpg": jpg(2),
    },
  )
  names = [f"Places365_val_{i:08d}" for i in (1, 2)]
  write_tar(
    root / "val_256.tar",
    {f"val_256/{name}.jpg": jpg(i) for i, name in enumerate(names)},
  )
  write_tar(
    root / "filelist_places365-standard.tar",
    {
      "categories_places365.txt": b"/a/abbey 0\n/c/church/outdoor 91\n",
      "places365_val.txt": f"{names[0]}.jpg 91\n{names[1]}.jpg 0\n".encode(),
    },
  )


def places2_easy(root: Path) -> None:
  base = "places365_standard"
  write_tar(
    root / "places365standard_easyformat.tar",
    {
      f"{base}/train/church-outdoor/00000001.jpg": jpg(1),
      f"{base}/train/abbey/00000001.jpg": jpg(2),
      f"{base}/val/church-outdoor/Places365_val_00000001.jpg": jpg(0),
    },
  )
