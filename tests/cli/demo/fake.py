"""An editor whose answers are known, and a demo that serves it."""

import asyncio
import contextlib
import io
import types

import aiohttp
import numpy as np
from aiohttp import web
from PIL import Image

from sginpaint.cli.demo import server, serving
from sginpaint.windows import plan_windows

CLASSES = (
  {"name": "sky", "colour": (120, 170, 230)},
  {"name": "grass", "colour": (80, 160, 70)},
  {"name": "sand", "colour": (225, 200, 140)},
  {"name": "water", "colour": (40, 90, 160)},
)
COLOURS = np.array([info["colour"] for info in CLASSES] + [(9, 9, 9)], np.uint8)


class FakeEditor:
  """Paints the colour of its class into every pixel of the hole.

  Attributes:
    maps: every map that was rendered.
  """

  classes = CLASSES

  def __init__(self, *, editable=True, segments=True):
    self.editable, self.segments = editable, segments
    self.maps = []

  def begin(self, image, mask, *, max_windows):
    plan_windows(mask, 64, max_windows=max_windows)
    return FakeSession(self, image.copy(), np.asarray(mask) != 0)


class FakeSession:
  """Sees the classes in columns, and fills grey at first."""

  def __init__(self, editor, image, mask):
    self._editor, self._image, self.mask = editor, image, mask
    self.coarse = image.copy()
    self.coarse[mask] = 128
    columns = np.indices(mask.shape)[1] * len(CLASSES) // mask.shape[1]
    if not editor.segments:
      columns = np.full(mask.shape, 255)
    self.segmentation = columns.astype(np.uint8)
    self.nbytes = 2 * image.nbytes + 2 * mask.nbytes

  def render(self, segmentation=None):
    self._editor.maps.append(segmentation)
    given = self.segmentation if segmentation is None else segmentation
    if (given == 255).all():
      return self.coarse.copy()
    return fill(self._image, self.mask, given)


def fill(image, mask, indices):
  """What a `FakeSession` renders; class 255 is nearly black."""
  colours = COLOURS[np.minimum(indices, len(CLASSES))]
  return np.where(mask[..., None], colours, image)


def png(array, **options) -> bytes:
  buffer = io.BytesIO()
  Image.fromarray(array).save(buffer, "PNG", **options)
  return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
  return np.asarray(Image.open(io.BytesIO(data)))


def picture(seed=0, size=(30, 40)):
  return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def hole(size=(30, 40)):
  mask = np.zeros(size, np.uint8)
  mask[5:20, 8:30] = 255
  return mask


@contextlib.asynccontextmanager
async def running(editor, *, host="127.0.0.1", **limits):
  """The demo on a free port: its URL, a client, and its application."""
  app = server.create_app(editor, name="fake", host=host, **limits)
  runner = serving.make_runner(app)
  await runner.setup()
  listening = serving.listen("127.0.0.1", 0)
  try:
    await web.SockSite(runner, listening).start()
    url = serving.address_of(listening, "127.0.0.1")
    async with aiohttp.ClientSession(url) as client:
      yield types.SimpleNamespace(url=url, client=client, app=app)
  finally:
    await runner.cleanup()


def serve(test, editor=None, **options):
  """Runs `test(client)` against a demo."""

  async def run():
    async with running(editor or FakeEditor(), **options) as demo:
      return await asyncio.wait_for(test(demo.client), 60)

  return asyncio.run(run())


def told(test, *, editor=None, **options):
  """(status, sentence) of the answer to the request that `test` makes."""

  async def ask(client):
    async with await test(client) as response:
      return response.status, (await response.json())["error"]

  return serve(ask, editor, **options)


async def load(client, image) -> str:
  """Uploads a picture; its address."""
  async with client.post("/api/pictures", data=png(image)) as response:
    assert response.status == 201, await response.text()
    return f"/api/pictures/{(await response.json())['id']}"


async def begin(client, image, mask) -> str:
  """Uploads a picture and its hole; its address."""
  address = await load(client, image)
  async with client.put(f"{address}/mask", data=png(mask)) as response:
    assert response.status == 200, await response.text()
  return address


async def body(response) -> bytes:
  """What a request in the making brings, if it is served."""
  async with response as answer:
    assert answer.status == 200, await answer.text()
    return await answer.read()
