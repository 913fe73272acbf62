"""What a person does on the page of the demo: strokes, buttons, files."""

import asyncio
import contextlib
import os
import pathlib

import numpy as np
from PIL import Image

from tests.cli.demo import browser, fake

SIZE = (60, 80)
IDLE = "!document.querySelector('#status').matches('.busy')"


def scene() -> np.ndarray:
  """uint8 [H, W, 3], smooth with some noise."""
  y, x = np.indices(SIZE)
  base = np.stack([90 + x, 200 - 2 * y, 60 + y + x // 2], -1)
  return (base + np.random.default_rng(0).integers(0, 30, base.shape)).astype(
    np.uint8
  )


@contextlib.asynccontextmanager
async def visitor(editor, folder, **options):
  """A page at a running demo, with a picture loaded."""
  file = folder / "scene.png"
  Image.fromarray(scene()).save(file)
  async with (
    fake.running(editor, **options) as demo,
    browser.opened(demo.url, folder) as page,
  ):
    await page.until("document.querySelector('.chip')?.textContent")
    await page.choose("#file", file)
    await page.until("!document.querySelector('#hole').hidden && " + IDLE)
    yield page
    assert page.problems == []


async def stroke(page, panel, *places):
  """Drags over places (x, y) of the picture, whatever the canvas' size."""
  left, top, width, height = await page.box(f"#{panel}")
  rows, columns = SIZE
  await page.drag(
    *[(left + x * width / columns, top + y * height / rows) for x, y in places]
  )


async def press(page, selector, *, words):
  await page.click(selector)
  await page.until(
    f"document.querySelector('#status').textContent"
    f".startsWith('{words}') && " + IDLE
  )


async def downloaded(page, folder, what) -> np.ndarray:
  await page.click(f"#save-{what}")
  file = folder / f"scene_{what}.png"
  async with asyncio.timeout(30):
    while not file.is_file():
      await asyncio.sleep(0.05)
  with Image.open(file) as image:
    return np.asarray(image)


async def set_size(page, panel, size):
  await page.value(
    f"(() => {{ const e = document.querySelector('[data-for={panel}] .size "
    f"input'); e.value = {size}; e.dispatchEvent(new Event('input')); }})()"
  )


async def photograph(page, name):
  if folder := os.environ.get("SGINPAINT_SCREENSHOTS"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    await page.photograph(pathlib.Path(folder, f"{name}.png"))


def line(start, end, size):
  """bool [H, W]: pixels whose centre is within size / 2 of the line."""
  y, x = np.indices(SIZE) + 0.5
  ts = np.linspace(0, 1, 2001)
  points = np.outer(1 - ts, start) + np.outer(ts, end)
  near = np.full(SIZE, np.inf)
  for px, py in points:
    near = np.minimum(near, np.hypot(x - px, y - py))
  return near <= size / 2
