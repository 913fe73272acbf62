"""What is uploaded, taken in within bounds of size and time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from sginpaint.cli.demo import answers, uploads
from sginpaint.cli.demo.refusals import Refusal

SECONDS = 60.0  # that one upload may take


@contextlib.asynccontextmanager
async def receive(
  request: web.Request, held: answers.Held
) -> AsyncIterator[bytes]:
  """The body of a request, counted as it comes and as long as it is held.

  Args:
    request: with a body or none.
    held: of all uploads together.

  Raises:
    Refusal: it is compressed, of unknown length, too large, too slow or broken
      off, or too much is held already.
  """
  _check_length(request)
  with held.holding(0) as mine:
    yield await _read(request, mine)


async def _read(request: web.Request, held: answers.Holding) -> bytes:
  parts = []
  try:
    async with asyncio.timeout(SECONDS):
      async for part in request.content.iter_chunked(2**16):
        held.add(len(part))
        parts.append(part)
  except TimeoutError as e:
    raise Refusal(408, "the upload took too long") from e
  except (ConnectionError, web.RequestPayloadError) as e:
    raise Refusal(400, "the upload broke off") from e
  return b"".join(parts)


def _check_length(request: web.Request) -> None:
  if "Content-Encoding" in request.headers:
    raise Refusal(415, "uploads must not be compressed once more")
  length = request.content_length
  if length is None:
    if request.can_read_body:
      raise Refusal(411, "the upload does not say how long it is")
  elif length > uploads.MAX_BYTES:
    megabytes = uploads.MAX_BYTES / 2**20
    raise Refusal(413, f"the upload is larger than {megabytes:.0f} MB")
