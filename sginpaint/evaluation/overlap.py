"""What an evaluation shows that the training has seen: pictures and masks.

Compared by content, whatever the names: pictures as they are stored, masks by
the bytes of their files. It is said and recorded, not refused: some published
numbers are of masks that were trained with, and whoever repeats them must.
"""

import functools
import logging

from ml_collections import ConfigDict

from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.splits import ALIASES, Examples, Split
from sginpaint.evaluation.manifest import Manifest

_LOG = logging.getLogger(__name__)
# Of a larger set, all pictures would have to be read: not compared.
_MOST = 100_000


def describe_overlap(
  split: Split, manifest: Manifest, config: ConfigDict
) -> dict[str, int | None]:
  """How many evaluated pictures and masks are also among those trained with.

  Args:
    split: that is evaluated.
    manifest: its pairs, with the hashes of their pictures.
    config: of the training: its split and its masks.

  Returns:
    {"pictures": n, "masks": n}; None = not compared: another split is not
    known or too large, or masks are drawn. Numbers above 0 are logged.
  """
  return {
    "pictures": _pictures(split, manifest, config.data.train_split),
    "masks": _masks(manifest, config),
  }


def _pictures(split: Split, manifest: Manifest, name: str) -> int | None:
  known = split.siblings
  train = known.get(name, known.get(ALIASES.get(name, "")))
  if train is None or len(train) > _MOST:
    return None
  seen = _contents(train)
  shared = [pair.image for pair in manifest.pairs if pair.image_hash in seen]
  if shared:
    _LOG.warning(
      "%d of %d evaluated pictures are also in split %s, such as %s",
      *(len(shared), len(manifest.pairs), name, shared[0]),
    )
  return len(shared)


@functools.lru_cache(maxsize=2)
def _contents(examples: Examples) -> frozenset[str]:
  return frozenset(map(examples.content, range(len(examples))))


def _masks(manifest: Manifest, config: ConfigDict) -> int | None:
  if manifest.folder is None or not config.masks.path:
    return None
  seen = _file_contents(config.masks.path)
  used = {pair.mask: pair.mask_hash for pair in manifest.pairs}
  shared = [name for name, content in used.items() if content in seen]
  if shared:
    _LOG.warning(
      "%d of %d evaluated masks are also in config.masks.path=%s, such as %s",
      *(len(shared), len(used), config.masks.path, shared[0]),
    )
  return len(shared)


@functools.lru_cache(maxsize=2)
def _file_contents(path: str) -> frozenset[str]:
  folder = MaskFolder(path)
  return frozenset(map(folder.file_hash, range(len(folder))))
