"""Hostile requests, and what is held for those who take or send slowly."""

import asyncio
import threading

import pytest

from sginpaint.cli.demo import answers, bodies, server
from sginpaint.cli.demo.sessions import Sessions
from sginpaint.cli.demo.worker import Worker
from tests.cli.demo import fake, hostile, load


@pytest.mark.parametrize(
  ("name", "status", "wire"), hostile.attacks(), ids=lambda x: str(x)[:30]
)
def test_attack(name, status, wire):
  async def run():
    async with fake.running(fake.FakeEditor()) as demo:
      got, answer = await load.send(demo.url, wire)
      assert got == status, answer
      assert b"Traceback" not in answer
      await load.visit(demo.client, 3)

  asyncio.run(run())


def test_slow_uploads_are_given_up(monkeypatch):
  monkeypatch.setattr(bodies, "SECONDS", 0.2)
  wire = hostile.request("POST", "/api/pictures", b"x", Content_Length="9")

  async def run():
    async with fake.running(fake.FakeEditor()) as demo:
      status, answer = await load.send(demo.url, wire)
      assert status == 408
      assert b"took too long" in answer

  asyncio.run(run())


def test_uploads_that_are_held_are_bounded(monkeypatch):
  monkeypatch.setattr(server, "MAX_UPLOADS", 10)
  status, sentence = fake.told(
    lambda client: client.post("/api/pictures", data=b"x" * 11)
  )
  assert (status, sentence) == (
    *(503, "too many uploads at once; try again soon"),
  )


def test_bytes_that_are_only_announced_are_not_held(monkeypatch):
  monkeypatch.setattr(server, "MAX_UPLOADS", 2**20)
  wire = hostile.request("POST", "/api/pictures", b"x", Content_Length="900000")

  async def run():
    async with fake.running(fake.FakeEditor()) as demo:
      slow = [asyncio.create_task(load.send(demo.url, wire)) for _ in range(5)]
      await asyncio.sleep(0.2)
      await load.visit(demo.client, 1)
      for task in slow:
        task.cancel()

  asyncio.run(run())


@pytest.mark.parametrize("limit", [60.0, 0.3])
def test_readers_that_do_not_read(limit, monkeypatch):
  """Few answers are held for them, others are served, and they are cut off."""
  monkeypatch.setattr(server, "MAX_ANSWERS", 20 * 2**20)
  monkeypatch.setattr(answers, "SECONDS", limit)
  editor, image = fake.FakeEditor(), fake.picture(0, (1500, 2000))

  async def run():
    async with fake.running(editor) as demo:
      address = await fake.begin(demo.client, image, fake.hole(image.shape[:2]))
      deaf = [load.deaf(demo.url, f"{address}/coarse") for _ in range(3)]
      try:
        await asyncio.sleep(2)
        async with demo.client.get(f"{address}/coarse") as response:
          assert response.status == (503 if limit > 1 else 200)
          if limit > 1:
            assert "being sent at once" in (await response.json())["error"]
          else:
            await response.read()
        await load.visit(demo.client, 1)
      finally:
        for one in deaf:
          one.close()

  asyncio.run(run())


def test_a_hole_of_dust_is_refused_at_once():
  image = fake.picture(0, (600, 600))
  editor = fake.FakeEditor()

  async def test(client):
    address = await fake.load(client, image)
    return client.put(f"{address}/mask", data=hostile.dust(600))

  status, sentence = fake.told(test, editor=editor)
  assert status == 400
  assert "the hole is in 2500 pieces" in sentence


def test_a_hole_that_takes_too_much_memory_is_refused():
  sessions = Sessions(max_bytes=5000)

  async def test(client):
    address = await fake.load(client, fake.picture())
    return client.put(f"{address}/mask", data=fake.png(fake.hole()))

  status, sentence = fake.told(test, sessions=sessions)
  assert (status, sentence[:31]) == (413, "this hole takes too much memory")


def test_the_queue_ends_somewhere():
  hold, worker = threading.Event(), Worker(max_jobs=1)

  async def test(client):
    waiting = asyncio.create_task(worker.run(hold.wait, 30))
    await asyncio.sleep(0)
    async with client.post("/api/pictures", data=b"x") as response:
      assert response.status == 503
      assert "try again" in (await response.json())["error"]
    async with client.get("/api/system") as response:  # not blocked
      assert response.status == 200
    hold.set()
    await waiting
    await fake.load(client, fake.picture())

  fake.serve(test, worker=worker)
