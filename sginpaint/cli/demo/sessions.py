"""The pictures that people edit, each under an id that nobody can guess.

What is kept is bounded: pictures that nobody asked for in a while go first,
and so do those that no room is left for.
"""

import dataclasses
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sginpaint import images
from sginpaint.cli.demo.refusals import Refusal

if TYPE_CHECKING:
  from sginpaint.editing import Session

MAX_COUNT = 64
MAX_BYTES = 2**30
IDLE_SECONDS = 60 * 60


@dataclasses.dataclass
class Kept:
  """A picture and, once it has a hole, the session that fills it."""

  picture: images.Picture
  session: "Session | None" = None
  used: float = 0.0

  @property
  def nbytes(self) -> int:
    """Bytes that it occupies."""
    more = self.session.nbytes if self.session else 0
    return self.picture.samples.nbytes + len(self.picture.icc or b"") + more


class Sessions:
  """Pictures by id, bounded in number, bytes and time.

  Attributes:
    max_count: pictures that are kept.
    max_bytes: that they may occupy together.
    idle: seconds after which one that nobody asked for is dropped.
  """

  def __init__(
    self,
    *,
    max_count: int = MAX_COUNT,
    max_bytes: int = MAX_BYTES,
    idle: float = IDLE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
  ):
    self.max_count, self.max_bytes, self.idle = max_count, max_bytes, idle
    self._clock = clock
    self._kept: dict[str, Kept] = {}  # least recently used first

  def __len__(self) -> int:
    return len(self._kept)

  def add(self, picture: images.Picture) -> str:
    """Keeps a picture and returns its id."""
    key = secrets.token_urlsafe(24)
    self._kept[key] = Kept(picture, used=self._clock())
    self.trim()
    return key

  def get(self, key: str) -> Kept:
    """The picture of an id, which counts as used now.

    Raises:
      Refusal: it is not kept (404).
    """
    self.trim()
    kept = self._kept.pop(key, None)
    if kept is None:
      raise Refusal(404, "this picture is no longer kept here; load it again")
    kept.used = self._clock()
    self._kept[key] = kept
    return kept

  def drop(self, key: str) -> None:
    """Forgets a picture, if it is kept."""
    self._kept.pop(key, None)

  def check(self, nbytes: int) -> None:
    """Raises a Refusal (413) over what would not fit even alone."""
    if nbytes > self.max_bytes:
      raise Refusal(
        413, "this hole takes too much memory; fill fewer places at a time"
      )

  def trim(self) -> None:
    """Drops what is idle, then what there is no room for."""
    oldest = self._clock() - self.idle
    for key in [k for k, kept in self._kept.items() if kept.used < oldest]:
      del self._kept[key]
    while len(self._kept) > self.max_count or (
      len(self._kept) > 1
      and sum(kept.nbytes for kept in self._kept.values()) > self.max_bytes
    ):
      del self._kept[next(iter(self._kept))]
