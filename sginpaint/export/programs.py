"""One program of an artefact: a system as a function of arrays, traced.

It takes {name: value} and {input: array}: image uint8 [B, H, W, 3], mask bool
[B, H, W] and, where the system can be told, segmentation int32 [B, H, W] (255 =
not said) and attributes float32 [B, A] (NaN = not said). It returns what
`load(DIR)(image, mask, full=True)` does: the composited uint8 pictures "image",
every further output, those in groups as "scales/0"; and "finite", whether what
was predicted is. Other sizes than that of the training are reflected up to
multiples of `MULTIPLE` inside the program; where it takes any size, pictures
have to be multiples.
"""

import functools
from collections.abc import Sequence
from typing import Any

import flax.errors
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jax import export

from sginpaint.batch import IGNORE
from sginpaint.checkpoints import Loaded
from sginpaint.errors import UserError
from sginpaint.inference import FULL_MULTIPLE, as_batch, served_image
from sginpaint.inputs import Inputs
from sginpaint.systems.base import System

MULTIPLE = FULL_MULTIPLE
Size = tuple[int, int]
Arrays = dict[str, jax.Array]


def trace(
  loaded: Loaded,
  size: Size | None,
  *,
  batch: int | None = None,
  platforms: Sequence[str] = ("cpu",),
) -> export.Exported:
  """The program of one size.

  Args:
    loaded: of its values only the shapes are read.
    size: see `write_artefact`.
    batch: see there.
    platforms: see there.

  Raises:
    UserError: the system does not take such a size.
  """
  specs = _input_shapes(loaded, size, batch)
  weights = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), flat_weights(loaded)
  )
  padding = _padding(size, int(loaded.config.data.image_size))
  program = functools.partial(_fill, loaded.system, padding)
  if batch is None:
    program = functools.partial(_each, program)
  system = loaded.config.system
  try:
    return export.export(jax.jit(program), platforms=platforms)(weights, specs)
  except flax.errors.ScopeParamShapeError as e:
    raise UserError(
      f"{system} works only at its training size, not at {size}"
    ) from e
  except (TypeError, ValueError) as e:  # both are raised for want of a number
    if size is not None:
      raise
    raise UserError(
      f"--size any: {system}, as this config builds it, has layers that need "
      "to know the size (attention, resizing between scales); give it, as "
      "--size=256x256"
    ) from e


def flat_weights(loaded: Loaded) -> dict[str, Any]:
  """{"generator/params/...": array, "frozen/<name>/params/...": array}."""
  tree = {"generator": loaded.variables, "frozen": loaded.frozen}
  return traverse_util.flatten_dict(tree, sep="/")


def describe_inputs(loaded: Loaded) -> dict[str, Any]:
  """Of each input what the loader checks; 'unsaid' stands where none is."""
  data, system = loaded.config.data, loaded.system
  space: list[Any] = ["B", "H", "W"]
  known: dict[str, dict[str, Any]] = {
    "image": {"shape": [*space, 3], "dtype": "uint8", "range": [0, 255]},
    "mask": {"shape": space, "dtype": "bool", "range": [0, 1]},
    "segmentation": {
      "shape": space,
      "dtype": "int32",
      "range": [0, len(data.classes) - 1],
      "unsaid": IGNORE,
      "required": system.needs_map,
    },
    "attributes": {
      "shape": ["B", len(data.attributes)],
      "dtype": "float32",
      "range": [0, 1],
      "unsaid": "nan",
      "required": False,
    },
  }
  names = ("image", "mask", *system.GUIDANCE)
  return {name: {"required": True, **known[name]} for name in names}


def _fill(
  system: System, padding: Size, weights: Arrays, inputs: Arrays
) -> Arrays:
  """What `Inpainter` makes of a whole picture, as one function of arrays."""
  values: dict[str, Any] = traverse_util.unflatten_dict(weights, sep="/")
  given: Any = [inputs.get(name) for name in Inputs._fields]
  seen = Inputs._make(given)
  outer = seen
  if any(padding):
    grow: Any = lambda x: jnp.pad(
      x,
      ((0, 0), *((0, n) for n in padding), *[(0, 0)] * (x.ndim - 3)),
      mode="reflect",
    )
    outer = seen._replace(attributes=None).map(grow)
    outer = outer._replace(attributes=seen.attributes)
  predicted = system.predict(
    values.get("generator", {}), values.get("frozen", {}), as_batch(outer)
  )
  image, finite, more = served_image(predicted, outer.mask, system=system)
  height, width = seen.mask.shape[1:]
  cut = lambda x: (
    x[:, :height, :width] if x.shape[1:3] == outer.mask.shape[1:] else x
  )
  outputs = {
    jax.tree_util.keystr(path, simple=True, separator="/"): cut(x)
    for path, x in jax.tree_util.tree_leaves_with_path(more)
  }
  filled = jnp.where(seen.mask[..., None], cut(image), seen.image)
  return {**outputs, "image": filled, "finite": finite[None]}


def _each(program: Any, weights: Arrays, inputs: Arrays) -> Arrays:
  """Maps a program over any number of pictures: inside there is one."""

  def one(picture: Arrays) -> Arrays:
    alone = jax.tree.map(lambda x: x[None], picture)
    return jax.tree.map(lambda x: x[0], program(weights, alone))

  return jax.vmap(one)(inputs)


def _padding(size: Size | None, side: int) -> Size:
  """Rows and columns that are added; at the training size there are none."""
  if size is None or size == (side, side):
    return 0, 0
  return -size[0] % MULTIPLE, -size[1] % MULTIPLE


def _input_shapes(
  loaded: Loaded, size: Size | None, batch: int | None
) -> dict[str, jax.ShapeDtypeStruct]:
  height, width = size or (f"{MULTIPLE}*h", f"{MULTIPLE}*w")
  text = f"{batch or 'B'}, {height}, {width}"
  letters = dict(zip("BHW", export.symbolic_shape(text), strict=True))
  return {
    name: jax.ShapeDtypeStruct(
      tuple(letters.get(n, n) for n in spec["shape"]), np.dtype(spec["dtype"])
    )
    for name, spec in describe_inputs(loaded).items()
  }
