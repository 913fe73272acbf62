"""Evaluates one checkpoint on one split: pictures in, scores and panels out.

The same seeded pairs of picture and hole (manifest.py) are filled by the system
and by the baselines and measured as the protocol says. A ragged last batch is
padded, so that one shape is compiled; the padding is dropped before anything is
counted.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tqdm

from sginpaint.batch import Batch, Guidance
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import BatchIterator, evaluation_batches
from sginpaint.data.splits import Split
from sginpaint.evaluation import provenance, results
from sginpaint.evaluation.analyses import Analyst, build_analyst
from sginpaint.evaluation.baselines import check_names
from sginpaint.evaluation.classifiers import evaluate_classifier
from sginpaint.evaluation.collector import Collector
from sginpaint.evaluation.gallery import Gallery
from sginpaint.evaluation.guidance import (
  OTHERS,
  check_guidance,
  other_pictures,
)
from sginpaint.evaluation.manifest import Manifest, build_manifest
from sginpaint.evaluation.output import save
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.predictor import Measured, Predictor
from sginpaint.evaluation.protocols import Protocol, get_protocol
from sginpaint.evaluation.results import SYSTEM, Evaluation, Panel, Row
from sginpaint.evaluation.segmenters import evaluate_segmenter
from sginpaint.evaluation.served import output_names

_HOST_THREADS = 4


def evaluate(
  loaded: Loaded, split: Split, *, output_dir: str | Path, **options: Any
) -> dict[str, Any]:
  """Evaluates any system and writes every file.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    output_dir: made where it does not exist; see `output.save`.
    **options: of `run`, or of `evaluate_segmenter` or `evaluate_classifier`
      for a system that makes no pictures.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: see `run`.
  """
  outputs = output_names(loaded)
  if "image" not in outputs:
    labels_pixels = "segmentation" in outputs
    other = evaluate_segmenter if labels_pixels else evaluate_classifier
    return other(loaded, split, output_dir=output_dir, **options)
  evaluation = run(loaded, split, **options)
  save(evaluation, output_dir)
  return dict(evaluation.metrics)


def run(
  loaded: Loaded,
  split: Split,
  *,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
) -> Evaluation:
  """Evaluates in memory; writes nothing.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    name: of the checkpoint in the report; default its system and step.
    description: a sentence for the report.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.

  Raises:
    UserError: a setting is not known, the split is empty or lacks what
      `guidance` needs, a network is missing or puts out NaN, or see
      `build_analyst`.
  """
  config = loaded.config
  protocol = get_protocol(config.eval.protocol)
  check_names(tuple(config.eval.baselines))
  check_guidance(loaded.system, split, config)
  analyst = build_analyst(loaded, split)
  manifest = _manifest(split, config)
  observer = Observer(*load_networks(config))
  protocol = protocol.extended((*analyst.measures, *observer.measures))
  collector = Collector(observer, split, manifest, config)
  predictor = _predictor(loaded, protocol, observer, analyst, collector)
  rows, panels, holes = _gather(
    predictor, config, split, manifest, analyst, collector, progress=progress
  )
  manifest = manifest.completed({row.index: row.ratio for row in rows})
  return Evaluation(
    name=name or f"{config.system}, step {loaded.step}",
    description=description,
    protocol=protocol,
    metrics={
      "protocol": protocol.name,
      "step": loaded.step,
      "count": len(rows),
      "masks": config.eval.masks,
      "guidance": config.eval.guidance,
      **collector.finish(
        analyst.finish(scores_of(rows, protocol), rows), len(rows)
      ),
      "provenance": provenance.describe(loaded, split, weights)
      | _pairing(manifest, holes),
    },
    rows=rows,
    panels=panels,
    manifest=manifest,
    config=config.to_dict(),
  )


def _pairing(manifest: Manifest, holes: str) -> dict[str, Any]:
  return {
    "seed": manifest.seed,
    "manifest_hash": manifest.hash,
    "mask_set_hash": manifest.set_hash or holes,
  }


def _predictor(
  loaded: Loaded,
  protocol: Protocol,
  observer: Observer,
  analyst: Analyst,
  collector: Collector,
) -> Predictor:
  return Predictor(
    loaded,
    protocol,
    outputs=tuple(loaded.config.eval.outputs),
    guidance=loaded.config.eval.guidance,
    observer=observer,
    analyst=analyst,
    look_at_truth=not collector.truth_is_known,
  )


def _manifest(split: Split, config: Any) -> Manifest:
  return build_manifest(
    split.ids,
    masks=config.eval.masks,
    seed=config.eval.seed,
    image_size=config.data.image_size,
    count=config.eval.count,
    irregular_ratio=tuple(config.eval.irregular_ratio),
    center_size=config.masks.center_size,
    rectangle_size=tuple(config.masks.rectangle_size),
    white_is_hole=config.eval.white_is_hole,
  )


def _gather(
  predictor: Predictor,
  config: Any,
  split: Split,
  manifest: Manifest,
  analyst: Analyst,
  collector: Collector,
  *,
  progress: bool,
) -> tuple[list[Row], list[Panel], str]:
  """Measures every pair; (rows, panels to show, sha256 of the masks)."""
  # Maps are numbered as in the training, whatever the split has.
  classes = config.data.classes
  colors = np.array([info["colour"] for info in classes], np.uint8)
  gallery = Gallery(
    manifest,
    samples=config.eval.panels,
    outputs=tuple(config.eval.outputs),
    details=analyst.details,
    colors=colors if len(colors) else None,
  )
  rows: list[Row] = []
  holes = hashlib.sha256()
  with (
    ThreadPoolExecutor(_HOST_THREADS) as pool,
    tqdm.tqdm(
      total=len(manifest.pairs),
      desc="evaluate",
      unit="picture",
      disable=None if progress else True,
    ) as bar,
  ):
    for measured in _measured(predictor, config, split, manifest, pool):
      collector.add(measured)
      new = rows_of(measured, manifest)
      analyst.add(measured.found, new)
      gallery.offer(measured, new)
      rows += new
      bar.update(len(new))
      holes.update(np.packbits(measured.mask > 0.5).tobytes())
  return rows, gallery.panels(), holes.hexdigest()


def _measured(
  predictor: Predictor,
  config: Any,
  split: Split,
  manifest: Manifest,
  pool: ThreadPoolExecutor,
) -> Iterator[Measured]:
  """Yields one `Measured` per batch, in the order of the split."""
  size = predictor.batch_size(config.eval.batch_size)
  for batch in _batches(config, split, manifest, size):
    # Padding repeats a picture that is there, so it has a mask as well.
    mask = manifest.draw(np.asarray(batch.index))
    yield predictor(batch, mask, tuple(config.eval.baselines), pool)


def _batches(
  config: Any, split: Split, manifest: Manifest, size: int
) -> Iterator[Batch]:
  """With the labels of other pictures as guidance where these shall guide."""

  def read(indices: list[int]) -> BatchIterator:
    return evaluation_batches(
      split,
      batch_size=size,
      image_size=config.data.image_size,
      resize=config.data.resize,
      crop_size=config.data.crop_size,
      threads=config.data.threads,
      indices=indices,
    )

  with read(manifest.indices) as batches:
    if config.eval.guidance != OTHERS or not split.labelled:
      yield from batches
      return
    others = other_pictures(split, config.eval.seed)
    with read([others[i] for i in manifest.indices]) as theirs:
      for batch, other in zip(batches, theirs, strict=True):
        yield batch.replace(guidance=Guidance(segmentation=other.segmentation))


def rows_of(measured: Measured, manifest: Manifest) -> list[Row]:
  """One row per picture of a measured batch."""
  ratios = measured.mask.astype(np.float64).mean(axis=(1, 2, 3))
  pairs = [manifest.pair(int(index)) for index in measured.index]
  return [
    Row(
      index=pair.index,
      image=pair.image,
      mask=pair.mask,
      ratio=float(ratios[i]),
      scores={
        method: {name: float(values[i]) for name, values in scores.items()}
        for method, scores in measured.scores.items()
      },
    )
    for i, pair in enumerate(pairs)
  ]


def scores_of(rows: list[Row], protocol: Protocol) -> dict[str, Any]:
  """The part of metrics.json that follows from the rows."""
  summary = results.summarize(rows, protocol)
  return {
    "metrics": summary.pop(SYSTEM),
    "baselines": summary,
    "capped": results.count_capped(rows, protocol),
    "without_hole": sum(row.ratio == 0 for row in rows),
  }
