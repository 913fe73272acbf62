"""One scene from a seed: picture, exact class map, attributes.

The scenes exist to train and to judge semantic-guided inpainting without any
download: straight edges and repeated structure that a diffusion fill cannot
continue, colours that follow from the rest of the picture, and little noise,
because nobody can predict noise.
"""

from typing import NamedTuple

import numpy as np

from sginpaint.data.builders.synthetic_scenes import kinds
from sginpaint.data.builders.synthetic_scenes.classes import (
  BUILDING,
  NAMES,
  SKY,
  WATER,
)
from sginpaint.data.builders.synthetic_scenes.light import TIMES, WEATHERS
from sginpaint.data.builders.synthetic_scenes.stage import Stage

PRESENT = 0.005  # share of the picture from which a class counts as present
_NOISE = 1.2  # deviation of the camera's noise, in grey levels of 255
# The sky is in nearly every scene: its presence would teach nothing.
_PRESENCES = tuple(i for i in range(len(NAMES)) if i != SKY)
ATTRIBUTES = (
  *(f"has_{NAMES[i]}" for i in _PRESENCES),
  *TIMES,
  *WEATHERS,
  "has_reflection",
  "has_lit_windows",
)


class Scene(NamedTuple):
  """A rendered scene.

  Attributes:
    image: uint8 [size, size, 3] RGB.
    segmentation: uint8 [size, size], index into CLASSES.
    attributes: {name: bool}, keys and order of ATTRIBUTES.
  """

  image: np.ndarray
  segmentation: np.ndarray
  attributes: dict[str, bool]


def render(seed: int, size: int) -> Scene:
  """Paints the scene of a seed.

  Args:
    seed: not negative; the same seed is the same scene at every size.
    size: side of the picture in pixels, at least 16.

  Returns:
    The scene; the same bytes for the same arguments.
  """
  if seed < 0 or size < 16:
    raise ValueError(f"need seed >= 0 and size >= 16, got {seed} and {size}")
  rng = np.random.default_rng(seed)
  paint = kinds.KINDS[rng.choice(len(kinds.KINDS), p=kinds.ODDS)]
  stage = paint(rng, size)
  image, segmentation = stage.canvas.finish()
  # Drawn from its own stream: the only draw whose count depends on the size.
  camera = np.random.default_rng([seed, size])
  image = image * 255 + _NOISE * camera.standard_normal(image.shape, np.float32)
  image = np.clip(np.round(image), 0, 255).astype(np.uint8)
  return Scene(image, segmentation, _attributes(stage, segmentation))


def _attributes(stage: Stage, segmentation: np.ndarray) -> dict:
  counts = np.bincount(segmentation.ravel(), minlength=len(NAMES))
  present = counts >= PRESENT * segmentation.size
  light = stage.light
  values = [present[i] for i in _PRESENCES]
  values += [light.time == time for time in TIMES]
  values += [light.weather == weather for weather in WEATHERS]
  values.append(stage.reflects and present[WATER])
  values.append(light.time != "day" and present[BUILDING])
  return {n: bool(v) for n, v in zip(ATTRIBUTES, values, strict=True)}
