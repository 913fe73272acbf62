"""Filling one picture again and again while a person edits its label map.

    session = Editor(sginpaint.load("runs/espa_stage3")).begin(image, mask)
    edited = session.segmentation.copy()
    edited[40:90, 10:60] = 3
    picture = session.render(edited)

`begin` runs the part of a system that no map changes and keeps its outputs;
`render` costs only the rest (`prepare` and `complete` of `systems.base.System`;
a system that has no such parts runs as a whole each time). The network sees
what `Inpainter` shows it: a picture of the training size as it is, of others
the windows around the holes, one after the other: a program for one serves any
number. Outside the windows there is no map, and an edit there changes nothing.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import scheduling
from sginpaint.batch import IGNORE
from sginpaint.inference import Inpainter, as_batch, served_image
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
      jax.jit(
        functools.partial(part, inpainter.system),
        compiler_options=scheduling.for_memory(),
      )
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

  def begin(
    self,
    image: np.ndarray,
    mask: np.ndarray,
    *,
    attributes: np.ndarray | Mapping[str, float] | None = None,
    max_windows: int | None = None,
  ) -> "Session":
    """Fills a picture for the first time.

    Args:
      image: uint8 [H, W, 3].
      mask: [H, W], non-zero = hole.
      attributes: that guide this and every later filling; see `Inpainter`.
      max_windows: that the holes may need, for a session keeps features of
        each; None = any number.

    Raises:
      ValueError: other shapes or dtypes, or the system takes no attributes.
      UserError: more windows are needed, or the system makes no pictures or
        predicts non-finite values.
    """
    return Session(self, image, mask, attributes, max_windows=max_windows)

  def start(self, inputs: Inputs) -> tuple[np.ndarray, Any]:
    """First result of a window [1, ...], and what is kept."""
    return self.inpainter.run(self._begin, inputs)

  def finish(self, inputs: Inputs, prepared: Any) -> np.ndarray:
    """Picture of the same window, under the map in `inputs`."""
    return self.inpainter.run(self._render, inputs, prepared)[0]


class Session:
  """One person's picture, all of it in host memory.

  Attributes:
    coarse: uint8 [H, W, 3], the first result: what the system prepares as
      "coarse", else its filled picture. Known pixels as they were.
    segmentation: uint8 [H, W], the predicted classes where the network saw the
      picture and 255 elsewhere; all 255 where it predicts none.
  """

  def __init__(
    self,
    editor: Editor,
    image: np.ndarray,
    mask: np.ndarray,
    attributes: np.ndarray | Mapping[str, float] | None = None,
    *,
    max_windows: int | None = None,
  ):
    """See `Editor.begin`."""
    inpainter = editor.inpainter
    if attributes is not None:
      inpainter.check_takes("attributes")
    inputs, single = check_inputs(
      image, mask, attributes=attributes, data=inpainter.config.data
    )
    if not single:
      raise ValueError(f"image must be [H, W, 3], is {np.shape(image)}")
    self._editor = editor
    # Copied: the caller may go on to draw in them.
    self._one = inputs.map(lambda x: x[0].copy())
    self._plan = plan_windows(
      self.mask, inpainter.size, max_windows=max_windows
    )
    self._prepared: list[Any] = []
    self.coarse = self._one.image.copy()
    self.segmentation = np.full(self.mask.shape, IGNORE, np.uint8)
    for index, window in enumerate(self._windows(self._one)):
      small, (prepared, labels) = editor.start(window)
      self._prepared.append(prepared)
      paste_windows(self.coarse, small, self._plan, index, self.mask)
      if labels is not None:
        paste_labels(self.segmentation, labels, self._plan, index, self.mask)

  @property
  def mask(self) -> np.ndarray:
    """bool [H, W], True = hole."""
    return self._one.mask

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
    if segmentation is None and not any(self._prepared):
      return self.coarse.copy()  # nothing was left to complete
    one = self._one
    if segmentation is not None or self._editor.editable:
      one = one._replace(segmentation=self._told(segmentation))
    filled = one.image.copy()
    for index, window in enumerate(self._windows(one)):
      small = self._editor.finish(window, self._prepared[index])
      paste_windows(filled, small, self._plan, index, self.mask)
    return filled

  def _told(self, segmentation: np.ndarray | None) -> np.ndarray:
    """What a map says beyond the prediction: int32 [H, W], 255 = nothing."""
    if segmentation is None:
      return np.full(self.mask.shape, IGNORE, np.int32)
    inpainter = self._editor.inpainter
    inpainter.check_takes("segmentation")
    checked, _ = check_inputs(
      self._one.image, self.mask, segmentation, data=inpainter.config.data
    )
    told = np.asarray(checked.segmentation)[0]
    return np.where(told == self.segmentation, IGNORE, told)

  def _windows(self, one: Inputs) -> Iterator[Inputs]:
    """What the network sees of the windows, [1, ...] each."""
    for window in self._plan.windows:
      yield cut_windows(one, [window], self._editor.inpainter.size)


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
