"""Evaluates systems that name what every pixel shows.

Pictures and truth are brought to the training size as in training (labels by
nearest neighbour) and whole, without holes. Scores: mean IoU, pixel accuracy
and mean accuracy over all pixels of the split, and of every picture by itself.
The baseline `most_common` names the most common class everywhere.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from ml_collections import ConfigDict

from sginpaint.batch import Batch, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import evaluation_batches
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation import provenance
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


@dataclasses.dataclass(frozen=True)
class _Measured:
  """A batch without its padding: n pictures and the sum of their matrices."""

  index: np.ndarray
  image: np.ndarray
  truth: np.ndarray
  prediction: np.ndarray
  matrix: np.ndarray
  scores: dict[str, np.ndarray]


def evaluate_segmenter(
  loaded: Loaded, split: Split, *, output_dir: str | Path, weights: str = "ema"
) -> dict[str, Any]:
  """Writes metrics.json, per_image.csv, confusion.csv, report.html, grid.png.

  In confusion.csv a row is a true class, a column a predicted one, in pixels.

  Args:
    loaded: a checkpoint whose `predict` gives `segmentation`.
    split: with the classes that it was trained on.
    output_dir: made where it does not exist.
    weights: which weights `loaded` holds, for the record.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: the split has other classes or no labelled pixel, or the
      network puts out NaN.
  """
  _check_classes(split, loaded.config)
  matrix, rows, panels = _gather(loaded, split)
  if not matrix.any():
    raise UserError(f"split {split.name} has no labelled pixel to compare with")
  metrics = {
    "protocol": "segmentation",
    "step": loaded.step,
    "count": len(rows),
    "masks": "none",
    "guidance": "none",
    "metrics": {"all": _summary(matrix, len(rows))},
    "baselines": {
      "most_common": {"all": _summary(most_common_class(matrix), len(rows))}
    },
    **_per_class(matrix, split),
    "provenance": provenance.describe(loaded, split, weights),
  }
  output = Path(output_dir)
  write_atomically(output / "per_image.csv", _csv(rows))
  names = [info.name for info in split.classes]
  table = [[name, *row] for name, row in zip(names, matrix, strict=True)]
  write_atomically(
    output / "confusion.csv", csv_text([["true", *names], *table])
  )
  if panels:
    picture = panel_grid(panels)
    encoded = cv2.imencode(".png", picture[..., ::-1])[1]
    write_atomically(output / "grid.png", encoded.tobytes())
  write_report(
    output / "report.html",
    metrics=metrics,
    classes=split.classes,
    panels=panels,
    config=loaded.config.to_dict(),
  )
  write_json(output / "metrics.json", metrics)
  return metrics


def _check_classes(split: Split, config: ConfigDict) -> None:
  found = [info.name for info in split.classes]
  trained = [info["name"] for info in config.data.classes]
  if found != trained:
    raise UserError(
      f"split {split.name} has the classes {', '.join(found) or '(none)'}; "
      f"the checkpoint knows {', '.join(trained)}"
    )


def _gather(
  loaded: Loaded, split: Split
) -> tuple[np.ndarray, list[list[Any]], list[LabelPanel]]:
  """Matrix int64 [K, K], lines of per_image.csv, panels drawn blindly."""
  options = loaded.config.eval
  count = min(options.count or len(split), len(split))
  order = np.random.default_rng(options.seed).permutation(count)
  wanted = order[: options.panels].tolist()
  colours = np.array([info.colour for info in split.classes], np.uint8)
  k = len(split.classes)
  matrix = np.zeros((k, k), np.int64)
  rows, panels = [], {}
  with tqdm.tqdm(
    total=count, desc="evaluate", unit="picture", disable=None
  ) as bar:
    for part in _measured(loaded, split, count):
      matrix += part.matrix
      for i, index in enumerate(part.index.tolist()):
        values = {name: float(part.scores[name][i]) for name in SCORES}
        rows.append([index, split.ids[index], *values.values()])
        if index in wanted:
          panels[index] = LabelPanel.of(
            *(part.image[i], part.truth[i], part.prediction[i]),
            name=split.ids[index],
            accuracy=values["pixel_accuracy"],
            colours=colours,
          )
      bar.update(len(part.index))
  return matrix, rows, [panels[index] for index in wanted]


def _measured(loaded: Loaded, split: Split, count: int) -> Iterator[_Measured]:
  config = loaded.config
  k = len(split.classes)

  @jax.jit
  def measure(variables, frozen, batch):
    seen = Batch(image=normalize_image(batch.image))
    outputs = loaded.system.predict(variables, frozen, seen)
    matrices = confusion_matrices(
      batch.segmentation, outputs["segmentation"], k
    )
    finite = jnp.isfinite(outputs["confidence"]).all((1, 2)) | ~batch.valid
    # The padding repeats a picture, which must not count twice.
    total = jnp.where(batch.valid[:, None, None], matrices, 0).sum(0)
    return outputs["segmentation"], finite, total, mean_scores(matrices)

  with evaluation_batches(
    split,
    batch_size=config.eval.batch_size,
    image_size=config.data.image_size,
    resize=config.data.resize,
    crop_size=config.data.crop_size,
    threads=config.data.threads,
    indices=range(count),
  ) as batches:
    for batch in batches:
      labels, finite, total, scores = jax.device_get(
        measure(loaded.variables, loaded.frozen, batch)
      )
      if not finite.all():
        raise UserError(
          "the network puts out NaN or infinity (picture "
          f"{np.asarray(batch.index)[~finite][0]} of the split); "
          "choose an earlier --step"
        )
      n = int(np.asarray(batch.valid).sum())
      yield _Measured(
        index=np.asarray(batch.index)[:n],
        image=np.asarray(batch.image)[:n],
        truth=np.asarray(batch.segmentation)[:n],
        prediction=labels[:n],
        matrix=total,
        scores={name: scores[name][:n] for name in SCORES},
      )


def _summary(matrix: np.ndarray, count: int) -> dict[str, float]:
  scores = mean_scores(matrix)
  return {"count": count, **{name: float(scores[name]) for name in SCORES}}


def _per_class(matrix: np.ndarray, split: Split) -> dict[str, Any]:
  """The parts of metrics.json that tell classes apart."""
  iou, accuracy = class_scores(matrix)
  true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
  names = [info.name for info in split.classes]
  return {
    "classes": {
      name: {
        "iou": None if np.isnan(iou[k]) else float(iou[k]),
        "accuracy": None if np.isnan(accuracy[k]) else float(accuracy[k]),
        "true_pixels": int(true[k]),
        "predicted_pixels": int(predicted[k]),
      }
      for k, name in enumerate(names)
    },
    "classes_absent": int(np.isnan(iou).sum()),
  }


def _csv(rows: list[list[Any]]) -> str:
  """index, image, scores; a cell is empty where no pixel is labelled."""
  table = [["index", "image", *SCORES]]
  for index, image, *scores in rows:
    cells = ["" if np.isnan(s) else f"{s:.6f}" for s in scores]
    table.append([str(index), image, *cells])
  return csv_text(table)
