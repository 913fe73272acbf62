"""Chooses which pictures of an evaluation are kept for people to look at.

Samples are the first pictures of the manifest's seeded order: drawn blindly,
spread over the hole sizes, and the same for every checkpoint. Beside them the
best and the worst few are kept, and shown as what they are. What the analyses
show is kept of the first few samples only.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import IGNORE
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.predictor import Measured
from sginpaint.evaluation.results import LEADING, SYSTEM, Panel, Row
from sginpaint.evaluation.visualize import (
  color_labels,
  outline,
  rise,
  show_output,
  wrong_labels,
)
from sginpaint.systems.base import name_at, scale_of

EXTREMES = 3
DETAILED = 3  # samples
TRUE_LABELS = "true_labels"  # among extras and details
WRONG_LABELS = "wrong_labels"  # among extras
RISE = "rise"  # of the confidence at a scale, among details
JUDGED = "segmenter_on_"  # before a method, among details
GUIDING_MAP = "guiding_map"  # among extras
# Of the first edit, among details: the map that asks for it, the fill, and what
# a segmenter sees in that.
EDIT_TOLD, EDIT_FILL, EDIT_READ = "edit_told", "edit_fill", "edit_read"


class Gallery:
  """Collects panels batch by batch; holds only what may still be shown."""

  def __init__(
    self,
    manifest: Manifest,
    *,
    samples: int,
    outputs: Sequence[str] = (),
    details: Sequence[str] = (),
    colors: np.ndarray | None = None,
  ):
    """Starts empty.

    Args:
      manifest: the pairs.
      samples: pictures drawn blindly.
      outputs: intermediates shown of every picture that is kept.
      details: further ones, of the first samples.
      colors: uint8 [K, 3] of the classes.
    """
    in_order = sorted(manifest.pairs, key=lambda pair: pair.place)
    self._wanted = {pair.index for pair in in_order[:samples]}
    self._places = {pair.index: pair.place for pair in in_order}
    self._colors = colors
    self._outputs, self._details = tuple(outputs), tuple(details)
    self._samples: list[Panel] = []
    self._best: list[Panel] = []
    self._worst: list[Panel] = []

  def offer(self, measured: Measured, rows: Sequence[Row]) -> dict[int, Panel]:
    """Takes what it wants of a batch; `rows` are its rows, in order.

    Returns:
      {position in the batch: panel} of what it took.
    """
    taken: dict[int, Panel] = {}

    def make(i: int) -> Panel:
      taken[i] = self._panel(measured, i, rows[i])
      return taken[i]

    self._choose(rows, make)
    return taken

  def offer_again(
    self, rows: Sequence[Row], panels: Mapping[int, Panel]
  ) -> None:
    """Takes what it took before; `panels` is what `offer` returned."""
    self._choose(rows, panels.__getitem__)

  def _choose(self, rows: Sequence[Row], make: Callable[[int], Panel]) -> None:
    for i, row in enumerate(rows):
      sample = row.index in self._wanted
      rank = self._rank(row)
      best = self._enters(self._best, rank, 1)
      worst = self._enters(self._worst, rank, -1)
      if not (sample or best or worst):
        continue
      panel = make(i)
      if sample:
        self._samples.append(panel)
      if best:
        self._best = self._kept([*self._best, panel], 1)
      if worst:
        self._worst = self._kept([*self._worst, panel], -1)

  def panels(self) -> list[Panel]:
    """Samples in seeded order, then the best, then the worst, extreme first."""
    samples = sorted(self._samples, key=lambda p: self._places[p.row.index])
    return [
      *samples,
      *(dataclasses.replace(p, role="best") for p in self._best),
      *(dataclasses.replace(p, role="worst") for p in self._worst),
    ]

  def _rank(self, row: Row) -> float:
    return row.scores[SYSTEM][LEADING]

  def _enters(self, kept: list[Panel], rank: float, sign: int) -> bool:
    if math.isnan(rank):
      return False
    full = len(kept) >= EXTREMES
    return not full or sign * rank > sign * self._rank(kept[-1].row)

  def _kept(self, panels: list[Panel], sign: int) -> list[Panel]:
    panels = sorted(panels, key=lambda p: -sign * self._rank(p.row))
    return panels[:EXTREMES]

  def _panel(self, measured: Measured, i: int, row: Row) -> Panel:
    extras = self._shown(measured, i, self._outputs)
    labels = measured.labels
    if measured.told is not None:
      extras[GUIDING_MAP] = color_labels(measured.told[i], self._colors)
    if labels is not None and "segmentation" in extras:
      found = np.asarray(measured.outputs["segmentation"][i])
      extras[TRUE_LABELS] = color_labels(labels[i], self._colors)
      extras[WRONG_LABELS] = wrong_labels(found, labels[i], measured.mask[i])
    return Panel(
      row=row,
      truth=measured.truth[i],
      mask=measured.mask[i],
      fills={name: fill[i] for name, fill in measured.fills.items()},
      extras=extras,
      details=self._detailed(measured, i, row),
    )

  def _shown(
    self, measured: Measured, i: int, names: Sequence[str]
  ) -> dict[str, np.ndarray]:
    size = measured.truth.shape[1]
    pictures = {
      name: show_output(
        name, np.asarray(measured.outputs[name][i]), size, self._colors
      )
      for name in names
      # Lists of scales are no maps.
      if isinstance(measured.outputs.get(name), jax.Array)
    }
    return {name: p for name, p in pictures.items() if p is not None}

  def _rises(self, measured: Measured, i: int) -> dict[str, np.ndarray]:
    """Of the confidence, from each scale to the next finer one."""
    maps = {
      scale: np.asarray(measured.outputs[name][i])
      for name in self._details
      for output, scale in [scale_of(name)]
      if output == "confidence"
    }
    size = measured.truth.shape[1]
    return {
      name_at(RISE, scale): rise(maps[scale], maps[scale + 1], size)
      for scale in maps
      if scale + 1 in maps
    }

  def _edit(self, measured: Measured, i: int) -> dict[str, np.ndarray]:
    """The first edit of a picture, its region outlined; {} without one."""
    edits = measured.edits
    if edits is None or not (region := np.asarray(edits.regions[i, 0])).any():
      return {}
    told = np.asarray(edits.told[i, 0])
    if "segmentation" in measured.outputs:
      own = np.asarray(measured.outputs["segmentation"][i])
      told = np.where(told == IGNORE, own, told)
    shown = {EDIT_TOLD: color_labels(told, self._colors)}
    if edits.fills is not None and edits.readings is not None:
      read = np.asarray(edits.readings[i, 0])
      shown[EDIT_FILL] = np.asarray(edits.fills[i, 0])
      shown[EDIT_READ] = color_labels(read, self._colors)
    return {name: outline(picture, region) for name, picture in shown.items()}

  def _detailed(
    self, measured: Measured, i: int, row: Row
  ) -> dict[str, np.ndarray]:
    if self._places[row.index] >= DETAILED:
      return {}
    shown = self._shown(measured, i, self._details)
    shown |= self._rises(measured, i)
    for method, maps in measured.judged.items():
      shown[JUDGED + method] = color_labels(np.asarray(maps[i]), self._colors)
    shown |= self._edit(measured, i)
    if shown and measured.labels is not None:
      shown[TRUE_LABELS] = color_labels(measured.labels[i], self._colors)
    return shown


def build_gallery(
  config: ConfigDict, manifest: Manifest, details: Sequence[str]
) -> Gallery:
  """Empty, for what `config.eval` wants to be shown.

  Args:
    config: of the evaluation.
    manifest: the pairs.
    details: outputs that are shown of the first samples.
  """
  # Maps are numbered as in the training, whatever the split has.
  classes = config.data.classes
  colors = np.array([info["colour"] for info in classes], np.uint8)
  return Gallery(
    manifest,
    samples=config.eval.panels,
    outputs=tuple(config.eval.outputs),
    details=details,
    colors=colors if len(colors) else None,
  )
