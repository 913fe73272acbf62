"""Label maps that a person edits in a paint program, written and read back.

Written is an indexed PNG: its numbers are the classes, its palette shows them
in their colours, and 255, "nothing is said", in black, or, where a class is
black, in a grey. What comes back depends on the program:

- Grey, 8 bits or fewer, or a palette of greys in order: the numbers count.
- Indexed: many programs sort the palette anew or drop what is not used. As soon
  as one colour in use is that of a class, colours count, whatever their order;
  if none is, the palette is somebody else's and the numbers count.
- RGB: the colours of the classes. What is fully transparent says nothing.

Colours must be met exactly: what a soft brush mixes is no class, and neither is
what JPEG makes of one. Label maps are uint8 [H, W] of class indices, 255 =
nothing is said; positions in messages are x from the left and y from the top,
counted from 0.
"""

import dataclasses
import io
import os

import numpy as np
from PIL import Image

from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
)
from sginpaint.errors import UserError
from sginpaint.images.masks import check_size
from sginpaint.images.reading import (
  MAX_PIXELS,
  Picture,
  decode_picture,
  opened,
  read_bytes,
  read_header,
  to_8_bits,
)

# As in `batch` and `data.classes`, which wait for JAX to be imported.
IGNORE, UNLISTED = 255, -1
_AMBIGUOUS = -2  # a colour that several classes have


@dataclasses.dataclass(frozen=True)
class LabelCode:
  """How K classes stand in a file.

  Attributes:
    names: of the classes, by index.
    colours: uint8 [K, 3], RGB.
    lookup: int32 [256], number in the file -> class index, 255 = nothing is
      said, -1 = no class.
    source: what says so, for messages.
  """

  names: tuple[str, ...]
  colours: np.ndarray
  lookup: np.ndarray
  source: str

  @property
  def not_said(self) -> np.ndarray:
    """uint8 [3], the colour of 255."""
    return not_said_colour(self.colours)


def not_said_colour(colours: np.ndarray) -> np.ndarray:
  """The colour of 255: black, or where a class is black a grey.

  The one farthest from all classes, so that nobody, nor a program that makes
  palettes smaller, takes them for each other.

  Args:
    colours: uint8 [K, 3], of the classes.

  Returns:
    uint8 [3].
  """
  if colours.any(-1).all():
    return np.zeros(3, np.uint8)
  greys = np.arange(256)[:, None, None]
  away = ((greys - colours.astype(int)) ** 2).sum(-1).min(-1)
  return np.full(3, away.argmax(), np.uint8)


def encode_label_map(labels: np.ndarray, code: LabelCode) -> bytes:
  """An indexed PNG of a label map."""
  value_of = np.full(256, IGNORE, np.uint8)
  palette = np.tile(code.not_said, (256, 1))
  for value, index in enumerate(code.lookup):
    if 0 <= index < len(code.names):
      value_of[index] = value
      palette[value] = code.colours[index]
  image = Image.fromarray(value_of[labels])
  image.putpalette(palette.tobytes())
  buffer = io.BytesIO()
  image.save(buffer, "PNG")
  return buffer.getvalue()


def read_label_map(
  path: str | os.PathLike, size: tuple[int, int], code: LabelCode
) -> np.ndarray:
  """Reads a label map, indices or colours; see the module.

  Args:
    path: a picture file.
    size: (height, width) it must have.
    code: numbers and colours of the classes.

  Returns:
    uint8 [H, W], class indices, 255 = nothing is said.

  Raises:
    UserError: unreadable, of another size, lossy, or with a pixel that is no
      class.
  """
  header = read_header(path)
  check_size(path, header.size, size)
  if header.format in ("JPEG", "MPO"):
    raise UserError(
      f"{path}: JPEG blurs the colours of a label map; save it as PNG"
    )
  if header.turned:
    raise UserError(f"{path}: is stored turned (EXIF); save it upright")
  data = read_bytes(path)
  with opened(data, str(path), MAX_PIXELS) as image:
    if image.mode == "P":
      image.load()
      image.apply_transparency()
      palette = np.array(image.getpalette("RGBA"), np.uint8).reshape(-1, 4)
      return _of_palette(path, np.asarray(image), palette, code)
  try:
    numbers = decode_labels(data)
  except UnreadableError as e:
    raise UserError(f"{path}: {e}") from e
  except LabelFormatError as e:
    picture = decode_picture(data, str(path))
    if picture.colour.shape[-1] != 3:
      raise UserError(f"{path}: {e}") from e
    return _of_colours(path, picture, code)
  return _of_numbers(path, numbers, code)


def _of_numbers(
  path: str | os.PathLike, numbers: np.ndarray, code: LabelCode
) -> np.ndarray:
  labels = code.lookup[numbers]
  wrong = labels == UNLISTED
  if wrong.any():
    where, count, plural = _first(wrong)
    raise UserError(
      f"{path}: {count} {plural} numbers of no class, first at {where} "
      f"({numbers[wrong][0]}): use {_known(code)} as {code.source} does, and "
      f"{IGNORE} where nothing is said"
    )
  return labels.astype(np.uint8)


def _of_palette(
  path: str | os.PathLike,
  numbers: np.ndarray,
  palette: np.ndarray,
  code: LabelCode,
) -> np.ndarray:
  used = np.flatnonzero(np.bincount(numbers.ravel(), minlength=256))
  entries = np.zeros((256, 4), np.uint8)
  entries[: len(palette)] = palette
  by_colour = _classes_of(entries, code)
  # Classes of one colour are told apart by their numbers.
  own = code.lookup.clip(0, max(0, len(code.names) - 1))
  same = (code.lookup == own) & (code.colours[own] == entries[:, :3]).all(-1)
  by_colour[same] = own[same]
  is_ramp = (entries[used, :3] == used[:, None]).all()
  classes = (by_colour != UNLISTED) & (by_colour != IGNORE)
  if is_ramp or not classes[used].any():
    return _of_numbers(path, numbers, code)
  labels = by_colour[numbers]
  if (labels < 0).any():
    _refuse_colours(path, labels, entries[numbers], code)
  return labels.astype(np.uint8)


def _of_colours(
  path: str | os.PathLike, picture: Picture, code: LabelCode
) -> np.ndarray:
  samples = to_8_bits(picture.samples)
  # Row by row: a photograph's worth of wide integers would be gigabytes.
  labels = np.stack([_classes_of(row, code) for row in samples])
  if (labels < 0).any():
    _refuse_colours(path, labels, samples, code)
  return labels.astype(np.uint8)


def _classes_of(colours: np.ndarray, code: LabelCode) -> np.ndarray:
  """int16 [n], class indices of RGB or RGBA uint8 [n, 3 | 4], or what is not.

  255 where nothing is said, -1 for colours of no class, -2 for those of many.
  """
  listed = _packed(np.concatenate([code.colours, code.not_said[None]]))
  keys, first, count = np.unique(listed, return_index=True, return_counts=True)
  meaning = np.where(count > 1, _AMBIGUOUS, first)
  meaning[first == len(code.names)] = IGNORE
  packed = _packed(colours)
  place = np.searchsorted(keys, packed).clip(max=len(keys) - 1)
  found = np.where(keys[place] == packed, meaning[place], UNLISTED)
  if colours.shape[-1] == 4:
    found[colours[:, 3] < 255] = UNLISTED
    found[colours[:, 3] == 0] = IGNORE
  return found.astype(np.int16)


def _packed(colours: np.ndarray) -> np.ndarray:
  """One number for each colour."""
  return colours[:, :3].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])


def _refuse_colours(
  path: str | os.PathLike,
  labels: np.ndarray,
  samples: np.ndarray,
  code: LabelCode,
) -> None:
  """Raises the UserError over colours that are no class, or several."""
  wrong = labels == UNLISTED
  if not wrong.any():
    wrong = labels == _AMBIGUOUS
    where, count, plural = _first(wrong)
    raise UserError(
      f"{path}: {count} {plural} a colour that several classes share, first at "
      f"{where} ({_hex(samples[wrong][0])}): save numbers, not colours"
    )
  where, count, plural = _first(wrong)
  sample = samples[wrong][0]
  away = code.colours.astype(int) - sample[:3]
  nearest = int((away**2).sum(-1).argmin())
  opaque = len(sample) == 3 or sample[3] == 255
  shown = _hex(sample[:3] if opaque else sample)
  raise UserError(
    f"{path}: {count} {plural} colours of no class, first at {where} ({shown}; "
    f"nearest is {code.names[nearest]} {_hex(code.colours[nearest])}): use a "
    "hard-edged brush"
  )


def _first(wrong: np.ndarray) -> tuple[str, int, str]:
  """Where the first of some pixels is, how many they are, and the words."""
  count = int(wrong.sum())
  y, x = divmod(int(wrong.argmax()), wrong.shape[1])
  return f"x={x}, y={y}", count, "pixel has" if count == 1 else "pixels have"


def _hex(colour: np.ndarray) -> str:
  return "#" + colour.tobytes().hex()


def _known(code: LabelCode) -> str:
  """The numbers of the classes: "0..7", or "3, 5, 9"."""
  known = np.flatnonzero((code.lookup >= 0) & (code.lookup != IGNORE))
  if len(known) > 2 and len(known) == 1 + np.ptp(known):
    return f"{known[0]}..{known[-1]}"
  return ", ".join(map(str, known)) or "none"
