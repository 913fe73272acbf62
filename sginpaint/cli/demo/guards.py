"""Who may ask, and what a browser may do with the answer.

A page elsewhere can make a browser send requests to this server in two ways:
across origins, which the `Origin` header tells, and by a name that is
re-pointed to this machine once its page is loaded (DNS rebinding), which the
`Host` header tells. A re-pointed name is never an address.
"""

import ipaddress
import logging
import socket
import urllib.parse
from collections.abc import Awaitable, Callable

from aiohttp import web

from sginpaint.cli.demo.refusals import Refusal
from sginpaint.errors import UserError

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
  "Content-Security-Policy": (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
  ),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
}
_SENTENCES = {
  404: "there is nothing here",
  405: "this address does not take that method",
  413: "the upload is too large",
  417: "this server expects nothing",
}


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
  """Turns every error into `{"error": sentence}`."""
  try:
    return await handler(request)
  except Refusal as e:
    return _error(e.status, str(e))
  except UserError as e:
    return _error(400, str(e))
  except web.HTTPException as e:
    return _error(e.status, _SENTENCES.get(e.status, e.reason))
  except Exception:
    # A bug: its traceback belongs into the terminal, not to a stranger.
    _log.exception("%s %s", request.method, request.path)
    return _error(500, "the server made a mistake; its terminal says which")


async def add_headers(
  request: web.Request, response: web.StreamResponse
) -> None:
  """Adds what browsers must know before an answer is sent."""
  del request
  response.headers.update(_HEADERS)


def _error(status: int, message: str) -> web.Response:
  return web.json_response({"error": " ".join(message.split())}, status=status)


def only_for(host: str):
  """A middleware that refuses requests on behalf of other pages.

  Args:
    host: name or address that the server is bound to.
  """
  names = {"localhost", host.lower(), socket.gethostname().lower()}

  @web.middleware
  async def guard(request: web.Request, handler: Handler):
    name = _name(request.host)
    if name not in names and not _is_address(name):
      raise Refusal(
        403,
        "this server does not go by that name; open it by its address, or "
        "start it with --host=NAME",
      )
    origin = request.headers.get("Origin")
    if origin is not None and not _same(origin, request.host):
      raise Refusal(403, "another page may not ask this server")
    return await handler(request)

  return guard


def _name(host: str) -> str:
  try:
    return urllib.parse.urlsplit(f"//{host}").hostname or ""
  except ValueError as e:
    raise Refusal(400, "the Host header names no host") from e


def _same(origin: str, host: str) -> bool:
  scheme, _, rest = origin.partition("://")
  return scheme in ("http", "https") and rest == host


def _is_address(name: str) -> bool:
  try:
    ipaddress.ip_address(name)
  except ValueError:
    return False
  return True
