"""What is sent, held within bounds however slowly it is taken.

A browser that asks for a picture and never reads the answer would keep it in
the memory of the server. Answers are written in small parts, each when the last
has gone; what is not taken in time is given up, and no more than some bytes of
them wait at a time.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from aiohttp import web

from sginpaint.cli.demo.refusals import Refusal

SECONDS = 60.0  # that a browser may take for one answer
_PART = 2**16


class Held:
  """Bytes that are held for all requests together.

  Attributes:
    limit: bytes that may be held at a time.
    what: is held, for the refusal.
  """

  def __init__(self, limit: int, what: str):
    self.limit, self.what = limit, what
    self.count = 0

  @contextlib.contextmanager
  def holding(self, count: int) -> Iterator["Holding"]:
    """Holds some bytes for a while; raises as `Holding.add` does."""
    mine = Holding(self)
    try:
      mine.add(count)
      yield mine
    finally:
      self.count -= mine.count


class Holding:
  """What one request has of it."""

  def __init__(self, held: Held):
    self._held, self.count = held, 0

  def add(self, count: int) -> None:
    """Holds more.

    Raises:
      Refusal: there is no room for it (503).
    """
    held = self._held
    if held.count + count > held.limit:
      raise Refusal(503, f"too many {held.what} at once; try again soon")
    held.count += count
    self.count += count


async def send_png(request: web.Request, data: bytes) -> web.StreamResponse:
  """Sends a PNG; cuts the line of a browser that does not take it."""
  response = web.StreamResponse(headers={"Content-Type": "image/png"})
  response.content_length = len(data)
  try:
    async with asyncio.timeout(SECONDS):
      await response.prepare(request)
      for start in range(0, len(data), _PART):
        await response.write(data[start : start + _PART])
  except TimeoutError:
    if request.transport is not None:
      request.transport.abort()
  except ConnectionError:
    pass  # nobody is there to be told
  return response
