"""The classes of the scenes: index = position, with the colour of a legend."""

CLASSES = (
  ("sky", (128, 190, 240)),
  ("mountain", (140, 118, 104)),
  ("water", (36, 96, 190)),
  ("grass", (110, 190, 70)),
  ("sand", (236, 208, 130)),
  ("field", (196, 150, 40)),
  ("road", (96, 92, 104)),
  ("building", (206, 92, 76)),
  ("tree", (24, 104, 52)),
  ("vehicle", (240, 60, 200)),
)
NAMES = tuple(name for name, _ in CLASSES)
(
  SKY,
  MOUNTAIN,
  WATER,
  GRASS,
  SAND,
  FIELD,
  ROAD,
  BUILDING,
  TREE,
  VEHICLE,
) = range(len(CLASSES))
