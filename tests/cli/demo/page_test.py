"""The page in a real browser: what a person does, and the pixels that come.

Skipped where there is no Chromium. With SGINPAINT_SCREENSHOTS=DIR it leaves
pictures of the page there.
"""

import asyncio

import numpy as np
import pytest

import sginpaint
from sginpaint.editing import Editor
from tests.cli.demo import browser, fake
from tests.cli.demo.visitor import (
  IDLE,
  SIZE,
  downloaded,
  line,
  photograph,
  press,
  scene,
  set_size,
  stroke,
  visitor,
)
from tests.systems.sge_net.serving_test import saved

pytestmark = pytest.mark.skipif(
  browser.find() is None, reason="no Chromium here (apt install chromium)"
)


def test_paint_fill_edit_render_and_save(tmp_path):
  editor = fake.FakeEditor()

  async def run():
    async with visitor(editor, tmp_path) as page:
      await photograph(page, "1_loaded")
      await set_size(page, "hole", 12)
      await stroke(page, "hole", (20, 20), (60, 40))
      await photograph(page, "2_hole")
      await press(page, "#fill", words="Filled")
      await photograph(page, "3_filled")
      await page.click("#classes label:nth-of-type(4)")
      await set_size(page, "map", 9)
      await stroke(page, "map", (24, 22), (40, 30))
      await photograph(page, "4_edited")
      await press(page, "#render", words="Rendered")
      await photograph(page, "5_rendered")
      return [
        await downloaded(page, tmp_path, what)
        for what in ("result", "mask", "map")
      ]

  result, mask, indices = asyncio.run(run())
  hole = line((20, 20), (60, 40), 12)
  painted = line((24, 22), (40, 30), 9)
  want = np.where(painted, 3, np.indices(SIZE)[1] // 20)
  # Places on the screen are fractions: pixels on the very edge may go either
  # way. None may hold anything but what is inside or outside.
  assert ((mask > 0) != hole).sum() <= 6
  assert set(np.unique(mask)) == {0, 255}
  assert (indices != want).sum() <= 6
  assert editor.maps[0] is None
  np.testing.assert_array_equal(editor.maps[1], indices)
  known = scene()
  np.testing.assert_array_equal(result[mask == 0], known[mask == 0])
  np.testing.assert_array_equal(result, fake.fill(known, mask > 0, indices))


def test_rectangle_eraser_undo_and_reset(tmp_path):
  editor = fake.FakeEditor()

  async def run():
    async with visitor(editor, tmp_path) as page:
      await page.click("[name=hole-tool][value=rectangle] + span")
      await stroke(page, "hole", (10.5, 8.5), (50.5, 50.5), (30.5, 25.5))
      await stroke(page, "hole", (60.5, 40.5), (70.5, 50.5))
      await page.click("[data-for=hole] [data-do=undo]")
      mask = await downloaded(page, tmp_path, "mask")
      await press(page, "#fill", words="Filled")
      await page.click("#classes label:nth-of-type(3)")
      await stroke(page, "map", (15, 15), (25, 20))
      edited = await downloaded(page, tmp_path, "map")
      (tmp_path / "scene_map.png").unlink()
      await page.click("[data-for=map] [data-do=reset]")
      reset = await downloaded(page, tmp_path, "map")
      return mask, edited, reset

  mask, edited, reset = asyncio.run(run())
  want = np.zeros(SIZE, np.uint8)
  want[8:26, 10:31] = 255
  np.testing.assert_array_equal(mask, want)
  seen = np.indices(SIZE)[1] // 20
  assert (edited != seen).any()
  np.testing.assert_array_equal(reset, seen)


def test_a_map_with_every_number_survives_both_ways(tmp_path):
  editor = fake.FakeEditor()
  editor.classes = [
    {"name": str(i), "colour": (i, 255 - i, 7)} for i in range(200)
  ]
  seen = np.random.default_rng(0).integers(0, 200, SIZE).astype(np.uint8)
  seen[:20] = np.arange(80) * 2  # the encoder filters smooth rows otherwise
  seen[20:30] = 255
  begin = editor.begin

  def begin_with_noise(image, mask, **options):
    session = begin(image, mask, **options)
    session.segmentation = seen
    return session

  editor.begin = begin_with_noise

  async def run():
    async with visitor(editor, tmp_path) as page:
      await stroke(page, "hole", (20, 20), (60, 40))
      await press(page, "#fill", words="Filled")
      await press(page, "#render", words="Rendered")

  asyncio.run(run())
  np.testing.assert_array_equal(editor.maps[1], seen)


def test_a_system_that_follows_no_map(tmp_path):
  editor = fake.FakeEditor(editable=False, segments=False)

  async def run():
    async with visitor(editor, tmp_path) as page:
      assert await page.value("document.querySelector('#map-panel').hidden")
      await stroke(page, "hole", (20, 20), (60, 40))
      await press(page, "#fill", words="Filled")
      await photograph(page, "6_plain")
      return await downloaded(page, tmp_path, "result")

  result = asyncio.run(run())
  grey = (result == 128).all(-1)
  assert grey.sum() > 100
  np.testing.assert_array_equal(result[~grey], scene()[~grey])


def test_a_real_network(tmp_path):
  """SGE-Net, narrow and never trained, on a picture of another size."""
  workdir = saved("sge_net", tmp_path / "run")

  async def run():
    editor = Editor(sginpaint.load(workdir))
    async with visitor(editor, tmp_path) as page:
      await stroke(page, "hole", (20, 20), (60, 40))
      await press(page, "#fill", words="Filled")
      first = await downloaded(page, tmp_path, "result")
      (tmp_path / "scene_result.png").unlink()
      await page.click("#classes label:nth-of-type(3)")
      await stroke(page, "map", (20, 20), (50, 35))
      await press(page, "#render", words="Rendered")
      await photograph(page, "9_sge_net")
      saves = ("result", "mask", "map")
      return first, *[await downloaded(page, tmp_path, what) for what in saves]

  first, result, mask, indices = asyncio.run(run())
  session = Editor(sginpaint.load(workdir)).begin(scene(), mask)
  np.testing.assert_array_equal(first, session.render())
  np.testing.assert_array_equal(result, session.render(indices))
  known = mask == 0
  np.testing.assert_array_equal(result[known], scene()[known])
  edited = indices != session.segmentation
  assert set(np.unique(indices[edited])) == {2}
  assert (result != first)[edited & ~known].any()


def test_errors_are_shown_and_a_tablet_will_do(tmp_path):
  wrong = tmp_path / "wrong.png"
  wrong.write_bytes(b"GIF89a nothing")

  async def run():
    async with visitor(fake.FakeEditor(), tmp_path) as page:
      await page.resize(768, 1024)
      await stroke(page, "hole", (20, 20), (60, 40))
      await press(page, "#fill", words="Filled")
      await photograph(page, "7_tablet")
      wide = "document.documentElement.scrollWidth <= innerWidth"
      assert await page.value(wide)
      await page.click("#over")
      await page.until("document.querySelector('#hole').hidden && " + IDLE)
      await page.choose("#file", wrong)
      await page.until("document.querySelector('#status').matches('.error')")
      text = await page.value("document.querySelector('#status').textContent")
      assert text == "The picture is no PNG, JPEG or WebP; save it as PNG"
      await photograph(page, "8_error")
      # The browser's own line about the status is no problem of the page.
      assert "400 (Bad Request)" in page.problems.pop()

  asyncio.run(run())
