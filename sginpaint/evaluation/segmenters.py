"""Evaluates systems that name what every pixel shows.

Pictures and truth are brought to the training size as in training (labels by
nearest neighbour). Scores: mean IoU, pixel accuracy and mean accuracy over all
pixels of the split, and of every picture by itself; of whole pictures and,
under `corrupted`, of the same with holes (reading.py), there of all pixels and,
with `hole_` before their names, of those inside the holes. The baseline
`most_common` names the most common class everywhere.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ml_collections import ConfigDict

from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.analysis import finite
from sginpaint.evaluation.counting import (
  HOLE,
  SCORES,
  Gathered,
  Keeper,
  columns,
  looker,
)
from sginpaint.evaluation.label_panels import panel_grid
from sginpaint.evaluation.reading import CORRUPTED, WHOLE, Reader
from sginpaint.evaluation.report_segmentation import write_report
from sginpaint.evaluation.results import csv_text
from sginpaint.evaluation.segmentation import (
  class_scores,
  mean_scores,
  most_common_class,
)
from sginpaint.evaluation.sharing import Team, delete_records
from sginpaint.files import write_atomically, write_json


def evaluate_segmenter(
  loaded: Loaded,
  split: Split,
  output_dir: str | Path,
  team: Team,
  *,
  weights: str,
  progress: bool,
) -> None:
  """Writes metrics.json, per_image.csv, confusion.csv, report.html, grid.png.

  In confusion.csv, which is of whole pictures, a row is a true class, a column
  a predicted one, in pixels. With holes there is manifest.jsonl too.

  Args:
    loaded: a checkpoint whose `predict` gives `segmentation`.
    split: with the classes that it was trained on.
    output_dir: made where it does not exist.
    team: who shares the work; its first process writes.
    weights: which weights `loaded` holds, for the record.
    progress: show a bar, on a terminal.

  Raises:
    UserError: the split has other classes or no labelled pixel, or see
      `Reader`.
  """
  _check_classes(split, loaded.config)
  reader = Reader(loaded, split)
  keeper = Keeper(reader, loaded.config, split)
  records = reader.measure(
    looker(len(split.classes)),
    keeper,
    output_dir=output_dir,
    weights=weights,
    team=team,
    progress=progress,
  )
  if not team.first:
    return
  found = keeper.gathered(reader.units(records))
  if not found.matrices[WHOLE][""].any():
    delete_records(output_dir)
    raise UserError(f"split {split.name} has no labelled pixel to compare with")
  metrics = reader.metrics(
    "segmentation", weights, lambda reading: _section(found, reading, split)
  )
  output = Path(output_dir)
  reader.save_pairs(output, metrics["provenance"])
  _write(output, found, metrics, split, loaded.config, reader.readings)


def _write(
  output: Path,
  found: Gathered,
  metrics: dict[str, Any],
  split: Split,
  config: ConfigDict,
  readings: tuple[str, ...],
) -> None:
  """metrics.json comes last: where it is, the others are."""
  write_atomically(output / "per_image.csv", _csv(found.rows, readings))
  names = [info.name for info in split.classes]
  matrix = found.matrices[WHOLE][""]
  table = [[name, *row] for name, row in zip(names, matrix, strict=True)]
  write_atomically(
    output / "confusion.csv", csv_text([["true", *names], *table])
  )
  if found.panels:
    picture = panel_grid(found.panels)
    encoded = cv2.imencode(".png", picture[..., ::-1])[1]
    write_atomically(output / "grid.png", encoded.tobytes())
  write_report(
    output / "report.html",
    metrics=metrics,
    classes=split.classes,
    panels=found.panels,
    config=config.to_dict(),
  )
  write_json(output / "metrics.json", metrics)


def _check_classes(split: Split, config: ConfigDict) -> None:
  found = [info.name for info in split.classes]
  trained = [info["name"] for info in config.data.classes]
  if found != trained:
    raise UserError(
      f"split {split.name} has the classes {', '.join(found) or '(none)'}; "
      f"the checkpoint knows {', '.join(trained)}"
    )


def _section(found: Gathered, reading: str, split: Split) -> dict[str, Any]:
  """`metrics`, `baselines` and `classes` of whole or corrupted pictures."""
  areas, count = found.matrices[reading], len(found.rows)
  constant = {area: most_common_class(m) for area, m in areas.items()}
  return {
    "metrics": {"all": _summary(areas, count)},
    "baselines": {"most_common": {"all": _summary(constant, count)}},
    **_per_class(areas, split),
  }


def _summary(areas: dict[str, np.ndarray], count: int) -> dict[str, float]:
  """Scores by name; those of an area without a labelled pixel are left out."""
  scores: dict[str, float] = {"count": count}
  for area, matrix in areas.items():
    if matrix.any():
      found = mean_scores(matrix)
      scores |= {f"{area}{name}": float(found[name]) for name in SCORES}
  return scores


def _per_class(areas: dict[str, np.ndarray], split: Split) -> dict[str, Any]:
  """The parts of metrics.json that tell classes apart."""
  iou, accuracy = class_scores(areas[""])
  hole = class_scores(areas[HOLE])[0] if HOLE in areas else None
  true, predicted = areas[""].sum(axis=1), areas[""].sum(axis=0)
  return {
    "classes": {
      info.name: {
        "iou": finite(iou[k]),
        "accuracy": finite(accuracy[k]),
        **({} if hole is None else {"hole_iou": finite(hole[k])}),
        "true_pixels": int(true[k]),
        "predicted_pixels": int(predicted[k]),
      }
      for k, info in enumerate(split.classes)
    },
    "classes_absent": int(np.isnan(iou).sum()),
  }


def _csv(rows: list[list[Any]], readings: tuple[str, ...]) -> str:
  """index, image, scores; a cell is empty where no pixel is labelled."""
  start = {WHOLE: "", CORRUPTED: f"{CORRUPTED}_"}
  names = [start[r] + name for r in readings for name in columns(r)]
  table = [["index", "image", *names]]
  for index, image, *scores in rows:
    cells = ["" if np.isnan(s) else f"{s:.6f}" for s in scores]
    table.append([str(index), image, *cells])
  return csv_text(table)
