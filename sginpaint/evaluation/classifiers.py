"""Evaluates systems that name attributes instead of painting pictures.

Scores: mean average precision over attributes, and accuracy at probability
0.5 over all known entries; of whole pictures and, under `corrupted`, of the
same with holes (reading.py). The baseline `prevalence` gives every picture the
same scores: each attribute's share of the split.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.analysis import finite
from sginpaint.evaluation.classification import (
  accuracies,
  mean_average_precision,
)
from sginpaint.evaluation.reading import CORRUPTED, WHOLE, Read, Reader
from sginpaint.evaluation.report_classification import write_report
from sginpaint.evaluation.results import csv_text
from sginpaint.evaluation.sharing import Team, delete_records
from sginpaint.files import write_atomically, write_json


@dataclasses.dataclass(frozen=True)
class _Table:
  """N pictures.

  Attributes:
    index: int [N], positions in the split.
    targets: float32 [N, A], NaN = unknown.
    logits: {WHOLE or CORRUPTED: float32 [N, A]}.
  """

  index: np.ndarray
  targets: np.ndarray
  logits: dict[str, np.ndarray]


def evaluate_classifier(
  loaded: Loaded,
  split: Split,
  output_dir: str | Path,
  team: Team,
  *,
  weights: str,
  progress: bool,
) -> None:
  """Writes metrics.json, per_image.csv, report.html and, of holes, their pairs.

  In metrics.json `corrupted` has `metrics`, `baselines` and `attributes` as the
  whole pictures have them.

  Args:
    loaded: a checkpoint whose `predict` gives `attribute_logits`.
    split: with the attributes that it was trained on.
    output_dir: made where it does not exist.
    team: who shares the work; its first process writes.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.

  Raises:
    UserError: the split has other attributes or knows none, or see `Reader`.
  """
  config = loaded.config
  _check_attributes(split, config)
  reader = Reader(loaded, split)
  records = reader.measure(
    lambda outputs, *_: {"logits": outputs["attribute_logits"]},
    _kept,
    output_dir=output_dir,
    weights=weights,
    team=team,
    progress=progress,
  )
  if not team.first:
    return
  table = _table(list(reader.units(records)))
  if np.isnan(table.targets).all():
    delete_records(output_dir)
    raise UserError(f"split {split.name} has no known attribute to compare to")
  metrics = reader.metrics(
    "classification",
    weights,
    lambda reading: _section(table, reading, split.attributes),
  )
  output = Path(output_dir)
  reader.save_pairs(output, metrics["provenance"])
  write_atomically(output / "per_image.csv", _csv(split, table))
  write_report(output / "report.html", metrics=metrics, config=config.to_dict())
  write_json(output / "metrics.json", metrics)


def _check_attributes(split: Split, config: ConfigDict) -> None:
  if tuple(split.attributes) != tuple(config.data.attributes):
    raise UserError(
      f"split {split.name} has the attributes "
      f"{', '.join(split.attributes) or '(none)'}; "
      f"the checkpoint knows {', '.join(config.data.attributes)}"
    )


def _kept(read: Read) -> dict[str, Any]:
  """The columns of a unit's part of the table."""
  logits = {reading: found["logits"] for reading, found in read.found.items()}
  return {"targets": np.asarray(read.batch.attributes), "logits": logits}


def _table(units: list[dict[str, Any]]) -> _Table:
  return _Table(
    index=np.concatenate([unit["index"] for unit in units]),
    targets=np.concatenate([unit["targets"] for unit in units]),
    logits={
      reading: np.concatenate([unit["logits"][reading] for unit in units])
      for reading in units[0]["logits"]
    },
  )


def _section(
  table: _Table, reading: str, names: tuple[str, ...]
) -> dict[str, Any]:
  """`metrics`, `baselines` and `attributes` of whole or corrupted pictures."""
  logits, targets = table.logits[reading], table.targets
  known = ~np.isnan(targets)
  shares = np.where(known, targets, 0).sum(0) / np.maximum(known.sum(0), 1)
  constant = np.broadcast_to(
    np.log((shares + 1e-9) / (1 - shares + 1e-9)), targets.shape
  )
  _, precisions = mean_average_precision(logits, targets)
  right = accuracies(logits, targets)
  return {
    "metrics": {"all": _scores(logits, targets)},
    "baselines": {"prevalence": {"all": _scores(constant, targets)}},
    "attributes": {
      name: {
        "ap": finite(precisions[a]),
        "accuracy": finite(right[a]),
        "known": int(known[:, a].sum()),
        "share": float(shares[a]) if known[:, a].any() else None,
      }
      for a, name in enumerate(names)
    },
  }


def _scores(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
  """{"count", "map", "accuracy"}; no "map" where nothing is ever present."""
  mean, _ = mean_average_precision(logits, targets)
  known = ~np.isnan(targets)
  right = ((logits > 0) == (targets > 0.5))[known].mean()
  ranked = {} if np.isnan(mean) else {"map": mean}
  return {"count": len(targets), **ranked, "accuracy": float(right)}


def _csv(split: Split, table: _Table) -> str:
  """index, image, logits of each attribute, its truth, logits with holes."""
  names = split.attributes
  header = ["index", "image", *names, *(f"true_{name}" for name in names)]
  corrupted = table.logits.get(CORRUPTED)
  if corrupted is not None:
    header += [f"corrupted_{name}" for name in names]
  lines = [header]
  for row, index in enumerate(table.index.tolist()):
    truth = table.targets[row]
    cells = [str(index), split.ids[index]]
    cells += [f"{s:.4f}" for s in table.logits[WHOLE][row]]
    cells += ["" if np.isnan(t) else f"{t:g}" for t in truth]
    if corrupted is not None:
      cells += [f"{s:.4f}" for s in corrupted[row]]
    lines.append(cells)
  return csv_text(lines)
