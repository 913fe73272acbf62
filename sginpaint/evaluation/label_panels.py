"""Pictures beside their label maps, true and predicted, in class colours."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Self

import numpy as np

from sginpaint.evaluation.visualize import color_labels, grid

_GRID_ROWS = 8


@dataclasses.dataclass(frozen=True)
class LabelPanel:
  """One picture with its truth and what was predicted, in class colours.

  The last three are there where the picture was also read with a hole.

  Attributes:
    name: of the picture.
    accuracy: share of its labelled pixels that are right; NaN without labels.
    image: uint8 [H, W, 3].
    truth: uint8 [H, W, 3]; ignored pixels are nearly black.
    prediction: uint8 [H, W, 3].
    corrupted: uint8 [H, W, 3], the picture with its hole.
    guess: uint8 [H, W, 3], what was predicted of it.
    hole_accuracy: as `accuracy`, inside the hole.
  """

  name: str
  accuracy: float
  image: np.ndarray
  truth: np.ndarray
  prediction: np.ndarray
  corrupted: np.ndarray | None = None
  guess: np.ndarray | None = None
  hole_accuracy: float = math.nan

  @classmethod
  def of(
    cls,
    image: np.ndarray,
    truth: np.ndarray,
    prediction: np.ndarray,
    *,
    name: str,
    accuracy: float,
    colours: np.ndarray,
  ) -> Self:
    """Colours the class indices int [H, W] by `colours` uint8 [K, 3]."""
    return cls(
      name=name,
      accuracy=accuracy,
      image=image,
      truth=color_labels(truth, colours),
      prediction=color_labels(prediction, colours),
    )

  def with_hole(
    self,
    corrupted: np.ndarray,
    guess: np.ndarray,
    *,
    accuracy: float,
    colours: np.ndarray,
  ) -> Self:
    """With what was predicted, int [H, W], of the picture with a hole."""
    return dataclasses.replace(
      self,
      corrupted=corrupted,
      guess=color_labels(guess, colours),
      hole_accuracy=accuracy,
    )


def panel_grid(panels: Sequence[LabelPanel]) -> np.ndarray:
  """uint8 picture: picture | truth | prediction, of the first panels.

  Where there are holes, also: with its hole | prediction of that.
  """
  rows, titles = [], ["picture", "truth", "prediction"]
  for p in panels[:_GRID_ROWS]:
    row = [p.image, p.truth, p.prediction]
    if p.corrupted is not None and p.guess is not None:
      row += [p.corrupted, p.guess]
    rows.append(row)
  if len(rows[0]) > len(titles):
    titles += ["with hole", "prediction"]
  return grid(rows, titles)
