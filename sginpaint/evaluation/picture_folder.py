"""A folder of pictures that another program filled, checked before use.

A picture is found by the id that it has in the manifest: as a path below the
folder, with `/` written `_`, or, where that is one of a kind, by the last part
of the id; any of the usual suffixes.
"""

import dataclasses
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.images import EXTENSIONS, UnreadableError, decode_rgb
from sginpaint.data.pipeline import evaluation_batches, geometry_options
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.given import load_given
from sginpaint.evaluation.manifest import Manifest
from sginpaint.files import digest

_LOG = logging.getLogger(__name__)
_THREADS = 4
# Mean difference of the known pixels, in levels of 255. A network's own
# rendering of them, or JPEG, is off by a few; another crop by far more.
FAR_OFF = 12.0


@dataclasses.dataclass(frozen=True)
class PictureFolder:
  """The pictures of one program; a `given.Fill`.

  Attributes:
    root: the folder.
    files: {index of the picture in its split: file}.
  """

  root: Path
  files: Mapping[int, Path]

  def __call__(
    self,
    index: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    pool: ThreadPoolExecutor,
  ) -> np.ndarray:
    """As `given.Fill`."""
    del truth, mask
    return np.stack(list(pool.map(self.read, np.asarray(index).tolist())))

  def read(self, index: int) -> np.ndarray:
    """uint8 [H, W, 3].

    Raises:
      UserError: the file is no whole picture.
    """
    path = self.files[index]
    try:
      return decode_rgb(path.read_bytes())
    except (OSError, UnreadableError) as e:
      raise UserError(f"{path}: {e}; write it again") from e

  @property
  def hash(self) -> str:
    """Of all files, in the order of the split."""
    # One at a time: all of a large set would not fit into the memory.
    files = (self.files[i].read_bytes() for i in sorted(self.files))
    return digest(*map(digest, files))


def find_pictures(root: str | Path, manifest: Manifest) -> PictureFolder:
  """The files of all pictures of a manifest.

  Raises:
    UserError: some are missing, or there are two of one.
  """
  files = sorted(
    path
    for path in Path(root).rglob("*")
    if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
  )
  by_name: dict[str, list[Path]] = {}
  for path in files:
    name = path.relative_to(root).with_suffix("").as_posix()
    by_name.setdefault(name, []).append(path)
  lasts = [pair.image.rsplit("/", 1)[-1] for pair in manifest.pairs]
  unique = {last for last in lasts if lasts.count(last) == 1}
  by_stem: dict[str, list[Path]] = {}
  for path in files:
    by_stem.setdefault(path.stem, []).append(path)
  found: dict[int, Path] = {}
  absent = []
  for pair, last in zip(manifest.pairs, lasts, strict=True):
    paths = by_name.get(pair.image) or by_name.get(pair.image.replace("/", "_"))
    if not paths and last in unique:
      paths = by_stem.get(last)
    if not paths:
      absent.append(pair.image)
    elif len(paths) > 1:
      raise UserError(
        f"{root}: {paths[0].relative_to(root)} and "
        f"{paths[1].relative_to(root)} are both of picture {pair.image}; keep "
        "one"
      )
    else:
      found[pair.index] = paths[0]
  if absent:
    raise UserError(
      f"{root}: lacks {len(absent)} of {len(manifest.pairs)} pictures, such as "
      f"{absent[0]}; name the files as the manifest does, {absent[0]}.png"
    )
  return PictureFolder(Path(root), found)


def check_pictures(
  folder: PictureFolder, config: ConfigDict, split: Split, manifest: Manifest
) -> str:
  """Looks at every picture beside the truth.

  Args:
    folder: of the pictures.
    config: of the evaluation.
    split: of the true pictures.
    manifest: the pairs.

  Returns:
    What has to be said of its known pixels; "" where all are as they were.

  Raises:
    UserError: sizes differ, or known pixels do by far.
  """
  sizes: dict[str, tuple[int, ...]] = {}
  off: dict[str, float] = {}
  batches = evaluation_batches(
    split,
    batch_size=1,
    **geometry_options(config.data, train=False),
    indices=manifest.indices,
    framings=manifest.framings,
  )
  with batches, ThreadPoolExecutor(_THREADS) as pool:
    pictures = pool.map(folder.read, manifest.indices)
    for pair, batch, picture in zip(
      manifest.pairs, batches, pictures, strict=True
    ):
      truth = np.asarray(batch.image)[0]
      if picture.shape != truth.shape:
        sizes[pair.image] = picture.shape[1::-1]
        continue
      known = manifest.draw([pair.index])[0, ..., 0] < 0.5
      change = np.abs(picture[known].astype(float) - truth[known])
      off[pair.image] = float(change.mean()) if known.any() else 0.0
  return _judge(folder.root, config.data.image_size, sizes, off)


def _judge(
  root: Path,
  side: int,
  sizes: Mapping[str, tuple[int, ...]],
  off: Mapping[str, float],
) -> str:
  total = len(sizes) + len(off)
  if sizes:
    name, (width, height) = next(iter(sizes.items()))
    raise UserError(
      f"{root}: {len(sizes)} of {total} pictures are not {side}x{side}, such "
      f"as {name} with {width}x{height}; write them in the size of the "
      "evaluation, or change --config.data.image_size"
    )
  far = {name: value for name, value in off.items() if value > FAR_OFF}
  if far:
    worst = max(far, key=lambda name: far[name])
    raise UserError(
      f"{root}: in {len(far)} of {total} pictures the known pixels are others, "
      f"such as {worst}, off by {far[worst]:.0f} levels on average; fill the "
      "pictures as they are cut and resized here, under the masks of the "
      "manifest"
    )
  changed = {name: value for name, value in off.items() if value > 0}
  if not changed:
    return ""
  said = (
    f"{len(changed)} of its {total} pictures had other known pixels, off by "
    f"{max(changed.values()):.2g} levels on average at most; they were put back"
  )
  _LOG.warning("%s: %s", root, said)
  return said


def load_folder(
  root: str | Path, config: ConfigDict, split: Split, manifest: Manifest
) -> tuple[Loaded, str]:
  """A folder in the place of a checkpoint, and what has to be said of it.

  Raises:
    UserError: see `find_pictures` and `check_pictures`.
  """
  folder = find_pictures(root, manifest)
  note = check_pictures(folder, config, split, manifest)
  key = folder.hash
  return load_given(folder, config, kind="pictures", key=key), note
