"""Filling one picture again and again while a person edits its label map.

    session = Editor(sginpaint.load("runs/espa")).begin(image, mask)
    edited = session.segmentation.copy()
    edited[40:90, 10:60] = 3
    picture = session.render(edited)

`begin` runs the part of a system that no map changes and keeps its outputs;
`render` costs only the rest (`prepare` and `complete` of `systems.base.System`;
a system that has no such parts runs as a whole each time). The network sees
what `Inpainter` shows it: a picture of the training size as it is, of others
the windows around the holes. Outside the windows there is no map, and an edit
there changes nothing.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import IGNORE
from sginpaint.inference import MAX_BATCH, Inpainter, as_batch, served_image
from sginpaint.inputs import (
  Inputs,
  check_inputs,
  cut_windows,
  paste_labels,
  paste_windows,
)
from sginpaint.windows import plan_windows

# K floats a pixel, of which `complete` needs only the largest's index; kept,
# they would be most of a session.
_NOT_KEPT = ("segmentation_logits", "confidence")


class Editor:
  """Begins sessions; holds the network, and no picture.

  Attributes:
    inpainter: the loaded system.
  """

  def __init__(self, inpainter: Inpainter):
    self.inpainter = inpainter
    begin, render = (
      jax.jit(functools.partial(part, inpainter.system))
      for part in (_begin, _render)
    )
    self._begin, self._render = begin, render

  @property
  def editable(self) -> bool:
    """Whether a segmentation can guide the system."""
    return "segmentation" in self.inpainter.guidance

  @property
  def classes(self) -> tuple[Mapping[str, Any], ...]:
    """Of the maps, by index: mappings with `name` and `colour` (RGB)."""
    return tuple(self.inpainter.config.data.classes)

  def begin(self, image: np.ndarray, mask: np.ndarray) -> "Session":
    """Fills a picture for the first time.

    Args:
      image: uint8 [H, W, 3].
      mask: [H, W], non-zero = hole.

    Raises:
      ValueError: other shapes or dtypes.
      UserError: the system makes no pictures or predicts non-finite values.
    """
    return Session(self, image, mask)

  def start(self, inputs: Inputs) -> tuple[np.ndarray, Any]:
    """First result and what is kept, of up to `MAX_BATCH` windows."""
    return self.inpainter.run(self._begin, inputs)

  def finish(self, inputs: Inputs, prepared: Any) -> np.ndarray:
    """Pictures of the same windows, under the map in `inputs`."""
    return self.inpainter.run(self._render, inputs, prepared)[0]


class Session:
  """One person's picture, all of it in host memory.

  Attributes:
    coarse: uint8 [H, W, 3], the first result: what the system prepares as
      "coarse", else its filled picture. Known pixels as they were.
    segmentation: uint8 [H, W], the predicted classes where the network saw the
      picture and 255 elsewhere; None where it predicts none or nothing is hole.
  """

  def __init__(self, editor: Editor, image: np.ndarray, mask: np.ndarray):
    """See `Editor.begin`."""
    inpainter = editor.inpainter
    inputs, single = check_inputs(image, mask, data=inpainter.config.data)
    if not single:
      raise ValueError(f"image must be [H, W, 3], is {np.shape(image)}")
    self._editor = editor
    # Copied: the caller may go on to draw in them.
    self._one = inputs.map(lambda x: x[0].copy())
    self._plan = plan_windows(self._one.mask, inpainter.size)
    self._prepared: list[Any] = []
    self.coarse = self._one.image.copy()
    self.segmentation: np.ndarray | None = None
    for start, batch in self._batches(self._one):
      small, (prepared, labels) = editor.start(batch)
      self._prepared.append(prepared)
      paste_windows(self.coarse, small, self._plan, start, self._one.mask)
      if labels is not None:
        if self.segmentation is None:
          self.segmentation = np.full(self._one.mask.shape, IGNORE, np.uint8)
        paste_labels(
          self.segmentation, labels, self._plan, start, self._one.mask
        )

  @property
  def nbytes(self) -> int:
    """Host memory that the session holds."""
    held = (*self._one, self._plan.owner, self.coarse, self.segmentation)
    leaves = jax.tree.leaves((held, self._prepared))
    return sum(leaf.nbytes for leaf in leaves)

  def render(self, segmentation: np.ndarray | None = None) -> np.ndarray:
    """Fills the picture under a map.

    Only where it differs from `self.segmentation` does a map say something to
    the network, so that a map without an edit gives what no map gives.

    Args:
      segmentation: class indices [H, W], 255 = not said; None = no edit.

    Returns:
      uint8 [H, W, 3], a new array; known pixels are those of the picture.

    Raises:
      ValueError: a wrong shape or value, or the system takes no map.
      UserError: see `Editor.begin`.
    """
    one = self._one._replace(segmentation=self._edits(segmentation))
    if one.segmentation is None and not any(self._prepared):
      return self.coarse.copy()  # nothing was left to complete
    filled = one.image.copy()
    batches = zip(self._batches(one), self._prepared, strict=True)
    for (start, batch), prepared in batches:
      small = self._editor.finish(batch, prepared)
      paste_windows(filled, small, self._plan, start, one.mask)
    return filled

  def _edits(self, segmentation: np.ndarray | None) -> np.ndarray | None:
    """What a map says beyond the prediction, int32 [H, W]; None = nothing."""
    if segmentation is None:
      return None
    inpainter = self._editor.inpainter
    inpainter.check_takes("segmentation")
    checked, _ = check_inputs(
      self._one.image,
      self._one.mask,
      segmentation,
      data=inpainter.config.data,
    )
    told = np.asarray(checked.segmentation)[0]
    if self.segmentation is not None:
      same = told == self.segmentation
      told = np.where(same, IGNORE, told).astype(np.int32)
    return told if np.any(told != IGNORE) else None

  def _batches(self, one: Inputs):
    """(index of the first window, what the network sees of some of them)."""
    windows, size = self._plan.windows, self._editor.inpainter.size
    for start in range(0, len(windows), MAX_BATCH):
      yield start, cut_windows(one, windows[start : start + MAX_BATCH], size)


def _begin(
  system: Any, weights: Any, inputs: Inputs
) -> tuple[jax.Array, jax.Array, tuple[dict[str, Any], jax.Array | None]]:
  """First result, whether it is finite, (what is kept, label map)."""
  batch = as_batch(inputs)
  prepared = system.prepare(*weights, batch)
  if "coarse" in prepared:
    shown = {**prepared, "image": prepared["coarse"]}
  else:
    shown = system.complete(*weights, batch, prepared)
  image, finite, outputs = served_image(shown, inputs.mask, system=system)
  labels = outputs.get("segmentation")
  kept = {k: v for k, v in prepared.items() if k not in _NOT_KEPT}
  return (
    image,
    finite,
    (kept, None if labels is None else labels.astype(jnp.uint8)),
  )


def _render(
  system: Any, weights: Any, inputs: Inputs, prepared: Mapping[str, jax.Array]
) -> tuple[jax.Array, jax.Array, None]:
  outputs = system.complete(*weights, as_batch(inputs), prepared)
  image, finite, _ = served_image(outputs, inputs.mask, system=system)
  return image, finite, None
