"""Filling pictures with a trained system: `load(path)(image, mask)`.

Pictures are uint8 [H, W, 3] or [B, H, W, 3], masks [H, W] or [B, H, W] with
non-zero = hole, and come back with every known pixel unchanged. Pictures of the
training size pass through the network as they are. Of others, by default only
the neighbourhoods of the holes are resized to the training size, filled,
resized back and pasted into the hole (`sginpaint.windows`), at most
`MAX_BATCH` at a time, so memory does not grow with the picture; `full=True`
runs the whole picture instead, reflected up to a multiple of `FULL_MULTIPLE`.
"""

import dataclasses
import functools
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import chex
import flax.errors
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import scheduling
from sginpaint.batch import Batch, Guidance, normalize_image, to_uint8
from sginpaint.checkpoints import Loaded
from sginpaint.checkpoints import load as load_checkpoint
from sginpaint.errors import UserError
from sginpaint.inputs import Inputs, check_inputs, cut_windows, paste_windows
from sginpaint.windows import Window, plan_windows

MAX_BATCH = 8  # batches are padded to 1, 2, 4 or 8: four programs serve all
FULL_MULTIPLE = 16  # side of a picture in a full run
# Of a full run on a CPU, per pixel: XLA unfolds each convolution as a whole,
# the largest being 7x7 over four channels at twice the side (SPL's learner).
FULL_BYTES = 4 * 7 * 7 * 4 * 4


@dataclasses.dataclass(frozen=True)
class Result:
  """A filled picture and what the system said about it.

  Every further output of the system's `predict` is an attribute, as numpy
  arrays without the batch axis where the input had none: `result.segmentation`,
  `.confidence`, `.scales`, `.prior`, ... They exist when the network saw the
  picture as a whole: at the training size, or with `full=True` (those of the
  picture's size are then cut to it, smaller ones cover the padding too).

  Attributes:
    image: uint8, shape of the input; known pixels are those of the input.
    outputs: {name: array}, the same as the attributes.
    windows: of each picture; empty where it was seen as a whole.
  """

  image: np.ndarray
  outputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  windows: Sequence[Sequence[Window]] = ()

  def __getattr__(self, name: str) -> Any:
    outputs = self.__dict__.get("outputs", {})
    if name in outputs:
      return outputs[name]
    have = ", ".join(["image", *outputs])
    why = ""
    if self.__dict__.get("windows"):
      why = "; the picture was filled by windows, pass full=True for more"
    raise AttributeError(f"no output {name!r}; there is {have}{why}")


class Inpainter:
  """A loaded system that fills pictures; made by `load`."""

  def __init__(self, loaded: Loaded):
    self.config = loaded.config
    self.system = loaded.system
    self.step = loaded.step
    self.hash = loaded.hash
    self.size = int(loaded.config.data.image_size)
    self._weights = jax.device_put((loaded.variables, loaded.frozen))
    self._predict = jax.jit(
      functools.partial(_predict, loaded.system),
      static_argnames="image_only",
      compiler_options=scheduling.for_memory(),
    )

  @property
  def guidance(self) -> tuple[str, ...]:
    """What the system can be told: of "segmentation", "attributes"."""
    return tuple(self.system.GUIDANCE)

  def __call__(
    self,
    image: np.ndarray,
    mask: np.ndarray,
    *,
    segmentation: np.ndarray | None = None,
    attributes: np.ndarray | Mapping[str, float] | None = None,
    full: bool = False,
  ) -> Result:
    """Fills the holes of one picture or of a batch.

    Args:
      image: uint8 [H, W, 3] or [B, H, W, 3].
      mask: [H, W] or [B, H, W], with or without a last axis of 1; any number,
        non-zero = hole.
      segmentation: class indices [H, W] or [B, H, W], 255 = not said.
      attributes: [A] or [B, A] in 0..1, NaN = not said; or {name: value}.
      full: run the whole picture, whatever its size.

    Raises:
      ValueError: shapes, dtypes or values other than the above, or guidance
        that the system does not take.
      UserError: the system makes no pictures, predicts non-finite values or
        needs a segmentation, or there is too little memory for `full`.
    """
    if self.system.needs_map and segmentation is None:
      raise UserError(
        f"this {self.config.system} was trained without "
        "config.objective.segmenter and predicts no map: give a segmentation"
      )
    for name, value in (
      ("segmentation", segmentation),
      ("attributes", attributes),
    ):
      if value is not None:
        self.check_takes(name)
    inputs, single = check_inputs(
      image, mask, segmentation, attributes, data=self.config.data
    )
    if inputs.mask.shape[1:] == (self.size, self.size):
      result = self._whole(inputs, MAX_BATCH)
    elif full:
      result = self._full(inputs)
    else:
      result = self._by_windows(inputs)
    if not single:
      return result
    return dataclasses.replace(
      result,
      image=result.image[0],
      outputs=jax.tree.map(lambda x: x[0], result.outputs),
    )

  def check_takes(self, name: str) -> None:
    """Raises a ValueError unless `guidance` holds `name`."""
    if name not in self.guidance:
      takes = ", ".join(self.guidance) or "none"
      raise ValueError(
        f"{self.config.system} takes no {name} as guidance; it takes {takes}"
      )

  def run(
    self, program: Callable[..., Any], inputs: Inputs, *more: Any
  ) -> tuple[np.ndarray, Any]:
    """Runs a program on up to `MAX_BATCH` pictures of one size.

    Args:
      program: compiled, of (weights, inputs, *more); returns what
        `served_image` does.
      inputs: what it sees.
      *more: further trees of arrays [B, ...].

    Returns:
      The pictures, uint8 [B, H, W, 3], known pixels as they were; and the
      program's further outputs, on the host.

    Raises:
      UserError: see `__call__`.
    """
    count = len(inputs.image)
    padding = (1 << (count - 1).bit_length()) - count
    pad = lambda x: np.concatenate([x, x[:1].repeat(padding, 0)])
    try:
      filled, finite, outputs = program(
        self._weights, inputs.map(pad), *jax.tree.map(pad, more)
      )
    except flax.errors.ScopeParamShapeError as e:
      raise UserError(
        f"{self.config.system} works only at its training size {self.size}; "
        "leave out full"
      ) from e
    if not np.all(finite):
      raise UserError(
        f"checkpoint {self.step} of {self.config.system} predicts values that "
        "are not finite; use another step"
      )
    take = lambda x: np.asarray(x)[:count]
    hole = inputs.mask[..., None]
    filled = np.where(hole, take(filled), inputs.image)
    return filled, jax.tree.map(take, outputs)

  def _whole(self, inputs: Inputs, batch_size: int) -> Result:
    parts = []
    for start in range(0, len(inputs.image), batch_size):
      part = inputs.map(operator.itemgetter(slice(start, start + batch_size)))
      parts.append(self.run(self._predict, part))
    images, outputs = zip(*parts, strict=True)
    join = lambda *xs: np.concatenate(xs)
    return Result(join(*images), jax.tree.map(join, *outputs))

  def _full(self, inputs: Inputs) -> Result:
    height, width = inputs.mask.shape[1:]
    _check_memory(height * width)
    pad = ((0, -height % FULL_MULTIPLE), (0, -width % FULL_MULTIPLE))
    spatial = lambda x: np.pad(
      x, ((0, 0), *pad, *[(0, 0)] * (x.ndim - 3)), mode="reflect"
    )
    padded = inputs._replace(attributes=None).map(spatial)
    # One at a time: what is a batch of windows is one picture here.
    result = self._whole(padded._replace(attributes=inputs.attributes), 1)
    cut = lambda x: (
      x[:, :height, :width] if x.shape[1:3] == padded.mask.shape[1:] else x
    )
    return Result(cut(result.image), jax.tree.map(cut, result.outputs))

  def _by_windows(self, inputs: Inputs) -> Result:
    filled = inputs.image.copy()
    windows = []
    for index in range(len(filled)):
      one = inputs.map(operator.itemgetter(index))
      plan = plan_windows(one.mask, self.size)
      fill = functools.partial(self._predict, image_only=True)
      for start in range(0, len(plan.windows), MAX_BATCH):
        chosen = plan.windows[start : start + MAX_BATCH]
        small, _ = self.run(fill, cut_windows(one, chosen, self.size))
        paste_windows(filled[index], small, plan, start, one.mask)
      windows.append(plan.windows)
    return Result(filled, {}, windows)


def load(
  path: str | os.PathLike,
  step: int | str | None = None,
  *,
  weights: str = "ema",
) -> Inpainter:
  """Loads what a training left in its workdir.

  Args:
    path: the workdir.
    step: of the checkpoint; None = the newest sound one; "best" = the best by
      the training's `config.checkpoint.best`.
    weights: "ema" (the running average where there is one) or "raw".

  Raises:
    UserError: no workdir, no such step, or a damaged checkpoint.
    ValueError: unknown `weights`.
  """
  if weights not in ("ema", "raw"):
    raise ValueError(f"weights must be 'ema' or 'raw', is {weights!r}")
  return Inpainter(load_checkpoint(str(path), step=step, weights=weights))


def _check_memory(pixels: int) -> None:
  # Beyond this XLA does not raise but aborts the process.
  if jax.default_backend() == "cpu" and hasattr(os, "sysconf"):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if pixels * FULL_BYTES > memory:
      raise UserError(
        f"full: {pixels / 1e6:.1f} megapixels do not fit into this machine's "
        f"memory, at most {memory / FULL_BYTES / 1e6:.1f} do; leave out full"
      )


def as_batch(inputs: Inputs) -> Batch:
  """What systems read, of what a person handed over."""
  told = (inputs.segmentation, inputs.attributes)
  return Batch(
    image=normalize_image(inputs.image),
    mask=inputs.mask[..., None].astype(jnp.float32),
    guidance=None if told == (None, None) else Guidance(*told),
  )


def served_image(
  outputs: Mapping[str, Any], mask: chex.Array, *, system: Any
) -> tuple[jax.Array, jax.Array, dict[str, Any]]:
  """(uint8 prediction, whether it is finite in the holes, other outputs)."""
  outputs = dict(outputs)
  if "image" not in outputs:
    raise UserError(
      f"{type(system).__name__} makes no pictures; load an inpainting system"
    )
  image = outputs.pop("image")
  finite = jnp.all(jnp.isfinite(image) | ~mask[..., None])
  return to_uint8(image), finite, outputs


def _predict(
  system: Any, weights: Any, inputs: Inputs, *, image_only: bool = False
) -> tuple[jax.Array, jax.Array, dict[str, Any]]:
  outputs = system.predict(*weights, as_batch(inputs))
  image, finite, more = served_image(outputs, inputs.mask, system=system)
  return image, finite, {} if image_only else more
