"""Pictures and holes to measure with; arrays of NumPy, without JAX."""

import cv2
import numpy as np


def random_pictures(count: int, side: int, seed: int = 0) -> np.ndarray:
  """uint8 [count, side, side, 3]: noise of several sizes, as pictures have.

  White noise would compress, and so decode, as no picture does.
  """
  generator = np.random.default_rng(seed)
  total = np.zeros((count, side, side, 3), np.float32)
  cell = 1
  while cell < side:
    coarse = -(-side // cell)
    noise = generator.standard_normal((count, coarse, coarse, 3), np.float32)
    total += cell**0.5 * noise.repeat(cell, 1).repeat(cell, 2)[:, :side, :side]
    cell *= 4
  total = (total - total.mean()) / (total.std() + 1e-6)
  return np.clip(128 + 48 * total, 0, 255).astype(np.uint8)


def random_labels(
  count: int, side: int, classes: int, seed: int = 0
) -> np.ndarray:
  """uint8 [count, side, side] of 0..classes - 1: large regions."""
  generator = np.random.default_rng(seed)
  coarse = generator.uniform(0, classes, (count, 8, 8)).astype(np.float32)
  smooth = [
    cv2.resize(values, (side, side), interpolation=cv2.INTER_CUBIC)
    for values in coarse
  ]
  return np.clip(smooth, 0, classes - 1).astype(np.uint8)


def holes(batch_size: int, side: int) -> np.ndarray:
  """float32 [B, S, S, 1] with a centred hole of half the side."""
  mask = np.zeros((batch_size, side, side, 1), np.float32)
  mask[:, side // 4 : -(side // 4), side // 4 : -(side // 4)] = 1.0
  return mask
