"""The page in a real browser: what a person does, and the pixels that come.

Skipped where there is no Chromium. With SGINPAINT_SCREENSHOTS=DIR it leaves
pictures of the page there.
"""

import asyncio
import contextlib
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

import sginpaint
from sginpaint.editing import Editor
from tests.cli.demo import browser, fake
from tests.systems.sge_net.serving_test import saved

pytestmark = pytest.mark.skipif(
  browser.find() is None, reason="no Chromium here (apt install chromium)"
)

_SIZE = (60, 80)
_IDLE = "!document.querySelector('#status').matches('.busy')"


def _scene() -> np.ndarray:
  """uint8 [H, W, 3], smooth with some noise."""
  y, x = np.indices(_SIZE)
  base = np.stack([90 + x, 200 - 2 * y, 60 + y + x // 2], -1)
  return (base + np.random.default_rng(0).integers(0, 30, base.shape)).astype(
    np.uint8
  )


@contextlib.asynccontextmanager
async def _visitor(editor, folder, image=None):
  """A page at a running demo, with a picture loaded."""
  file = folder / "scene.png"
  Image.fromarray(_scene() if image is None else image).save(file)
  async with (
    fake.running(editor) as demo,
    browser.opened(demo.url, folder) as page,
  ):
    await page.until("document.querySelector('.chip')?.textContent")
    await page.choose("#file", file)
    await page.until("!document.querySelector('#hole').hidden && " + _IDLE)
    yield page
    assert page.problems == []


async def _stroke(page, panel, *places):
  """Drags over places (x, y) of the picture, whatever the canvas' size."""
  left, top, width, height = await page.box(f"#{panel}")
  rows, columns = _SIZE
  await page.drag(
    *[(left + x * width / columns, top + y * height / rows) for x, y in places]
  )


async def _press(page, selector, *, words):
  await page.click(selector)
  await page.until(
    f"document.querySelector('#status').textContent"
    f".startsWith('{words}') && " + _IDLE
  )


async def _saved(page, folder, what) -> np.ndarray:
  await page.click(f"#save-{what}")
  file = folder / f"scene_{what}.png"
  async with asyncio.timeout(30):
    while not file.is_file():
      await asyncio.sleep(0.05)
  with Image.open(file) as image:
    return np.asarray(image)


async def _set_size(page, panel, size):
  await page.value(
    f"(() => {{ const e = document.querySelector('[data-for={panel}] .size "
    f"input'); e.value = {size}; e.dispatchEvent(new Event('input')); }})()"
  )


async def _photograph(page, name):
  if folder := os.environ.get("SGINPAINT_SCREENSHOTS"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    await page.photograph(pathlib.Path(folder, f"{name}.png"))


def _line(start, end, size):
  """bool [H, W]: pixels whose centre is within size / 2 of the line."""
  y, x = np.indices(_SIZE) + 0.5
  ts = np.linspace(0, 1, 2001)
  points = np.outer(1 - ts, start) + np.outer(ts, end)
  near = np.full(_SIZE, np.inf)
  for px, py in points:
    near = np.minimum(near, np.hypot(x - px, y - py))
  return near <= size / 2


def test_paint_fill_edit_render_and_save(tmp_path):
  editor = fake.FakeEditor()

  async def run():
    async with _visitor(editor, tmp_path) as page:
      await _photograph(page, "1_loaded")
      await _set_size(page, "hole", 12)
      await _stroke(page, "hole", (20, 20), (60, 40))
      await _photograph(page, "2_hole")
      await _press(page, "#fill", words="Filled")
      await _photograph(page, "3_filled")
      await page.click("#classes label:nth-of-type(4)")
      await _set_size(page, "map", 9)
      await _stroke(page, "map", (24, 22), (40, 30))
      await _photograph(page, "4_edited")
      await _press(page, "#render", words="Rendered")
      await _photograph(page, "5_rendered")
      return [
        await _saved(page, tmp_path, what) for what in ("result", "mask", "map")
      ]

  result, mask, indices = asyncio.run(run())
  hole = _line((20, 20), (60, 40), 12)
  painted = _line((24, 22), (40, 30), 9)
  want = np.where(painted, 3, np.indices(_SIZE)[1] // 20)
  # Places on the screen are fractions: pixels on the very edge may go either
  # way. None may hold anything but what is inside or outside.
  assert ((mask > 0) != hole).sum() <= 6
  assert set(np.unique(mask)) == {0, 255}
  assert (indices != want).sum() <= 6
  assert editor.maps[0] is None
  np.testing.assert_array_equal(editor.maps[1], indices)
  scene = _scene()
  np.testing.assert_array_equal(result[mask == 0], scene[mask == 0])
  np.testing.assert_array_equal(result, fake.fill(scene, mask > 0, indices))


def test_rectangle_eraser_undo_and_reset(tmp_path):
  editor = fake.FakeEditor()

  async def run():
    async with _visitor(editor, tmp_path) as page:
      await page.click("[name=hole-tool][value=rectangle] + span")
      await _stroke(page, "hole", (10.5, 8.5), (50.5, 50.5), (30.5, 25.5))
      await _stroke(page, "hole", (60.5, 40.5), (70.5, 50.5))
      await page.click("[data-for=hole] [data-do=undo]")
      mask = await _saved(page, tmp_path, "mask")
      await _press(page, "#fill", words="Filled")
      await page.click("#classes label:nth-of-type(3)")
      await _stroke(page, "map", (15, 15), (25, 20))
      edited = await _saved(page, tmp_path, "map")
      (tmp_path / "scene_map.png").unlink()
      await page.click("[data-for=map] [data-do=reset]")
      reset = await _saved(page, tmp_path, "map")
      return mask, edited, reset

  mask, edited, reset = asyncio.run(run())
  want = np.zeros(_SIZE, np.uint8)
  want[8:26, 10:31] = 255
  np.testing.assert_array_equal(mask, want)
  seen = np.indices(_SIZE)[1] // 20
  assert (edited != seen).any()
  np.testing.assert_array_equal(reset, seen)


def test_a_map_with_every_number_survives_both_ways(tmp_path):
  editor = fake.FakeEditor()
  editor.classes = [
    {"name": str(i), "colour": (i, 255 - i, 7)} for i in range(200)
  ]
  seen = np.random.default_rng(0).integers(0, 200, _SIZE).astype(np.uint8)
  seen[:20] = np.arange(80) * 2  # the encoder filters smooth rows otherwise
  seen[20:30] = 255
  begin = editor.begin

  def begin_with_noise(image, mask):
    session = begin(image, mask)
    session.segmentation = seen
    return session

  editor.begin = begin_with_noise

  async def run():
    async with _visitor(editor, tmp_path) as page:
      await _stroke(page, "hole", (20, 20), (60, 40))
      await _press(page, "#fill", words="Filled")
      await _press(page, "#render", words="Rendered")

  asyncio.run(run())
  np.testing.assert_array_equal(editor.maps[1], seen)


def test_a_system_that_follows_no_map(tmp_path):
  editor = fake.FakeEditor(editable=False, segments=False)

  async def run():
    async with _visitor(editor, tmp_path) as page:
      assert await page.value("document.querySelector('#map-panel').hidden")
      await _stroke(page, "hole", (20, 20), (60, 40))
      await _press(page, "#fill", words="Filled")
      await _photograph(page, "6_plain")
      return await _saved(page, tmp_path, "result")

  result = asyncio.run(run())
  grey = (result == 128).all(-1)
  assert grey.sum() > 100
  np.testing.assert_array_equal(result[~grey], _scene()[~grey])


def test_a_real_network(tmp_path):
  """SGE-Net, narrow and never trained, on a picture of another size."""
  workdir = saved("sge_net", tmp_path / "run")

  async def run():
    editor = Editor(sginpaint.load(workdir))
    async with _visitor(editor, tmp_path) as page:
      await _stroke(page, "hole", (20, 20), (60, 40))
      await _press(page, "#fill", words="Filled")
      first = await _saved(page, tmp_path, "result")
      (tmp_path / "scene_result.png").unlink()
      await page.click("#classes label:nth-of-type(3)")
      await _stroke(page, "map", (20, 20), (50, 35))
      await _press(page, "#render", words="Rendered")
      await _photograph(page, "9_sge_net")
      saves = ("result", "mask", "map")
      return first, *[await _saved(page, tmp_path, what) for what in saves]

  first, result, mask, indices = asyncio.run(run())
  session = Editor(sginpaint.load(workdir)).begin(_scene(), mask)
  np.testing.assert_array_equal(first, session.render())
  np.testing.assert_array_equal(result, session.render(indices))
  known = mask == 0
  np.testing.assert_array_equal(result[known], _scene()[known])
  edited = indices != session.segmentation
  assert set(np.unique(indices[edited])) == {2}
  assert (result != first)[edited & ~known].any()


def test_errors_are_shown_and_a_tablet_will_do(tmp_path):
  wrong = tmp_path / "wrong.png"
  wrong.write_bytes(b"GIF89a nothing")

  async def run():
    async with _visitor(fake.FakeEditor(), tmp_path) as page:
      await page.resize(768, 1024)
      await _stroke(page, "hole", (20, 20), (60, 40))
      await _press(page, "#fill", words="Filled")
      await _photograph(page, "7_tablet")
      wide = "document.documentElement.scrollWidth <= innerWidth"
      assert await page.value(wide)
      await page.click("#over")
      await page.until("document.querySelector('#hole').hidden && " + _IDLE)
      await page.choose("#file", wrong)
      await page.until("document.querySelector('#status').matches('.error')")
      text = await page.value("document.querySelector('#status').textContent")
      assert text == "The picture is no PNG, JPEG or WebP; save it as PNG"
      await _photograph(page, "8_error")
      # The browser's own line about the status is no problem of the page.
      assert "400 (Bad Request)" in page.problems.pop()

  asyncio.run(run())
