"""NCHW, the layout of the goldens, and NHWC, ours."""

from typing import Any

import numpy as np


def nhwc(x: Any) -> np.ndarray:
  """[B, C, H, W] to [B, H, W, C]."""
  return np.asarray(x).transpose(0, 2, 3, 1)


def nchw(x: Any) -> np.ndarray:
  """[B, H, W, C] to [B, C, H, W]."""
  return np.asarray(x).transpose(0, 3, 1, 2)
