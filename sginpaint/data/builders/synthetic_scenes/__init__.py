"""The embedded data set: generated outdoor scenes with exact labels.

`render` paints a scene from a seed and needs numpy and OpenCV only. The tfds
builder and `prepare` live in `builder.py`, so that worker processes do not
import what they do not need.
"""

from sginpaint.data.builders.synthetic_scenes.classes import CLASSES
from sginpaint.data.builders.synthetic_scenes.scene import (
  ATTRIBUTES,
  Scene,
  render,
)

__all__ = ["ATTRIBUTES", "CLASSES", "Scene", "render"]
