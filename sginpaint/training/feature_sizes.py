"""How much disk a store of teacher features takes, told and checked first."""

import logging
import shutil
from collections.abc import Sequence

import jax
from ml_collections import ConfigDict

from sginpaint.data.feature_format import (
  DTYPES,
  VIEWS,
  bytes_per_picture,
  shard_bytes,
)
from sginpaint.data.feature_writer import FeatureWriter
from sginpaint.errors import UserError

_log = logging.getLogger(__name__)


def check_space(
  writer: FeatureWriter, shape: Sequence[int], config: ConfigDict
) -> None:
  """Tells what each way of storing takes, and that there is room for this one.

  Args:
    writer: of the store to be.
    shape: (h, w, F) of a picture's features.
    config: of the training; `teacher.dtype` and `teacher.flip` choose the way.

  Raises:
    UserError: the disk has too little space for what is missing.
  """
  lines = [f"features of {config.teacher.layer}: {' x '.join(map(str, shape))}"]
  stored = VIEWS[:1] if config.teacher.flip == "mirror" else VIEWS
  for dtype in DTYPES:
    for views in (VIEWS, VIEWS[:1]):
      chosen = dtype == config.teacher.dtype and views == stored
      each = bytes_per_picture(shape, dtype=dtype, views=views)
      every = range(len(writer.ranges))
      total = total_bytes(writer, every, shape, dtype=dtype, views=views)
      lines.append(
        f"{'*' if chosen else ' '} {dtype:8}  {' + '.join(views):15} "
        f"{each:>12,} bytes a picture {total:>18,} bytes in all"
      )
  missing = total_bytes(
    writer,
    writer.missing(),
    shape,
    dtype=config.teacher.dtype,
    views=stored,
  )
  free = shutil.disk_usage(writer.directory).free
  lines.append(f"to write: {missing:,} bytes; free: {free:,}")
  if jax.process_index() == 0:
    _log.info("\n".join(lines))
  if missing > free:
    raise UserError(
      f"{writer.directory}: {missing:,} bytes of teacher features are to be "
      f"written and {free:,} are free; name another folder as "
      "config.teacher.features, or set config.teacher.dtype=int8 or "
      "config.teacher.flip=mirror"
    )


def total_bytes(
  writer: FeatureWriter,
  shards: Sequence[int],
  shape: Sequence[int],
  *,
  dtype: str,
  views: Sequence[str],
) -> int:
  """Bytes on disk of these shards of a store."""
  return sum(
    shard_bytes(len(writer.ranges[i]), shape, dtype=dtype, views=views)
    for i in shards
  )
