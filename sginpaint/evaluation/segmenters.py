"""Evaluates systems that name what every pixel shows.

Pictures and truth are brought to the training size as in training (labels by
nearest neighbour). Scores: mean IoU, pixel accuracy and mean accuracy over all
pixels of the split, and of every picture by itself; of whole pictures and,
under `corrupted`, of the same with holes (reading.py), there of all pixels and,
with `hole_` before their names, of those inside the holes. The baseline
`most_common` names the most common class everywhere.
"""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import IGNORE
from sginpaint.checkpoints import Loaded
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.analysis import finite
from sginpaint.evaluation.reading import (
  CORRUPTED,
  WHOLE,
  Look,
  Read,
  Reader,
  shown,
)
from sginpaint.evaluation.report_segmentation import (
  LabelPanel,
  panel_grid,
  write_report,
)
from sginpaint.evaluation.results import csv_text
from sginpaint.evaluation.segmentation import (
  class_scores,
  confusion_matrices,
  mean_scores,
  most_common_class,
)
from sginpaint.files import write_atomically, write_json

SCORES = ("miou", "pixel_accuracy", "mean_accuracy")
HOLE = "hole_"  # before the names of what is taken inside the holes only
# What is taken of whole and of corrupted pictures.
AREAS = {WHOLE: ("",), CORRUPTED: ("", HOLE)}


@dataclasses.dataclass(frozen=True)
class _Gathered:
  """What was found of a split.

  Attributes:
    matrices: {reading: {area: int64 [K, K]}}.
    rows: of per_image.csv, with a column per score of `columns`.
    panels: drawn blindly.
  """

  matrices: dict[str, dict[str, np.ndarray]]
  rows: list[list[Any]]
  panels: list[LabelPanel]


def evaluate_segmenter(
  loaded: Loaded, split: Split, *, output_dir: str | Path, weights: str = "ema"
) -> dict[str, Any]:
  """Writes metrics.json, per_image.csv, confusion.csv, report.html, grid.png.

  In confusion.csv, which is of whole pictures, a row is a true class, a column
  a predicted one, in pixels. With holes there is manifest.jsonl too.

  Args:
    loaded: a checkpoint whose `predict` gives `segmentation`.
    split: with the classes that it was trained on.
    output_dir: made where it does not exist.
    weights: which weights `loaded` holds, for the record.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: the split has other classes or no labelled pixel, or see
      `Reader`.
  """
  _check_classes(split, loaded.config)
  reader = Reader(loaded, split)
  found = _gather(reader, loaded.config, split)
  if not found.matrices[WHOLE][""].any():
    raise UserError(f"split {split.name} has no labelled pixel to compare with")
  record = reader.record(weights)
  metrics = {
    "protocol": "segmentation",
    "step": loaded.step,
    "count": reader.count,
    "masks": loaded.config.eval.masks,
    "guidance": "none",
    **_section(found, WHOLE, split),
  }
  if CORRUPTED in found.matrices:
    metrics[CORRUPTED] = _section(found, CORRUPTED, split)
  metrics["provenance"] = record
  output = Path(output_dir)
  reader.save_pairs(output, record)
  _write(output, found, metrics, split, loaded.config, reader.readings)
  return metrics


def _write(
  output: Path,
  found: _Gathered,
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


def _looker(num_classes: int) -> Look:
  """Counts confusion matrices, of all pixels and of those inside the hole."""

  def look(outputs, batch, mask):
    predicted, labels = outputs["segmentation"], batch.segmentation
    areas = {"": labels}
    if mask is not None:
      areas[HOLE] = jnp.where(mask[..., 0] > 0.5, labels, IGNORE)
    found = {"prediction": predicted}
    for area, inside in areas.items():
      matrices = confusion_matrices(inside, predicted, num_classes)
      found[f"{area}matrix"] = matrices
      for name, values in mean_scores(matrices).items():
        found[f"{area}{name}"] = values
    return found

  return look


def columns(reading: str) -> list[str]:
  """Scores of one reading of a picture."""
  return [f"{area}{name}" for area in AREAS[reading] for name in SCORES]


def _gather(reader: Reader, config: ConfigDict, split: Split) -> _Gathered:
  options, k = config.eval, len(split.classes)
  order = np.random.default_rng(options.seed).permutation(reader.count)
  wanted = order[: options.panels].tolist()
  colours = np.array([info.colour for info in split.classes], np.uint8)
  matrices = {
    reading: {area: np.zeros((k, k), np.int64) for area in AREAS[reading]}
    for reading in reader.readings
  }
  rows, panels = [], {}
  for part in reader.read(_looker(k)):
    for reading, areas in matrices.items():
      for area in areas:
        areas[area] += part.found[reading][f"{area}matrix"].sum(0)
    for i, index in enumerate(part.index.tolist()):
      values = [
        float(part.found[reading][name][i])
        for reading in reader.readings
        for name in columns(reading)
      ]
      rows.append([index, split.ids[index], *values])
      if index in wanted:
        panels[index] = _panel(part, i, split.ids[index], colours)
  return _Gathered(matrices, rows, [panels[index] for index in wanted])


def _panel(part: Read, i: int, name: str, colours: np.ndarray) -> LabelPanel:
  whole, image = part.found[WHOLE], part.batch.image[i]
  truth = np.asarray(part.batch.segmentation)[i]
  panel = LabelPanel.of(
    *(image, truth, whole["prediction"][i]),
    name=name,
    accuracy=float(whole["pixel_accuracy"][i]),
    colours=colours,
  )
  if CORRUPTED not in part.found:
    return panel
  corrupted = part.found[CORRUPTED]
  return panel.with_hole(
    shown(image, np.asarray(part.batch.mask)[i]),
    corrupted["prediction"][i],
    accuracy=float(corrupted[f"{HOLE}pixel_accuracy"][i]),
    colours=colours,
  )


def _section(found: _Gathered, reading: str, split: Split) -> dict[str, Any]:
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
