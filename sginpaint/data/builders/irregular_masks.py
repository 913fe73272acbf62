"""The irregular masks of Liu et al. (ECCV 2018), sorted by the hole's size.

`test_mask.zip` with `testing_mask_dataset/00000.png`, ..., `11999.png`, where
white is missing, and `irregular_mask.zip` with `disocclusion_img_mask/*.png`,
to train on, where *black* is missing. Here white always is. What comes out:

    irregular_masks/test/20-30/inside/00000.png
    irregular_masks/test/20-30/border/01000.png

20-30: over 20 % and at most 30 % of the pixels are missing, counted after
resizing; the six ranges of the paper are 01-10, 10-20, ..., 50-60, and what
lies outside them is in 00-01 and 60-100. `inside`: every hole stays at least 50
of 512 pixels away from the border, the paper's "border constraint"; `border`:
one does not. Each of these folders can be given where masks are read from.
"""

import collections
import os
import pathlib
import shutil
import statistics

import cv2
import numpy as np
import tqdm

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Plan
from sginpaint.data.builders.members import Member
from sginpaint.data.images import UnreadableError
from sginpaint.data.mask_files import (
  INVERTED,
  SUFFIXES,
  is_hole,
  read_grey,
  resize_nearest,
)
from sginpaint.errors import UserError

SIZE = 256
RATIOS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_MARGIN = 50 / 512
# Part of the path -> (name here, whether white is missing).
_SETS = {
  "testing_mask_dataset": ("test", True),
  "disocclusion_img_mask": ("train", False),
}


def range_name(ratio: float) -> str:
  """The range of hole area / picture area, in percent, as `20-30`."""
  edges = (-1.0, *RATIOS, 1.0)
  for low, high in zip(edges, edges[1:], strict=False):
    if ratio <= high:
      return f"{max(0, round(100 * low)):02d}-{round(100 * high):02d}"
  raise ValueError(f"ratio {ratio} is above 1")


def near_border(hole: np.ndarray) -> bool:
  """Whether a hole, bool [H, W], comes nearer to the border than allowed."""
  tall, wide = (round(side * _MARGIN) for side in hole.shape)
  middle = hole[tall : hole.shape[0] - tall, wide : hole.shape[1] - wide]
  return bool(hole.sum() > middle.sum())


def sort_masks(
  manual_dir: str, data_dir: str, *, size: int | None = None
) -> tuple[pathlib.Path, dict[str, int]]:
  """Writes DATA_DIR/irregular_masks; what was there is replaced.

  Args:
    manual_dir: folder with one or both archives, or what is in them.
    data_dir: where data sets are kept.
    size: side of the masks that are written, pixels; 0 = as they are, None =
      256.

  Returns:
    The directory, and the number of masks by folder in it.

  Raises:
    UserError: no masks, an unreadable one, two of one name, or the polarity is
      the contrary of what it should be.
  """
  directory = pathlib.Path(data_dir).expanduser() / IRREGULAR_MASKS.name
  draft = directory.with_name(f".{directory.name}.{os.getpid()}.part")
  unpacked, done = draft / "unpacked", draft / "sorted"
  counts: collections.Counter[str] = collections.Counter()
  try:
    found = _masks(
      ManualDir(manual_dir, unpacked, IRREGULAR_MASKS.how_to_get())
    )
    for (name, white), members in found.items():
      ratios = []
      for member in tqdm.tqdm(members, desc=name, unit="mask", disable=None):
        folder, ratio = _sort(member, done / name, white, size)
        counts[f"{name}/{folder}"] += 1
        ratios.append(ratio)
      _check_polarity(name, ratios, white)
    if directory.exists():  # away at once, so that it is never there by half
      os.replace(directory, draft / "replaced")
    os.replace(done, directory)
  except OSError as e:
    raise UserError(f"{directory}: cannot be written ({e.strerror})") from e
  finally:
    shutil.rmtree(draft, ignore_errors=True)
  return directory, dict(sorted(counts.items()))


def _masks(manual: ManualDir) -> dict[tuple[str, bool], list[Member]]:
  found: dict[tuple[str, bool], dict[str, Member]]
  found = collections.defaultdict(dict)
  for path, member in manual.members().items():
    for part, kind in _SETS.items():
      if f"{part}/" in path and path.lower().endswith(SUFFIXES):
        stem = pathlib.PurePosixPath(path).stem
        # As an archive and, under another name, unpacked: files of one name.
        if stem in found[kind]:
          raise UserError(
            f"{member}: a second mask {stem!r}, beside {found[kind][stem]}; "
            "leave one of them"
          )
        found[kind][stem] = member
  if not found:
    raise manual.missing("no masks")
  return {kind: list(members.values()) for kind, members in found.items()}


def _sort(
  member: Member, root: pathlib.Path, white: bool, size: int | None
) -> tuple[str, float]:
  """Writes one mask; its folder and its ratio."""
  path = pathlib.Path(member.name or member.file)
  try:
    grey = read_grey(path, member.read())
  except UnreadableError as e:
    raise UserError(f"{member}: {e}; get the archive anew") from e
  hole = is_hole(grey, white_is_hole=white)
  folder = "border" if near_border(hole) else "inside"
  side = SIZE if size is None else size
  if side:
    hole = resize_nearest(hole, side, side)
  ratio = float(hole.mean())
  folder = f"{range_name(ratio)}/{folder}"
  target = root / folder / f"{path.stem}.png"
  target.parent.mkdir(parents=True, exist_ok=True)
  done, data = cv2.imencode(".png", hole * np.uint8(255))
  if not done:
    raise RuntimeError("OpenCV could not encode a PNG")
  target.write_bytes(data.tobytes())
  return folder, ratio


def _check_polarity(name: str, ratios: list[float], white: bool) -> None:
  if (median := statistics.median(ratios)) > INVERTED:
    colour, other = ("white", "black") if white else ("black", "white")
    raise UserError(
      f"the {name} masks look inverted: half of them leave more than "
      f"{median:.0%} of the picture to fill where {colour} is taken for "
      f"missing, as published; if {other} is missing in your files, use them "
      f"as they are with --config.masks.white_is_hole={not white}"
    )


def _no_plan(manual: ManualDir) -> Plan:
  raise NotImplementedError("masks are sorted, not built")


IRREGULAR_MASKS = DataSet(
  name="irregular_masks",
  title="NVIDIA Irregular Mask Dataset",
  home="https://nv-adlr.github.io/publication/partialconv-inpainting",
  terms="research only",
  files="test_mask.zip (12,000 masks), irregular_mask.zip (to train on)",
  plan=_no_plan,
)
