"""A socket, and a server on it until Ctrl-C."""

import asyncio
import errno
import logging
import signal
import socket

from aiohttp import web

from sginpaint.errors import UserError

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # from this machine
CLOSING_SECONDS = 1.0  # for requests that are in the middle of their answer


def listen(host: str, port: int) -> socket.socket:
  """Opens the socket of the server.

  Args:
    host: name or address to bind to.
    port: 0 = any that is free.

  Raises:
    UserError: the address is none of this machine, or the port is taken.
  """
  if not 0 <= port <= 65535:
    raise UserError(f"--port={port}: give a number in 0..65535")
  try:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, address = found[0]
    return socket.create_server(address[:2], family=family, backlog=128)
  except (socket.gaierror, UnicodeError) as e:
    raise UserError(f"--host={host}: no such address") from e
  except OSError as e:
    if e.errno == errno.EADDRINUSE:
      raise UserError(
        f"--port={port}: in use; choose another, or 0 for any that is free"
      ) from e
    if e.errno == errno.EACCES:
      raise UserError(
        f"--port={port}: not allowed; choose one over 1023"
      ) from e
    raise UserError(f"--host={host}: cannot be bound ({e.strerror})") from e


def address_of(listening: socket.socket, host: str) -> str:
  """The URL, from this machine, of a socket that `listen` opened on `host`."""
  host = _EVERYWHERE.get(host, host)
  name = f"[{host}]" if ":" in host else host
  return f"http://{name}:{listening.getsockname()[1]}/"


def announcement(listening: socket.socket, host: str) -> str:
  """The line that tells where the server is."""
  line = f"{address_of(listening, host)} serves until Ctrl-C"
  if host in _EVERYWHERE:
    line += (
      f"; from elsewhere: this machine's address or {socket.gethostname()}, "
      f"port {listening.getsockname()[1]}"
    )
  return line


def serve(app: web.Application, listening: socket.socket, ready: str) -> None:
  """Prints `ready` and serves until Ctrl-C or SIGTERM."""
  asyncio.run(_serve(app, listening, ready))


async def _serve(
  app: web.Application, listening: socket.socket, ready: str
) -> None:
  stop = asyncio.Event()
  loop = asyncio.get_running_loop()
  for number in (signal.SIGINT, signal.SIGTERM):
    loop.add_signal_handler(number, stop.set)
  runner = make_runner(app)
  try:
    await runner.setup()
    await web.SockSite(runner, listening).start()
    print(ready, flush=True)
    await stop.wait()
  finally:
    await runner.cleanup()


def make_runner(app: web.Application) -> web.AppRunner:
  """How the application is served, here and in tests."""
  # Of requests that are no HTTP aiohttp tells a traceback each.
  quiet = logging.getLogger("aiohttp.server")
  quiet.setLevel(logging.CRITICAL)
  return web.AppRunner(
    app,
    access_log=None,
    auto_decompress=False,
    logger=quiet,
    shutdown_timeout=CLOSING_SECONDS,
  )
