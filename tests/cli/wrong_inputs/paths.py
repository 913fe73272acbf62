"""Wrong pictures and masks, and places that cannot be written."""

from tests.cli.wrong_inputs.rows import (
  COMPARE,
  CONVERT,
  EVALUATE,
  EXPORT,
  INPAINT,
  LADDER,
  TRAIN,
  Row,
)

_PICTURES: list[Row] = [
  ("no picture", f"{INPAINT} --image=no.png", ("no.png: no such file",)),
  ("picture cut short", f"{INPAINT} --image=cut.png", ("cut.png: damaged",)),
  (
    "picture of 0 bytes",
    f"{INPAINT} --image=zero.png",
    ("the file is empty",),
  ),
  ("text for a picture", f"{INPAINT} --image=text.png", ("save it as PNG",)),
  ("bomb", f"{INPAINT} --image=bomb.png", ("bomb.png", "make it smaller")),
  ("floats", f"{INPAINT} --image=floats.tif", ("floats.tif",)),
  (
    "empty folder",
    f"{INPAINT} --image=empty",
    ("--image=empty", "no pictures"),
  ),
  ("no mask", f"{INPAINT} --mask=no.png", ("no.png: no such file",)),
  ("mask cut short", f"{INPAINT} --mask=cut.png", ("cut.png: damaged",)),
  ("small mask", f"{INPAINT} --mask=small.png", ("small.png", "give one of")),
  ("mask of another", f"{INPAINT} --mask=data/images", ("name it like the",)),
]
_PLACES: list[Row] = [
  ("over the input", f"{INPAINT} --output=a.png", ("choose another output",)),
  ("lossy", f"{INPAINT} --output=b.jpg", ("b.jpg", "pass --lossy")),
  ("no format", f"{INPAINT} --output=b.xyz", ("b.xyz", "use one of .png")),
  ("no output", f"{INPAINT} --output=", ("give a file or a folder",)),
  (
    "output in a file",
    f"{INPAINT} --output=text.txt/b.png",
    ("choose anoth",),
  ),
  ("workdir is a file", f"{TRAIN} --workdir=text.txt", ("give a folder",)),
  ("workdir in a file", f"{TRAIN} --workdir=text.txt/a", ("choose another",)),
  ("report in a file", f"{EVALUATE} --output=text.txt", ("give a folder",)),
  ("export over", f"{EXPORT} --output=data", ("=data", "choose another")),
  (
    "convert over",
    f"{CONVERT} --output=data --input=text.txt",
    ("choose an",),
  ),
  (
    "labels to a file",
    "segment --checkpoint=spl --images=a.png --output=o.png",
    ("give a folder",),
  ),
  ("ladder in a file", f"{LADDER} --workdir=text.txt", ("give a folder",)),
  ("compare to a file", f"{COMPARE} --output=text.txt", ("give a folder",)),
  (
    "no masks",
    f"{TRAIN} --config.masks.path=empty",
    ("no mask files", "put "),
  ),
]

PATHS = [*_PICTURES, *_PLACES]
