"""Evaluates one checkpoint on one split: pictures in, scores and panels out.

The same seeded pairs of picture and hole (manifest.py) are filled by the system
and by the baselines and measured as the protocol says. A ragged last batch is
padded, so that one shape is compiled; the padding is dropped before anything is
counted. Several processes share the pictures out among them (sharing.py).
"""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.evaluation import provenance
from sginpaint.evaluation.classifiers import evaluate_classifier
from sginpaint.evaluation.measuring import measured_batches
from sginpaint.evaluation.output import save
from sginpaint.evaluation.pairing import describe
from sginpaint.evaluation.parts import Parts, build_parts
from sginpaint.evaluation.results import Evaluation
from sginpaint.evaluation.segmenters import evaluate_segmenter
from sginpaint.evaluation.served import output_names
from sginpaint.evaluation.sharing import (
  ALONE,
  Records,
  Team,
  await_file,
  delete_records,
  everybody,
  records_folder,
  share_of,
)

_HOST_THREADS = 4


@dataclasses.dataclass(frozen=True)
class _Told:
  """What the files say of a checkpoint."""

  name: str | None
  description: str
  weights: str


def evaluate(
  loaded: Loaded,
  split: Split,
  *,
  output_dir: str | Path,
  team: Team | None = None,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
) -> dict[str, Any]:
  """Evaluates any system and writes every file.

  What was measured is kept in `output_dir` until all is written, so that an
  interrupted evaluation goes on.

  Args:
    loaded: a checkpoint; `loaded.config.eval` and `.data` say how.
    split: of a data set.
    output_dir: made where it does not exist; see `output.save`. All processes
      see the same one.
    team: who shares the work; default: all processes, which must all call.
    name: of the checkpoint in the report; default its system and step.
    description: a sentence for the report.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: see `run`, `evaluate_segmenter` and `evaluate_classifier`, which
      are for systems that make no pictures.
  """
  team = everybody() if team is None else team
  told = _Told(name, description, weights)
  outputs = output_names(loaded)
  if "image" in outputs:
    _evaluate(loaded, split, output_dir, team, told, progress)
  else:
    labels_pixels = "segmentation" in outputs
    read = evaluate_segmenter if labels_pixels else evaluate_classifier
    read(loaded, split, output_dir, team, weights=weights, progress=progress)
  if team.first:
    delete_records(output_dir)
  team.meet()
  path = Path(output_dir) / "metrics.json"
  await_file(path)
  return json.loads(path.read_text())


def _evaluate(
  loaded: Loaded,
  split: Split,
  output_dir: str | Path,
  team: Team,
  told: _Told,
  progress: bool,
) -> None:
  """Of a system that makes pictures."""
  parts = build_parts(loaded, split, team)
  pairs, networks = parts.manifest.hash, parts.networks()
  key = provenance.key(loaded, split, told.weights, pairs, networks)
  records = Records(parts.units, records_folder(output_dir, key))
  _measure(parts, loaded.config, split, records, team, progress=progress)
  if team.first:
    save(_conclude(parts, records, loaded, split, told), output_dir)


def run(
  loaded: Loaded,
  split: Split,
  *,
  name: str | None = None,
  description: str = "",
  weights: str = "ema",
  progress: bool = True,
) -> Evaluation:
  """Evaluates in memory, in this process; for arguments see `evaluate`.

  Raises:
    UserError: a setting is not known, the split is empty or lacks what
      `guidance` needs, a network is missing or puts out NaN, or see
      `build_analyst`.
  """
  parts = build_parts(loaded, split, ALONE)
  records = Records(parts.units)
  _measure(parts, loaded.config, split, records, ALONE, progress=progress)
  told = _Told(name, description, weights)
  return _conclude(parts, records, loaded, split, told)


def _measure(
  parts: Parts,
  config: ConfigDict,
  split: Split,
  records: Records,
  team: Team,
  *,
  progress: bool,
) -> None:
  """Makes every record that is missing, this process its share of them."""
  manifest = parts.manifest
  with (
    ThreadPoolExecutor(_HOST_THREADS) as pool,
    share_of(
      team, records, manifest.indices, parts.unit, progress=progress
    ) as (wanted, write),
  ):
    for measured in measured_batches(
      parts.predictor, config, split, manifest, pool, indices=wanted
    ):
      for record in parts.recorder(measured):
        write(record, len(record["rows"]))


def _conclude(
  parts: Parts,
  records: Records,
  loaded: Loaded,
  split: Split,
  told: _Told,
) -> Evaluation:
  """Adds up all records."""
  gathering, config = parts.gathering, loaded.config
  for record in records.read():
    gathering.add(record)
  rows = gathering.rows
  manifest = parts.manifest.completed({row.index: row.ratio for row in rows})
  return Evaluation(
    name=told.name or f"{config.system}, step {loaded.step}",
    description=told.description,
    protocol=parts.protocol,
    metrics={
      "protocol": parts.protocol.name,
      "step": loaded.step,
      "count": len(rows),
      "masks": manifest.masks,
      "guidance": config.eval.guidance,
      **parts.conclude(),
      "provenance": provenance.describe(loaded, split, told.weights)
      | describe(manifest, gathering.holes)
      | {"seen_in_training": parts.seen},
    },
    rows=rows,
    panels=parts.gallery.panels(),
    manifest=manifest,
    config=config.to_dict(),
  )
