"""Tiny folders of pictures for the tests."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES_CSV = """value,name,mirror
0,sky,
1,left_eye,right_eye
2,right_eye,left_eye
9,unknown,
"""


def picture(seed: int, height: int = 12, width: int = 16) -> np.ndarray:
  """uint8 [H, W, 3] noise."""
  generator = np.random.default_rng(seed)
  return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def label(seed: int, height: int = 12, width: int = 16) -> np.ndarray:
  """uint8 [H, W] of the values of CLASSES_CSV."""
  generator = np.random.default_rng(1000 + seed)
  return generator.choice(
    np.array([0, 1, 2, 9, 255], np.uint8), (height, width)
  )


def save(path: Path, array: np.ndarray, **options) -> None:
  """Writes a picture or a label map, making its folder."""
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.fromarray(array).save(path, **options)


def make_folder(
  root: Path, count: int = 10, *, labels: bool = True, lists: bool = True
) -> Path:
  """`count` pictures p00, p01, ...; all but the last two train."""
  names = [f"p{i:02d}" for i in range(count)]
  for i, name in enumerate(names):
    save(root / "images" / f"{name}.png", picture(i))
    if labels:
      save(root / "labels" / f"{name}.png", label(i))
  if labels:
    (root / "classes.csv").write_text(CLASSES_CSV)
  if lists:
    (root / "train.txt").write_text("\n".join(names[:-2]))
    (root / "val.txt").write_text("\n".join(names[-2:]) + "\n")
  return root
