"""Semantic-guided image inpainting in JAX and Flax.

    inpainter = sginpaint.load("runs/spl")
    filled = inpainter(image, mask).image

Importing this package imports neither JAX nor any of its parts; `load` does.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from sginpaint.inference import load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
  if name == "load":
    return importlib.import_module("sginpaint.inference").load
  raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
