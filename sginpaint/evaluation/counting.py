"""What is counted of the pictures that a segmenter read, and added up.

Of a unit of pictures (sharing.py) are kept confusion matrices, rows of the
table and the panels that are shown.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import IGNORE
from sginpaint.data.splits import Split
from sginpaint.evaluation.label_panels import LabelPanel
from sginpaint.evaluation.reading import (
  CORRUPTED,
  WHOLE,
  Look,
  Read,
  Reader,
  shown,
)
from sginpaint.evaluation.segmentation import confusion_matrices, mean_scores

SCORES = ("miou", "pixel_accuracy", "mean_accuracy")
HOLE = "hole_"  # before the names of what is taken inside the holes only
# What is taken of whole and of corrupted pictures.
AREAS = {WHOLE: ("",), CORRUPTED: ("", HOLE)}


@dataclasses.dataclass(frozen=True)
class Gathered:
  """What was found of a split.

  Attributes:
    matrices: {reading: {area: int64 [K, K]}}.
    rows: of per_image.csv, with a column per score of `columns`.
    panels: drawn blindly.
  """

  matrices: dict[str, dict[str, np.ndarray]]
  rows: list[list[Any]]
  panels: list[LabelPanel]


def looker(num_classes: int) -> Look:
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


class Keeper:
  """Keeps of a unit what counts, and adds all of them up."""

  def __init__(self, reader: Reader, config: ConfigDict, split: Split):
    """Draws the pictures that are shown.

    Args:
      reader: of the pictures.
      config: of the evaluation.
      split: of the data set.
    """
    self._readings, self._ids = reader.readings, split.ids
    generator = np.random.default_rng(config.eval.seed)
    order = generator.permutation(reader.indices)
    self._wanted = order[: config.eval.panels].tolist()
    self._colours = np.array([c.colour for c in split.classes], np.uint8)

  def __call__(self, read: Read) -> dict[str, Any]:
    """Matrices, rows of the table, and the panels that are wanted."""
    rows, panels = [], {}
    for i, index in enumerate(read.index.tolist()):
      name = self._ids[index]
      scores = [
        float(read.found[reading][column][i])
        for reading in self._readings
        for column in columns(reading)
      ]
      rows.append([index, name, *scores])
      if index in self._wanted:
        panel = _panel(read, i, name, self._colours)
        panels[str(index)] = dict(vars(panel))
    matrices = {
      reading: {
        area: read.found[reading][f"{area}matrix"].sum(0, dtype=np.int64)
        for area in AREAS[reading]
      }
      for reading in self._readings
    }
    return {"matrices": matrices, "rows": rows, "panels": panels}

  def gathered(self, units: Iterable[Mapping[str, Any]]) -> Gathered:
    """Of all units, in order."""
    matrices: dict[str, dict[str, Any]] = {
      reading: dict.fromkeys(AREAS[reading], 0) for reading in self._readings
    }
    rows: list[list[Any]] = []
    panels: dict[str, Any] = {}
    for unit in units:
      for reading, areas in matrices.items():
        for area in areas:
          areas[area] = areas[area] + unit["matrices"][reading][area]
      rows += unit["rows"]
      panels |= unit["panels"]
    shown = [LabelPanel(**panels[str(index)]) for index in self._wanted]
    return Gathered(matrices, rows, shown)


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
