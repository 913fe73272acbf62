"""The 20 scenes and 40 objects that the boosted GAN's scene attributes are.

The paper takes 20 scene categories of Places2 that SUN has too, and 40 object
categories, and names none. Scenes: below. Objects: the 40 most frequent of
ADE20K-150, present where they cover at least 0.5 % of the picture.
"""

import math

SCENES = (
  "bathroom", "bedroom", "kitchen", "living_room", "dining_room", "office",
  "classroom", "corridor", "street", "highway", "bridge", "church/outdoor",
  "tower", "skyscraper", "mountain", "valley", "beach", "coast", "canyon",
  "castle",
)  # fmt: skip
OBJECTS = (
  "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed",
  "windowpane", "grass", "cabinet", "sidewalk", "person", "earth", "door",
  "table", "mountain", "plant", "curtain", "chair", "car", "water", "painting",
  "sofa", "shelf", "house", "sea", "mirror", "rug", "field", "armchair", "seat",
  "fence", "desk", "rock", "wardrobe", "lamp", "bathtub", "railing", "cushion",
)  # fmt: skip
UNKNOWN_OBJECTS = (math.nan,) * len(OBJECTS)
# A mountain is both, and attributes are known by their names.
ATTRIBUTES = (
  *(f"scene:{name}" for name in SCENES),
  *(f"object:{name}" for name in OBJECTS),
)


def scene_values(category: str | None) -> tuple[float, ...]:
  """Of a picture of that category; None = unknown.

  Data sets write "church/outdoor" also with a hyphen or an underscore.
  """
  if category is None:
    return (math.nan,) * len(SCENES)
  plain = _plain(category)
  return tuple(float(_plain(scene) == plain) for scene in SCENES)


def _plain(category: str) -> str:
  return category.lower().replace("/", "_").replace("-", "_")
