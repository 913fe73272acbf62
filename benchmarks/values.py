"""Values for networks that nobody has trained."""

from typing import Any

import jax
import numpy as np


def random_values(shapes: Any, seed: int = 0) -> Any:
  """Values for the variables of a network, of a size that stays finite."""
  generator = np.random.default_rng(seed)

  def draw(path: tuple, shape: jax.ShapeDtypeStruct) -> np.ndarray:
    name = str(path[-1].key)
    if len(shape.shape) < 2:
      value = 1.0 if name in ("scale", "var") else 0.0
      return np.full(shape.shape, value, shape.dtype)
    scale = np.sqrt(2.0 / np.prod(shape.shape[:-1]))
    values = generator.standard_normal(shape.shape, np.float32) * scale
    return values.astype(shape.dtype)

  return jax.tree_util.tree_map_with_path(draw, shapes)
