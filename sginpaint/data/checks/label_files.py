"""One label map: can its file hold class numbers, and which does it hold?"""

import dataclasses
import io

import numpy as np
from PIL import Image

from sginpaint.data.checks.findings import ERROR, Kind
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
)

_UNREADABLE = Kind(
  "unreadable-label",
  ERROR,
  "label maps that cannot be read",
  "replace or remove them",
)
_LOSSY = Kind(
  "lossy-label",
  ERROR,
  "label maps compressed by JPEG",
  "it mixes class numbers into others: make them again as PNG",
)
_COLOURS = Kind(
  "label-colours",
  ERROR,
  "label maps of colours, where class numbers are needed",
  "write the value of classes.csv of every pixel, as 8-bit grey PNG",
)
_DEEP = Kind(
  "label-depth",
  ERROR,
  "label maps of more than 8 bits or of floats",
  "save whole class numbers in 0..255, as 8-bit grey PNG",
)


@dataclasses.dataclass(frozen=True, slots=True)
class LabelFacts:
  """What one label map is like.

  Attributes:
    kind: what is wrong with the file as such, or None.
    detail: more on it.
    size: (height, width).
    counts: int64 [256], pixels per value.
  """

  kind: Kind | None = None
  detail: str = ""
  size: tuple[int, int] = (0, 0)
  counts: np.ndarray | None = None


def inspect_label(data: bytes) -> LabelFacts:
  """Decodes a label map and counts its values."""
  if data[:3] == b"\xff\xd8\xff":
    return LabelFacts(_LOSSY)
  try:
    values = decode_labels(data)
  except UnreadableError as e:
    return LabelFacts(_UNREADABLE, str(e))
  except LabelFormatError:
    return _wrong_format(data)
  counts = np.bincount(values.ravel(), minlength=256)
  return LabelFacts(size=values.shape[:2], counts=counts)


def _wrong_format(data: bytes) -> LabelFacts:
  with Image.open(io.BytesIO(data)) as image:
    mode, colours = image.mode, np.asarray(image)
  if mode[0] in "IF":
    high = float(colours.max())
    detail = "floats" if mode == "F" else "16 bits or more"
    return LabelFacts(_DEEP, f"{detail}, at most {high:g}")
  if mode in ("RGB", "RGBA") and (np.ptp(colours[..., :3], axis=-1) == 0).all():
    return LabelFacts(_COLOURS, "its three channels are equal: keep one")
  return LabelFacts(_COLOURS, f"mode {mode}")
