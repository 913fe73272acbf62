"""The batches of an evaluation, filled and measured one after the other."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sginpaint.batch import Batch, Guidance
from sginpaint.data.pipeline import (
  BatchIterator,
  evaluation_batches,
  geometry_options,
)
from sginpaint.data.splits import Split
from sginpaint.evaluation.baselines import chosen_baselines
from sginpaint.evaluation.guidance import OTHERS, other_pictures
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.placement import batch_size
from sginpaint.evaluation.predictor import Measured, Predictor


def measured_batches(
  predictor: Predictor,
  config: Any,
  split: Split,
  manifest: Manifest,
  pool: ThreadPoolExecutor,
  *,
  indices: Sequence[int] | None = None,
) -> Iterator[Measured]:
  """Yields one `Measured` per batch, a unit on each device (sharing.py).

  Args:
    predictor: that fills and measures.
    config: of the evaluation.
    split: whose pictures they are.
    manifest: its pairs.
    pool: threads for the baselines.
    indices: of the pairs wanted, in order; None = all.
  """
  size = batch_size(config.eval.batch_size)
  wanted = list(manifest.indices if indices is None else indices)
  for batch in _batches(config, split, manifest, size, wanted):
    # Padding repeats a picture that is there, so it has a mask as well.
    mask = manifest.draw(np.asarray(batch.index))
    yield predictor(batch, mask, chosen_baselines(config), pool)


def _batches(
  config: Any, split: Split, manifest: Manifest, size: int, wanted: list[int]
) -> Iterator[Batch]:
  """With the labels of other pictures as guidance where these shall guide."""

  if not wanted:
    return

  def read(indices: list[int], **framings: Any) -> BatchIterator:
    return evaluation_batches(
      split,
      batch_size=size,
      **geometry_options(config.data, train=False),
      indices=indices,
      **framings,
    )

  with read(wanted, framings=manifest.framings) as batches:
    if config.eval.guidance != OTHERS or not split.labelled:
      yield from batches
      return
    others = other_pictures(split, config.eval.seed)
    with read([others[i] for i in wanted]) as theirs:
      for batch, other in zip(batches, theirs, strict=True):
        yield batch.replace(guidance=Guidance(segmentation=other.segmentation))
