"""Methods of a comparison, evaluated and shown.

The evaluation of a checkpoint that was made with the same weights, pairs and
protocol is taken as it lies; others are made and kept. Pictures are filled once
more where they are to be shown: which ones is known at the end only.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ml_collections import ConfigDict

from sginpaint import workdirs
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import evaluation_batches, geometry_options
from sginpaint.data.splits import Split
from sginpaint.evaluation import evaluator, stored
from sginpaint.evaluation.analyses import build_analyst
from sginpaint.evaluation.baselines import masked
from sginpaint.evaluation.comparison import Contestant
from sginpaint.evaluation.gallery import build_gallery
from sginpaint.evaluation.gathering import rows_of
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.measuring import measured_batches
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.predictor import Predictor
from sginpaint.evaluation.protocols import get_protocol
from sginpaint.evaluation.results import Panel
from sginpaint.evaluation.reviewers import build_reviewers
from sginpaint.files import write_atomically

_THREADS = 4
_DRAWN_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Entrant:
  """What is to be compared.

  Attributes:
    name: for people.
    source: as given.
    loaded: a checkpoint, or what stands in its place (given.py); its config
      says how all of them are evaluated.
    weights: which weights `loaded` holds.
    note: a sentence on it.
  """

  name: str
  source: str
  loaded: Loaded
  weights: str = "ema"
  note: str = ""


def with_ratios(manifest: Manifest) -> Manifest:
  """With the ratio of every hole, as the manifest's hash wants them."""
  ratios: dict[int, float] = {}
  indices = manifest.indices
  for start in range(0, len(indices), _DRAWN_AT_ONCE):
    some = indices[start : start + _DRAWN_AT_ONCE]
    masks = manifest.draw(some).astype(float)
    ratios |= dict(zip(some, masks.mean((1, 2, 3)), strict=True))
  return manifest.completed(ratios)


def score(
  entrant: Entrant,
  split: Split,
  manifest: Manifest,
  folder: Path,
  *,
  progress: bool = True,
) -> Contestant:
  """Evaluates, unless that was done.

  Args:
    entrant: whose config names the file of `manifest`.
    split: of the pictures.
    manifest: the pairs.
    folder: of this evaluation, if it has to be made.
    progress: show a bar, on a terminal.

  Raises:
    UserError: see `evaluator.evaluate`.
  """
  loaded = entrant.loaded
  roots = [folder.parent]
  if loaded.workdir:
    roots += [Path(loaded.workdir) / d for d in ("eval", "eval_true_map")]
  found = stored.find(roots, _wanted(entrant, split, manifest))
  if found is None:
    evaluator.evaluate(
      loaded,
      split,
      output_dir=folder,
      name=entrant.name,
      weights=entrant.weights,
      progress=progress,
    )
    found = folder
  return Contestant(
    entrant.name,
    entrant.source,
    stored.read(found),
    entrant.note,
    workdirs.plain_config(loaded.config),
  )


def _wanted(
  entrant: Entrant, split: Split, manifest: Manifest
) -> dict[str, Any]:
  """What an evaluation must say of itself to be the one asked for."""
  loaded, config = entrant.loaded, entrant.loaded.config
  return {
    "protocol": config.eval.protocol,
    "guidance": config.eval.guidance,
    "count": len(manifest.pairs),
    "checkpoint_hash": loaded.hash,
    "frozen": dict(loaded.frozen_hashes) or None,
    "weights": entrant.weights,
    "split_fingerprint": split.fingerprint,
    "manifest_hash": manifest.hash,
    **_measured(loaded, split),
  }


def _measured(loaded: Loaded, split: Split) -> dict[str, set[str]]:
  """What `stored.find` calls "measures" and "judges"."""
  config = loaded.config
  observer = Observer(*load_networks(config))
  reviewers = build_reviewers(loaded, split)
  measures = (*get_protocol(config.eval.protocol).measures, *observer.measures)
  measures = sum((r.measures for r in reviewers), measures)
  networks = stored.judges({"networks": observer.describe(0, 0)})
  return {
    "measures": {m.name for m in measures},
    "judges": {*networks.values(), *(r.hash for r in reviewers)},
  }


def show(
  entrant: Entrant, split: Split, manifest: Manifest, indices: Iterable[int]
) -> Mapping[int, Panel]:
  """Fills some pictures again.

  Args:
    entrant: that fills.
    split: of the pictures.
    manifest: the pairs.
    indices: of pictures in the split.

  Returns:
    {index: panel}.
  """
  wanted = set(indices)
  pairs = tuple(p for p in manifest.pairs if p.index in wanted)
  manifest = dataclasses.replace(manifest, pairs=pairs)
  config = entrant.loaded.config.copy_and_resolve_references()
  config.eval.panels = len(pairs)
  gallery = build_gallery(config, manifest, ())
  predictor = Predictor(
    entrant.loaded,
    get_protocol(config.eval.protocol),
    outputs=tuple(config.eval.outputs),
    guidance=config.eval.guidance,
    analyst=build_analyst(entrant.loaded, split),  # knows about labels
  )
  with ThreadPoolExecutor(_THREADS) as pool:
    for measured in measured_batches(predictor, config, split, manifest, pool):
      gallery.offer(measured, rows_of(measured, manifest))
  samples = (p for p in gallery.panels() if p.role == "sample")
  return {panel.row.index: panel for panel in samples}


def export(
  config: ConfigDict, split: Split, manifest: Manifest, output: Path
) -> None:
  """Writes what other programs are to fill: input/<id>.png and mask/<id>.png.

  Args:
    config: of the evaluation.
    split: of the pictures.
    manifest: the pairs.
    output: folder; holes are grey in the inputs, and white in the masks.
  """
  names = {pair.index: pair.image for pair in manifest.pairs}
  with evaluation_batches(
    split,
    batch_size=1,
    **geometry_options(config.data, train=False),
    indices=manifest.indices,
    framings=manifest.framings,
  ) as batches:
    for index, batch in zip(manifest.indices, batches, strict=True):
      truth = np.asarray(batch.image)[0]
      hole = manifest.draw([index])[0, ..., 0] > 0.5
      pictures = {"input": masked(truth, hole), "mask": hole * np.uint8(255)}
      for folder, picture in pictures.items():
        shown = picture[..., ::-1] if picture.ndim == 3 else picture
        encoded = cv2.imencode(".png", shown)[1].tobytes()
        write_atomically(output / folder / f"{names[index]}.png", encoded)
