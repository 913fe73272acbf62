"""Whole evaluations of a system whose maps are known, and loops over them."""

import numpy as np

from sginpaint.evaluation import evaluator, judges
from tests.evaluation.toy import (
  LabelledExamples,
  MapSystem,
  labelled_split,
  load_toy,
)

ALL_THREE = ("hole_segmentation", "calibration", "scales")


def run(system=None, split=None, **fields):
  fields = {"analyses": ALL_THREE, "outputs": ("segmentation",), **fields}
  loaded = load_toy(system or MapSystem(off=8), **fields)
  return evaluator.run(loaded, split or labelled_split(7), progress=False)


def put_judge(monkeypatch, loaded):
  """A workdir "seg" that holds `loaded`."""
  monkeypatch.setattr(judges, "steps", lambda path: [7] * (path == "seg"))
  monkeypatch.setattr(judges.checkpoints, "load", lambda *_, **__: loaded)
  return loaded


def pictures(evaluation):
  """(row, hole [S, S], labels [S, S]) of each picture."""
  examples = LabelledExamples(7)
  for row in evaluation.rows:
    (mask,) = evaluation.manifest.draw([row.index])
    yield row, mask[..., 0] > 0.5, examples[row.index]["segmentation"]


def counted(evaluation, predicted):
  """Confusion of `predicted` [S, S] over labelled hole pixels, by a loop."""
  matrix = np.zeros((2, 2), int)
  for _, hole, labels in pictures(evaluation):
    for place in zip(*np.nonzero(hole), strict=True):
      if labels[place] != 255:
        matrix[labels[place], predicted[place]] += 1
  return matrix


def ious(matrix):
  union = matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
  return matrix.diagonal() / union
