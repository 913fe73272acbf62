"""The page when things change: holes, maps, fingers, files, and the server."""

import asyncio
import threading

import numpy as np
import pytest
from PIL import Image

from sginpaint import images
from sginpaint.cli.demo.sessions import Sessions
from sginpaint.cli.label_values import read_code
from tests.cli.demo import browser, fake
from tests.cli.demo.visitor import (
  IDLE,
  SIZE,
  downloaded,
  photograph,
  press,
  scene,
  stroke,
  visitor,
)

pytestmark = pytest.mark.skipif(
  browser.find() is None, reason="no Chromium here (apt install chromium)"
)


def _query(selector, what):
  return f"document.querySelector({selector!r}).{what}"


def test_a_hole_that_changes_wants_a_new_fill_and_edits_stay(tmp_path):
  editor = fake.FakeEditor()

  async def run():
    async with visitor(editor, tmp_path) as page:
      await stroke(page, "hole", (20, 20), (40, 20))
      await press(page, "#fill", words="Filled")
      await page.click("#classes label:nth-of-type(4)")
      await stroke(page, "map", (24, 20), (30, 20))
      await stroke(page, "hole", (20, 50), (40, 50))
      told = await page.value(_query("#status", "textContent"))
      assert told == "The hole has changed: press Fill."
      assert await page.value(_query("#render", "disabled"))
      first = await downloaded(page, tmp_path, "mask")
      (tmp_path / "scene_mask.png").unlink()
      await photograph(page, "10_stale")
      await press(page, "#fill", words="Filled")
      assert not await page.value(_query("#render", "disabled"))
      saves = ("mask", "map", "result")
      return first, *[await downloaded(page, tmp_path, x) for x in saves]

  first, second, indices, result = asyncio.run(run())
  assert not first[45:].any()  # that of the result which was shown
  assert second[48:52].any()
  assert (indices[20, 24:30] == 3).all()
  np.testing.assert_array_equal(result, fake.fill(scene(), second > 0, indices))


def test_outside_the_map_nothing_is_painted(tmp_path):
  editor = fake.FakeEditor()
  begin = editor.begin

  def begin_near(image, mask, **options):
    session = begin(image, mask, **options)
    session.segmentation[:, 50:] = 255
    return session

  editor.begin = begin_near

  async def run():
    async with visitor(editor, tmp_path) as page:
      assert await page.value(_query("#unseen", "hidden"))
      await stroke(page, "hole", (20, 20), (40, 40))
      await press(page, "#fill", words="Filled")
      assert not await page.value(_query("#unseen", "hidden"))
      await page.click("#classes label:nth-of-type(4)")
      await stroke(page, "map", (30, 30), (70, 30))
      await photograph(page, "11_windows")
      return await downloaded(page, tmp_path, "map")

  indices = asyncio.run(run())
  code = read_code(tmp_path, fake.CLASSES)
  back = images.read_label_map(tmp_path / "scene_map.png", SIZE, code)
  np.testing.assert_array_equal(back, indices)
  assert (indices[:, 50:] == 255).all()
  assert (indices[30, 30:50] == 3).all()


def test_a_picture_that_the_server_forgot_is_sent_again(tmp_path):
  editor, sessions = fake.FakeEditor(), Sessions()

  async def run():
    async with visitor(editor, tmp_path, sessions=sessions) as page:
      await stroke(page, "hole", (20, 20), (40, 40))
      for button, words in (("fill", "Filled"), ("render", "Rendered")):
        for key in list(sessions._kept):
          sessions.drop(key)
        await press(page, f"#{button}", words=words)
        assert "404" in page.problems.pop()  # the browser's own line
      return [
        await downloaded(page, tmp_path, what) for what in ("mask", "result")
      ]

  mask, result = asyncio.run(run())
  assert len(sessions) == 1
  seen = np.indices(SIZE)[1] // 20
  np.testing.assert_array_equal(result, fake.fill(scene(), mask > 0, seen))


def test_many_classes_scroll_in_their_box_and_the_status_stays(tmp_path):
  editor = fake.FakeEditor()
  editor.classes = [
    {"name": f"class {i}", "colour": (i, i, i)} for i in range(33)
  ]

  async def run():
    async with visitor(editor, tmp_path) as page:
      height = "document.documentElement.scrollHeight"
      await stroke(page, "hole", (20, 20), (40, 40))
      await press(page, "#fill", words="Filled")
      below = "document.querySelector('main').getBoundingClientRect().bottom"
      lowest = f"Math.max(innerHeight, scrollY + {below})"
      assert await page.value(f"{height} <= {lowest} + 1")
      await page.resize(390, 780)
      await page.click("#classes label:last-of-type span")
      await page.click("#render")
      await page.until(IDLE)
      await photograph(page, "12_phone")
      assert await page.value("scrollY > 100")
      box = "document.querySelector('#result').getBoundingClientRect()"
      assert await page.value(f"{box}.top >= 90 && {box}.bottom <= innerHeight")
      top = "document.querySelector('#status').getBoundingClientRect().top"
      assert await page.value(f"{top} >= 0")

  asyncio.run(run())


def test_while_it_computes_nothing_else_can_be_pressed(tmp_path):
  editor, hold = fake.FakeEditor(), threading.Event()
  begin = editor.begin

  def begin_later(image, mask, **options):
    hold.wait(30)
    return begin(image, mask, **options)

  editor.begin = begin_later

  async def run():
    async with visitor(editor, tmp_path) as page:
      await stroke(page, "hole", (20, 20), (40, 40))
      await page.value("document.querySelector('#fill').focus()")
      await page.click("#fill")
      await page.until(_query("#clock", "textContent") + ".endsWith(' s')")
      # What screen readers read out does not change all the time.
      assert await page.value(_query("#told", "textContent")) == "Filling …"
      for button in ("#fill", "#over", "[data-for=hole] [data-do=undo]"):
        assert await page.value(_query(button, "disabled")), button
      hold.set()
      await page.until(IDLE)
      assert await page.value("document.activeElement.id") == "fill"
      await page.click("[data-for=hole] [data-do=undo]")
      told = await page.value(_query("#status", "textContent"))
      assert told == "Paint what is to be filled, then press Fill."

  asyncio.run(run())


def test_undo_in_a_stroke_and_a_second_finger_do_no_harm(tmp_path):
  async def run():
    async with visitor(fake.FakeEditor(), tmp_path) as page:
      drawn = await page.value("""import("/painting.js").then(({Painting}) => {
        const p = new Painting(9, 1), told = () => p.data.join("");
        p.begin(); p.rectangle([0, 0], [3, .5], 1); p.end();
        p.begin(); p.rectangle([1, 0], [2, .5], 1); p.end();  // no change
        p.begin(); p.rectangle([4, 0], [8, .5], 3); p.cancel();
        p.begin(); p.rectangle([2, 0], [6, .5], 2); p.undo(); p.end();
        const both = told(); p.undo(); const one = told(); p.undo();
        return [both, one, told()]; })""")
      await page.value("""(() => {
        const s = document.querySelector("#hole");
        const b = s.getBoundingClientRect();
        s.setPointerCapture = () => {};
        const send = (kind, pointerId, x, y) => s["onpointer" + kind]({
          pointerId, button: 0, clientX: b.x + x * b.width / 80,
          clientY: b.y + y * b.height / 60 });
        send("down", 1, 10, 10); send("move", 2, 70, 50); send("up", 2, 70, 50);
        send("move", 1, 20, 10); send("up", 1, 20, 10);
        send("down", 1, 10, 40); send("cancel", 1, 10, 40); })()""")
      return drawn, await downloaded(page, tmp_path, "mask")

  drawn, mask = asyncio.run(run())
  assert drawn == ["112222200", "111100000", "000000000"]
  assert mask[10, 10:20].all()
  assert not mask[30:].any()


def test_turned_files_lie_under_their_hole_and_may_be_chosen_again(tmp_path):
  exif = Image.Exif()
  exif[274] = 6
  turned = tmp_path / "turned.webp"
  Image.fromarray(scene()).save(turned, exif=exif)

  async def run():
    async with visitor(fake.FakeEditor(), tmp_path) as page:
      for _ in range(2):
        await page.choose("#file", turned)
        await page.until("document.querySelector('#hole canvas')?.width == 60")
        await page.until(IDLE)
        sizes = "[...document.querySelectorAll('#hole canvas')].map((c) => c."
        assert await page.value(sizes + "width)") == [60, 60]
        assert await page.value(sizes + "height)") == [80, 80]
        assert await page.value(_query("#file", "value")) == ""

  asyncio.run(run())
