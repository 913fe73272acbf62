"""Many people and hostile uploads at once, against a demo that runs.

python -m tests.cli.demo.load [--checkpoint=DIR] [--clients=20] [--rounds=3] \\
  [--side=40]

Starts `python -m sginpaint demo`, lets every client fill pictures of its own
while every attack of `hostile` comes in, several times over, and prints one
JSON object: what came back, and the memory of the server before and after. It
fails where the picture of one client shows up at another, an attack is not
answered as it should be, or the server ends.
"""

import argparse
import asyncio
import collections
import json
import re
import socket
import subprocess
import sys
import time
import urllib.parse

import aiohttp
import numpy as np

from sginpaint.cli.demo import server
from tests.cli.demo import fake, hostile


async def visit(client: aiohttp.ClientSession, seed: int, size=(30, 40)):
  """One person who fills and edits; known pixels and sizes are checked."""
  size = (size[0] + seed % 7, size[1] + seed % 5)
  image = fake.picture(seed, size)
  mask = np.zeros(size, np.uint8)
  mask[3 + seed % 9 : size[0] // 2, 4 : size[1] // 4 + seed % 11] = 1
  address = await fake.begin(client, image, mask)
  first = await fake.body(client.get(f"{address}/coarse"))
  second = await fake.body(client.post(f"{address}/render"))
  async with client.get("/api/system") as response:
    system = await response.json()
  data = None
  if system["editable"]:
    indices = np.full(size, seed % len(system["classes"]), np.uint8)
    data = fake.png(indices)
  third = await fake.body(client.post(f"{address}/render", data=data))
  for data in (first, second, third):
    result = fake.pixels(data)
    np.testing.assert_array_equal(result[mask == 0], image[mask == 0])
  async with client.delete(address) as response:
    assert response.status == 204


async def send(url: str, wire: bytes, *, patience: float = 20):
  """(status, answer) of raw bytes; (0, b"") if nothing comes."""
  address = urllib.parse.urlsplit(url)
  reader, writer = await asyncio.open_connection(address.hostname, address.port)
  answer = b""
  try:
    writer.write(wire)
    await writer.drain()
    if wire.count(b"\r\n\r\n") == 0:
      writer.write_eof()
    async with asyncio.timeout(patience):
      answer = await reader.readuntil(b"\r\n\r\n")
      length = re.search(rb"(?i)content-length: (\d+)", answer)
      if length:
        answer += await reader.readexactly(int(length[1]))
  except (ConnectionError, asyncio.IncompleteReadError):
    pass
  finally:
    writer.close()
  status = re.match(rb"HTTP/1\.\d (\d+)", answer)
  return (int(status[1]) if status else 0), answer


def deaf(url: str, path: str) -> socket.socket:
  """Asks for something and never reads the answer."""
  address = urllib.parse.urlsplit(url)
  line = socket.create_connection((address.hostname, address.port))
  line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
  line.sendall(hostile.request("GET", path))
  return line


async def sprinkle(client: aiohttp.ClientSession) -> None:
  """A hole in thousands of pieces, on a picture of megapixels."""
  address = await fake.load(client, np.zeros((3000, 3000, 3), np.uint8))
  mask = hostile.dust(3000)
  async with client.put(f"{address}/mask", data=mask) as response:
    assert response.status == 400, await response.text()
  async with client.delete(address) as response:
    assert response.status == 204


def _resident(pid: int) -> float:
  """Megabytes of a process."""
  with open(f"/proc/{pid}/status") as file:
    return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


async def _round(url: str, clients: int, side: int, seed: int):
  """Everything at once; counts of how attacks were answered."""
  attacks = hostile.attacks(seed)
  async with aiohttp.ClientSession(url) as client:
    size = (side * 3 // 4, side)
    people = [visit(client, seed * clients + i, size) for i in range(clients)]
    people.append(sprinkle(client))
    sent = [send(url, wire) for _, _, wire in attacks]
    answers = (await asyncio.gather(*people, *sent))[len(people) :]
  for (name, status, _), (got, answer) in zip(attacks, answers, strict=True):
    if got != status:
      raise AssertionError(f"{name}: {got}, not {status}: {answer!r}")
  return collections.Counter(str(status) for status, _ in answers)


async def measure(
  url: str, pid: int, *, clients: int, rounds: int, side: int
) -> dict:
  """Runs all rounds; the JSON object."""
  idle = _resident(pid)
  # The first two let caches and thread stacks grow to where they stay.
  for seed in range(2):
    await _round(url, clients, side, seed)
  start, memory = time.monotonic(), [_resident(pid)]
  answers: collections.Counter = collections.Counter()
  for seed in range(2, rounds + 2):
    answers.update(await _round(url, clients, side, seed))
    memory.append(_resident(pid))
  seconds = time.monotonic() - start
  await asyncio.sleep(2 * server.SWEEP_SECONDS)
  return {
    "clients": clients,
    "side": side,
    "rounds": rounds,
    "visits": clients * rounds,
    "attacks": answers.total(),
    "answers": dict(answers),
    "seconds": round(seconds, 1),
    "resident_mb": [round(m) for m in memory],
    "resident_mb_idle": [round(idle), round(_resident(pid))],
  }


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--checkpoint", required=True)
  parser.add_argument("--clients", type=int, default=20)
  parser.add_argument("--rounds", type=int, default=3)
  parser.add_argument("--side", type=int, default=40, help="of the pictures")
  args = parser.parse_args()
  command = [sys.executable, "-m", "sginpaint", "demo", "--port=0"]
  process = subprocess.Popen(
    [*command, f"--checkpoint={args.checkpoint}"],
    stdout=subprocess.PIPE,
    text=True,
  )
  with process:
    try:
      url = process.stdout.readline().split()[0]
      result = asyncio.run(
        measure(
          *(url, process.pid),
          clients=args.clients,
          rounds=args.rounds,
          side=args.side,
        )
      )
      assert process.poll() is None, "the server has ended"
    finally:
      process.terminate()
  print(json.dumps({**result, "exit": process.returncode}))


if __name__ == "__main__":
  main()
