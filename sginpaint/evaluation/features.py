"""Features of the pictures of a set: collected in parts, kept on disk.

What a network says of the true pictures of a data set does not depend on the
checkpoint that is evaluated, so it is computed once.
"""

import dataclasses
import io
import logging
import pathlib
import zipfile
from collections.abc import Sequence

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.data.transforms import describe_preprocessing
from sginpaint.files import cache_directory, digest, write_atomically

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Features:
  """One row per picture; parts from batches and processes can be added up.

  Attributes:
    index: int64 [n], of the pictures in their split, ascending.
    values: float32 [n, D].
  """

  index: np.ndarray
  values: np.ndarray

  @classmethod
  def of(cls, parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Features":
    """Of (index, values) of batches, in any order; a picture counts once."""
    index = np.concatenate([np.asarray(i, np.int64) for i, _ in parts])
    values = np.concatenate([np.asarray(v, np.float32) for _, v in parts])
    index, first = np.unique(index, return_index=True)
    return cls(index, values[first])

  def merge(self, other: "Features") -> "Features":
    """Of the pictures that either has."""
    parts = [(part.index, part.values) for part in (self, other)]
    return Features.of(parts)

  def aligned(self, other: "Features") -> tuple[np.ndarray, np.ndarray]:
    """Both values, row for row of the same pictures.

    Raises:
      ValueError: they are not of the same pictures.
    """
    if not np.array_equal(self.index, other.index):
      raise ValueError("the features are not of the same pictures")
    return self.values, other.values


def real_path(
  *,
  network: str,
  fingerprint: str,
  indices: Sequence[int],
  preprocessing: str,
) -> pathlib.Path:
  """Where the features of true pictures are kept.

  Args:
    network: hash of its weights.
    fingerprint: of the split.
    indices: of the pictures in the split.
    preprocessing: what became of them, see `describe_preprocessing`.
  """
  name = digest(
    network,
    fingerprint,
    np.asarray(indices, np.int64).tobytes(),
    preprocessing,
    # Matrix units round differently.
    jax.devices()[0].device_kind,
  )
  return cache_directory() / "features" / f"{name}.npz"


def path_of(
  network: str, split: Split, indices: Sequence[int], data: ConfigDict
) -> pathlib.Path:
  """Where the features of pictures are kept that an evaluation looks at.

  Args:
    network: as in `real_path`.
    split: of the pictures.
    indices: of them, in the split.
    data: `config.data` of the evaluation.
  """
  return real_path(
    network=network,
    fingerprint=split.fingerprint,
    indices=indices,
    preprocessing=describe_preprocessing(
      resize=data.resize,
      crop="center",
      crop_size=data.crop_size,
      size=data.image_size,
    ),
  )


def save(path: pathlib.Path, features: Features) -> None:
  """Writes the file.

  Raises:
    OSError: it cannot be written.
  """
  data = io.BytesIO()
  np.savez(data, index=features.index, values=features.values)
  write_atomically(path, data.getvalue())


def load(path: pathlib.Path) -> Features | None:
  """Reads the file; None where there is none, or a damaged one."""
  if not path.is_file():
    return None
  try:
    with np.load(path) as stored:
      return Features(stored["index"], stored["values"])
  except (OSError, ValueError, KeyError, zipfile.BadZipFile) as e:
    _log.warning("%s is damaged (%s) and will be made again", path, e)
    return None
