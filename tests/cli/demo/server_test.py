"""The demo over HTTP, with an editor whose answers are known."""

import asyncio
import concurrent.futures
import importlib.resources

import numpy as np
import pytest
from PIL import Image

from sginpaint.cli.demo import uploads
from sginpaint.cli.demo.sessions import Sessions
from tests.cli.demo import fake, hostile, load
from tests.images.files import icc_profile, noise


def test_page_and_what_it_loads():
  async def test(client):
    page = importlib.resources.files("sginpaint.cli.demo") / "page"
    names = {file.name for file in page.iterdir()} - {"index.html"}
    for name in ["", *names]:
      async with client.get(f"/{name}") as response:
        assert response.status == 200
        assert "'unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        text = await response.text()
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")

  fake.serve(test)


def test_system():
  async def test(client):
    async with client.get("/api/system") as response:
      found = await response.json()
    assert found["name"] == "fake"
    assert found["editable"] is True
    names = [info["name"] for info in found["classes"]]
    assert names == [info["name"] for info in fake.CLASSES]
    assert found["max_pixels"] == uploads.MAX_PIXELS

  fake.serve(test)


@pytest.mark.parametrize("seed", [0, 1])
def test_fill_and_render(seed):
  editor, image, mask = fake.FakeEditor(), fake.picture(seed), fake.hole()
  indices = noise((30, 40), seed=seed) % 4

  async def test(client):
    address = await fake.begin(client, image, mask)
    files = [
      await fake.body(client.get(f"{address}/coarse")),
      await fake.body(client.get(f"{address}/map")),
      await fake.body(client.post(f"{address}/render")),
      await fake.body(client.post(f"{address}/render", data=fake.png(indices))),
    ]
    return [fake.pixels(data) for data in files]

  coarse, seen, first, edited = fake.serve(test, editor)
  inside = mask > 0
  np.testing.assert_array_equal(coarse[~inside], image[~inside])
  assert (coarse[inside] == 128).all()
  np.testing.assert_array_equal(seen[0], np.arange(40) // 10)
  np.testing.assert_array_equal(first, fake.fill(image, inside, seen))
  np.testing.assert_array_equal(edited, fake.fill(image, inside, indices))
  assert editor.maps[0] is None
  np.testing.assert_array_equal(editor.maps[1], indices)


def test_depth_alpha_and_profile_are_kept():
  samples = noise((30, 40, 4))
  data = hostile.saved(samples, "PNG", icc_profile=icc_profile())

  async def test(client):
    async with client.post("/api/pictures", data=data) as response:
      address = f"/api/pictures/{(await response.json())['id']}"
    mask = fake.png(fake.hole())
    async with client.put(f"{address}/mask", data=mask) as response:
      assert response.status == 200
    return await fake.body(client.post(f"{address}/render"))

  result = fake.serve(test)
  known = fake.hole() == 0
  np.testing.assert_array_equal(fake.pixels(result)[known], samples[known])
  assert b"iCCP" in result


def test_a_system_that_follows_and_makes_no_map():
  editor = fake.FakeEditor(editable=False, segments=False)

  async def test(client):
    address = await fake.begin(client, fake.picture(), fake.hole())
    assert await fake.body(client.post(f"{address}/render"))
    async with client.get(f"{address}/map") as response:
      assert response.status == 404
      assert (await response.json())["error"] == "fake makes no map"
    indices = fake.png(fake.hole())
    async with client.post(f"{address}/render", data=indices) as response:
      assert response.status == 409
      assert "follows no map" in (await response.json())["error"]

  fake.serve(test, editor)


def _mistakes():
  """{name: (method, part, body, status, words)}, after a first fill."""
  small, wild = np.ones((3, 4), np.uint8), np.full((30, 40), 4, np.uint8)
  return {
    "mask size": ("PUT", "mask", fake.png(small), 400, "the mask is 4x3"),
    "no hole": ("PUT", "mask", fake.png(0 * fake.hole()), 400, "no hole"),
    "no mask": ("PUT", "mask", b"", 400, "the mask is no PNG"),
    "map size": ("POST", "render", fake.png(small), 400, "the map is 4x3"),
    "class": ("POST", "render", fake.png(wild), 400, "class 4 at x=0, y=0"),
    "colours": ("POST", "render", fake.png(fake.picture()), 400, "mode RGB"),
  }


@pytest.mark.parametrize("name", _mistakes())
def test_mistakes_are_one_sentence_and_change_nothing(name):
  method, part, data, status, words = _mistakes()[name]

  async def test(client):
    address = await fake.begin(client, fake.picture(), fake.hole())
    before = await fake.body(client.post(f"{address}/render"))
    async with client.request(method, f"{address}/{part}", data=data) as got:
      assert got.status == status
      error = (await got.json())["error"]
    assert words in error
    assert "\n" not in error
    assert await fake.body(client.post(f"{address}/render")) == before

  fake.serve(test)


def test_no_hole_yet_and_ids_that_are_gone():
  async def test(client):
    address = await fake.load(client, fake.picture())
    async with client.get(f"{address}/coarse") as response:
      assert response.status == 409
    async with client.delete(address) as response:
      assert response.status == 204
    async with client.get(f"{address}/coarse") as response:
      assert response.status == 404
      assert "load it again" in (await response.json())["error"]

  fake.serve(test)


def test_twenty_at_once_are_not_mixed():
  async def test(client):
    await asyncio.gather(*(load.visit(client, seed) for seed in range(20)))

  fake.serve(test)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_picture_comes_back_upright(kind):
  image = fake.picture()
  exif = Image.Exif()
  exif[274] = 6  # to be turned by a quarter, clockwise
  options = {} if kind == "PNG" else {"quality": 95}
  data = hostile.saved(image, kind, exif=exif, **options)

  async def test(client):
    async with client.post("/api/pictures", data=data) as response:
      found = await response.json()
    return found, await fake.body(client.get(f"/api/pictures/{found['id']}"))

  found, png = fake.serve(test)
  assert (found["width"], found["height"]) == (30, 40)
  assert fake.pixels(png).shape == (40, 30, 3)
  if kind == "PNG":
    np.testing.assert_array_equal(fake.pixels(png), np.rot90(image, -1))


def test_where_none_is_predicted_a_map_can_be_painted():
  async def test(client):
    address = await fake.load(client, fake.picture())
    mask = fake.png(fake.hole())
    async with client.put(f"{address}/mask", data=mask) as response:
      assert (await response.json()) == {"map": True}
    return fake.pixels(await fake.body(client.get(f"{address}/map")))

  assert (fake.serve(test, fake.FakeEditor(segments=False)) == 255).all()


def test_a_bug_is_told_to_the_terminal_only(caplog):
  editor = fake.FakeEditor()

  def broken(*_, **__):
    raise concurrent.futures.InvalidStateError("secret")

  async def test(client):
    address = await fake.load(client, fake.picture())
    editor.begin = broken
    return await client.put(f"{address}/mask", data=fake.png(fake.hole()))

  status, sentence = fake.told(test, editor=editor)
  assert status == 500
  assert "secret" not in sentence
  assert "secret" in caplog.text


@pytest.mark.parametrize(
  ("host", "good"),
  [("localhost:7", True), ("127.0.0.1", True), ("[::1]:7", True)]
  + [("192.168.1.5:80", True), ("example.org", True), ("evil.org", False)]
  + [("127.0.0.1.evil.org", False), ("localhost.evil.org:80", False)],
)
def test_names_of_the_server(host, good):
  async def test(client):
    async with client.get("/", headers={"Host": host}) as response:
      assert response.status == (200 if good else 403)
      if not good:
        assert "start it with --host=NAME" in (await response.json())["error"]

  fake.serve(test, host="example.org")


@pytest.mark.parametrize("scheme", ["http://", "https://", "", "file://"])
def test_own_page_may_ask(scheme):
  async def test(client):
    origin = f"{scheme}me.local:5"
    headers = {"Host": "me.local:5", "Origin": origin}
    data = fake.png(fake.picture())
    request = client.post("/api/pictures", data=data, headers=headers)
    async with request as response:
      assert response.status == (201 if "http" in scheme else 403)

  fake.serve(test, host="me.local")


def test_idle_pictures_expire():
  now = [0.0]
  sessions = Sessions(idle=10, clock=lambda: now[0])

  async def test(client):
    address = await fake.begin(client, fake.picture(), fake.hole())
    now[0] = 11
    return await client.get(f"{address}/coarse")

  assert fake.told(test, sessions=sessions)[0] == 404
