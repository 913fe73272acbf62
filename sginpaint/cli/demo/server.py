"""The web application: what is asked under which address.

    GET    /                           the page; its files stand in a table
    GET    /api/system                 name, classes, limits
    POST   /api/pictures               PNG, JPEG or WebP -> {id, width, height}
    GET    /api/pictures/<id>          PNG, upright
    DELETE /api/pictures/<id>
    PUT    /api/pictures/<id>/mask     PNG, all but 0 is hole -> {map: bool}
    GET    /api/pictures/<id>/coarse   PNG
    GET    /api/pictures/<id>/map      PNG of class indices
    POST   /api/pictures/<id>/render   PNG of class indices or nothing -> PNG

Bodies are raw files. Errors are `{"error": sentence}`.
"""

import asyncio
import importlib.resources
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from aiohttp import web

from sginpaint import images
from sginpaint.batch import IGNORE
from sginpaint.cli.demo import answers, bodies, guards, memory, uploads
from sginpaint.cli.demo.refusals import Refusal
from sginpaint.cli.demo.sessions import Kept, Sessions
from sginpaint.cli.demo.worker import Worker

if TYPE_CHECKING:
  from sginpaint.editing import Editor, Session

MAX_UPLOADS = 256 * 2**20  # bytes of all uploads that are held at a time
MAX_ANSWERS = 256 * 2**20  # and of all pictures that are being sent
MAX_WINDOWS = 64  # parts of a picture that are filled
SWEEP_SECONDS = 20.0
_PAGE = {
  "/": ("index.html", "text/html"),
  "/app.js": ("app.js", "text/javascript"),
  "/api.js": ("api.js", "text/javascript"),
  "/painting.js": ("painting.js", "text/javascript"),
  "/png.js": ("png.js", "text/javascript"),
  "/tools.js": ("tools.js", "text/javascript"),
  "/view.js": ("view.js", "text/javascript"),
  "/style.css": ("style.css", "text/css"),
  "/icon.svg": ("icon.svg", "image/svg+xml"),
}


class Demo:
  """The handlers, and what they share.

  Attributes:
    editor: what fills.
    name: of the system, for the page.
    sessions: what is kept between requests.
    worker: where pictures are decoded, filled and encoded.
  """

  def __init__(
    self, editor: "Editor", *, name: str, sessions: Sessions, worker: Worker
  ):
    self.editor, self.name = editor, name
    self.sessions, self.worker = sessions, worker
    self._uploads = answers.Held(MAX_UPLOADS, "uploads")
    self._answers = answers.Held(MAX_ANSWERS, "pictures are being sent")

  async def system(self, request: web.Request) -> web.Response:
    """GET /api/system."""
    del request
    classes = [
      {"name": info["name"], "colour": list(info["colour"])}
      for info in self.editor.classes
    ]
    colours = np.array([info["colour"] for info in classes], np.uint8)
    return web.json_response(
      {
        "name": self.name,
        "editable": self.editor.editable,
        "classes": classes,
        "not_said": images.not_said_colour(colours.reshape(-1, 3)).tolist(),
        "max_bytes": uploads.MAX_BYTES,
        "max_pixels": uploads.MAX_PIXELS,
      }
    )

  async def add(self, request: web.Request) -> web.Response:
    """POST /api/pictures."""
    async with bodies.receive(request, self._uploads) as data:
      picture = await self.worker.run(uploads.decode_picture, data)
    key = self.sessions.add(picture)
    height, width = picture.size
    answer = {"id": key, "width": width, "height": height}
    return web.json_response(answer, status=201)

  async def picture(self, request: web.Request) -> web.StreamResponse:
    """GET /api/pictures/<id>."""
    kept = self._kept(request)
    data = await self.worker.run(_encode, kept.picture)
    return await self._send(request, data)

  async def drop(self, request: web.Request) -> web.Response:
    """DELETE /api/pictures/<id>."""
    self.sessions.drop(request.match_info["id"])
    return web.Response(status=204)

  async def fill(self, request: web.Request) -> web.Response:
    """PUT /api/pictures/<id>/mask."""
    kept = self._kept(request)
    async with bodies.receive(request, self._uploads) as data:
      await self.worker.run(self._begin, kept, data)
    self.sessions.trim()
    return web.json_response({"map": self._has_map(_session(kept))})

  def _begin(self, kept: Kept, data: bytes) -> None:
    mask = uploads.decode_mask(data, kept.picture.size)
    session = self.editor.begin(kept.picture.rgb, mask, max_windows=MAX_WINDOWS)
    self.sessions.check(Kept(kept.picture, session).nbytes)
    kept.session = session

  def _has_map(self, session: "Session") -> bool:
    """Where none is predicted, one may still be painted."""
    predicted = bool((session.segmentation != IGNORE).any())
    return predicted or self.editor.editable

  async def coarse(self, request: web.Request) -> web.StreamResponse:
    """GET /api/pictures/<id>/coarse."""
    kept = self._kept(request)
    session = _session(kept)
    data = await self.worker.run(
      _encode, kept.picture, session.coarse, session.mask
    )
    return await self._send(request, data)

  async def map(self, request: web.Request) -> web.StreamResponse:
    """GET /api/pictures/<id>/map."""
    session = _session(self._kept(request))
    if not self._has_map(session):
      raise Refusal(404, f"{self.name} makes no map")
    data = await self.worker.run(_encode_indices, session.segmentation)
    return await self._send(request, data)

  async def render(self, request: web.Request) -> web.StreamResponse:
    """POST /api/pictures/<id>/render."""
    kept = self._kept(request)
    session = _session(kept)
    async with bodies.receive(request, self._uploads) as data:
      if data and not self.editor.editable:
        raise Refusal(409, f"{self.name} follows no map")
      result = await self.worker.run(self._render, kept.picture, session, data)
    return await self._send(request, result)

  def _render(
    self, picture: images.Picture, session: "Session", data: bytes
  ) -> bytes:
    count = len(self.editor.classes)
    given = uploads.decode_map(data, picture.size, count) if data else None
    return _encode(picture, session.render(given), session.mask)

  def _kept(self, request: web.Request) -> Kept:
    return self.sessions.get(request.match_info["id"])

  async def _send(
    self, request: web.Request, data: bytes
  ) -> web.StreamResponse:
    with self._answers.holding(len(data)):
      return await answers.send_png(request, data)


def _session(kept: Kept) -> "Session":
  if kept.session is None:
    raise Refusal(409, "this picture has no hole yet; send its mask first")
  return kept.session


def _encode(
  picture: images.Picture,
  filled: np.ndarray | None = None,
  mask: np.ndarray | None = None,
) -> bytes:
  # Depth, transparency and colour profile stay those of the picture.
  if filled is None or mask is None:
    filled, mask = picture.rgb, np.zeros(picture.size, bool)
  return images.encode_picture("result.png", picture, filled, mask)


def _encode_indices(indices: np.ndarray) -> bytes:
  return cv2.imencode(".png", indices)[1].tobytes()


def create_app(
  editor: "Editor",
  *,
  name: str,
  host: str,
  sessions: Sessions | None = None,
  worker: Worker | None = None,
) -> web.Application:
  """Makes the application.

  Args:
    editor: what fills.
    name: of the system, for the page.
    host: name or address that the server is bound to.
    sessions: with other limits than usual.
    worker: with another limit than usual.
  """
  sessions = Sessions() if sessions is None else sessions
  worker = Worker() if worker is None else worker
  demo = Demo(editor, name=name, sessions=sessions, worker=worker)
  app = web.Application(
    middlewares=[guards.answer, guards.only_for(host)],
    client_max_size=uploads.MAX_BYTES,
  )
  app.on_response_prepare.append(guards.add_headers)
  picture = "/api/pictures/{id}"
  app.add_routes(
    [
      web.get("/api/system", demo.system),
      web.post("/api/pictures", demo.add),
      web.get(picture, demo.picture, allow_head=False),
      web.delete(picture, demo.drop),
      web.put(f"{picture}/mask", demo.fill),
      web.get(f"{picture}/coarse", demo.coarse, allow_head=False),
      web.get(f"{picture}/map", demo.map, allow_head=False),
      web.post(f"{picture}/render", demo.render),
    ]
  )
  for path, (file, kind) in _PAGE.items():
    app.router.add_get(path, _static(file, kind))

  async def tidy(app: web.Application) -> AsyncIterator[None]:
    del app
    task = asyncio.create_task(_sweep(sessions))
    yield
    task.cancel()
    worker.close()

  app.cleanup_ctx.append(tidy)
  return app


def _static(file: str, kind: str):
  """A handler that knows one file, read once: requests name no paths."""
  data = importlib.resources.files(__package__).joinpath("page", file)
  body = data.read_bytes()

  async def handler(request: web.Request) -> web.Response:
    del request
    return web.Response(body=body, content_type=kind, charset="utf-8")

  return handler


async def _sweep(sessions: Sessions) -> None:
  while True:
    await asyncio.sleep(SWEEP_SECONDS)
    sessions.trim()
    await asyncio.to_thread(memory.give_back)
