"""Pictures: whole, large enough, and of what kind.

The library reads all kinds that are noted here (`data/images.py`); whoever
expected colours, or pictures that lie as they are stored, wants to know.
"""

import collections
import dataclasses
import hashlib
import io

import numpy as np
from PIL import Image

from sginpaint.data.checks.findings import ERROR, NOTE, WARNING, Findings, Kind
from sginpaint.data.images import UnreadableError, decode_rgb

UNREADABLE = Kind(
  "unreadable-picture",
  ERROR,
  "pictures that cannot be read",
  "replace them, or remove them with their labels and lines",
)
_PLAIN = Kind(
  "plain-picture",
  WARNING,
  "pictures of one single colour",
  "there is nothing to learn from them: remove them",
)
_TRAITS = {
  "grey": Kind(
    "grey-picture",
    NOTE,
    "pictures without colour",
    "they are trained on as grey RGB",
  ),
  "cmyk": Kind(
    "cmyk-picture",
    NOTE,
    "CMYK pictures",
    "they are converted without their colour profile: save them as RGB if "
    "colours matter",
  ),
  "deep": Kind(
    "deep-picture",
    NOTE,
    "pictures of more than 8 bits",
    "they are reduced to 8",
  ),
  "alpha": Kind(
    "transparent-picture",
    NOTE,
    "pictures with transparency",
    "it is dropped, what lies under it shows",
  ),
  "turned": Kind(
    "turned-picture",
    NOTE,
    "pictures stored turned (EXIF orientation)",
    "they are turned upright: label maps must be upright too",
  ),
}
_ORIENTATION, _BITS = 274, 258  # EXIF and TIFF tags
_EXTREME = 3.0  # longer side / shorter side
_MOST = 0.9  # share of the pictures that a size is proposed for


@dataclasses.dataclass(frozen=True, slots=True)
class PictureFacts:
  """What one picture is like.

  Attributes:
    error: why it cannot be read, or "".
    size: (height, width), upright.
    traits: keys of the notes that hold for it, and "plain".
    content: hash of its pixels and size.
  """

  error: str = ""
  size: tuple[int, int] = (0, 0)
  traits: tuple[str, ...] = ()
  content: int = 0


def inspect_picture(data: bytes) -> PictureFacts:
  """Decodes a picture and looks at it."""
  try:
    pixels = decode_rgb(data)
  except UnreadableError as e:
    return PictureFacts(error=str(e))
  traits = _stored_traits(data)
  flat = pixels.reshape(-1, 3)
  if (flat == flat[:1]).all():
    traits.add("plain")
  elif (flat[:, 0] == flat[:, 1]).all() and (flat[:, 1] == flat[:, 2]).all():
    traits.add("grey")
  content = hashlib.blake2b(pixels.tobytes(), digest_size=8)
  content.update(str(pixels.shape).encode())
  return PictureFacts(
    size=pixels.shape[:2],
    traits=tuple(sorted(traits)),
    content=int.from_bytes(content.digest(), "little"),
  )


def _stored_traits(data: bytes) -> set[str]:
  try:
    with Image.open(io.BytesIO(data)) as image:
      orientation = image.getexif().get(_ORIENTATION, 1)
      bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
      traits = {
        "cmyk": image.mode == "CMYK",
        "deep": image.mode[0] in "IF" or max(np.atleast_1d(bits)) > 8,
        "alpha": image.has_transparency_data,
        "turned": orientation in range(2, 9),
      }
  except (Image.DecompressionBombError, OSError, SyntaxError, ValueError):
    return set()  # OpenCV read it: only the notes are missing
  # Pillow reduces deep RGB of PNG while it opens it.
  traits["deep"] |= data[:4] == b"\x89PNG" and data[24] == 16
  return {trait for trait, holds in traits.items() if holds}


class PictureCheck:
  """Looks at pictures one after the other."""

  def __init__(self, findings: Findings, *, image_size: int, resize: str):
    """Takes what the training is going to do with them.

    Args:
      findings: are added to.
      image_size: side of the square that networks see.
      resize: stretch | shorter_side.
    """
    self._findings = findings
    self._image_size = image_size
    self._resize = resize
    self._sides: collections.Counter[int] = collections.Counter()

  def add(self, name: str, facts: PictureFacts) -> None:
    """Looks at one picture."""
    if facts.error:
      self._findings.add(UNREADABLE, f"{name}: {facts.error}")
      return
    shorter, longer = sorted(facts.size)
    shape = f"{name}: {facts.size[1]}x{facts.size[0]}"
    self._sides[shorter] += 1
    if shorter < self._image_size:
      self._findings.add(self._too_small(""), shape)
    if longer > _EXTREME * shorter:
      self._findings.add(self._extreme(), shape)
    if "plain" in facts.traits:
      self._findings.add(_PLAIN, name)
    for trait in facts.traits:
      if trait in _TRAITS:
        self._findings.add(_TRAITS[trait], name)

  def _too_small(self, proposal: str) -> Kind:
    return Kind(
      "small-picture",
      WARNING,
      f"pictures with a side below {self._image_size} pixels",
      f"they are enlarged and blurred: take larger ones{proposal}",
    )

  def _reached(self) -> int:
    """The largest size that most pictures have."""
    left = (1 - _MOST) * self._sides.total()
    for side in sorted(self._sides):
      left -= self._sides[side]
      if left < 0:
        return side
    return self._image_size

  def finish(self) -> None:
    """Proposes a size, now that all are known."""
    if min(self._sides, default=self._image_size) < self._image_size:
      fitting = self._reached() // 8 * 8
      size = f"; or set --config.data.image_size={fitting}"
      proposal = size if 16 <= fitting < self._image_size else ""
      self._findings.add(self._too_small(proposal), count=0)

  def _extreme(self) -> Kind:
    mend = "most of each is cut away: cut them by hand"
    if self._resize == "stretch":
      mend = (
        "they are squeezed to squares: cut them, or set "
        "--config.data.resize=shorter_side"
      )
    title = f"pictures over {_EXTREME:g} times as long as wide"
    return Kind("extreme-aspect", WARNING, title, mend)
