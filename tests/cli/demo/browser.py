"""A headless Chromium, led by its DevTools protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE = 60  # seconds


def find() -> str | None:
  """The program, or None."""
  return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
  """A page of the browser.

  Attributes:
    problems: what its console told, and scripts that failed.
  """

  def __init__(self, socket: aiohttp.ClientWebSocketResponse):
    self._socket = socket
    self._numbers = itertools.count()
    self._waiting: dict[int, asyncio.Future] = {}
    self.problems: list[str] = []

  async def listen(self) -> None:
    """Takes in what the browser says until it ends."""
    async for message in self._socket:
      told = json.loads(message.data)
      if "id" in told:
        self._waiting.pop(told["id"]).set_result(told)
      elif told["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
        self.problems.append(json.dumps(told["params"]))

  async def call(self, method: str, **params):
    """Runs a command of the protocol."""
    number = next(self._numbers)
    self._waiting[number] = asyncio.get_running_loop().create_future()
    command = {"id": number, "method": method, "params": params}
    await self._socket.send_json(command)
    answer = await asyncio.wait_for(self._waiting[number], _PATIENCE)
    if "error" in answer:
      raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]

  async def value(self, expression: str):
    """The JSON value of a JavaScript expression."""
    answer = await self.call(
      "Runtime.evaluate",
      expression=expression,
      returnByValue=True,
      awaitPromise=True,
    )
    if "exceptionDetails" in answer:
      raise RuntimeError(str(answer["exceptionDetails"]))
    return answer["result"].get("value")

  async def until(self, expression: str) -> None:
    """Waits until an expression is true."""
    async with asyncio.timeout(_PATIENCE):
      while not await self.value(expression):
        await asyncio.sleep(0.05)

  async def centre(self, selector: str) -> tuple[float, float]:
    """Where an element lies on the screen, scrolled to."""
    x, y, width, height = await self.box(selector)
    return x + width / 2, y + height / 2

  async def box(self, selector: str) -> list[float]:
    """x, y, width and height of an element on the screen, scrolled to."""
    return await self.value(
      f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
      "e.scrollIntoView({block: 'nearest'});"
      "const b = e.getBoundingClientRect();"
      "return [b.x, b.y, b.width, b.height]; })()"
    )

  async def drag(self, *places: tuple[float, float]) -> None:
    """Presses the mouse at the first place and lets go at the last."""
    steps = [("mouseMoved", places[0]), ("mousePressed", places[0])]
    steps += [("mouseMoved", place) for place in places[1:]]
    steps.append(("mouseReleased", places[-1]))
    for kind, (x, y) in steps:
      await self.call(
        "Input.dispatchMouseEvent",
        type=kind,
        x=x,
        y=y,
        button="left",
        clickCount=1,
      )

  async def click(self, selector: str) -> None:
    """Clicks the middle of an element."""
    await self.drag(await self.centre(selector))

  async def choose(self, selector: str, file: pathlib.Path) -> None:
    """Gives a file to a file input."""
    document = await self.call("DOM.getDocument")
    node = await self.call(
      "DOM.querySelector",
      nodeId=document["root"]["nodeId"],
      selector=selector,
    )
    await self.call(
      "DOM.setFileInputFiles", nodeId=node["nodeId"], files=[str(file)]
    )

  async def resize(self, width: int, height: int) -> None:
    """Sets the size of the window."""
    await self.call(
      "Emulation.setDeviceMetricsOverride",
      width=width,
      height=height,
      deviceScaleFactor=1,
      mobile=False,
    )

  async def photograph(self, file: pathlib.Path) -> None:
    """Writes what the window shows."""
    answer = await self.call("Page.captureScreenshot", format="png")
    file.write_bytes(base64.b64decode(answer["data"]))


@contextlib.asynccontextmanager
async def opened(url: str, downloads: pathlib.Path):
  """A `Page` at an address; files that it saves go to `downloads`."""
  with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    process = subprocess.Popen(
      [
        *(find(), "--headless=new", "--disable-gpu", "--no-first-run"),
        *("--remote-debugging-port=0", f"--user-data-dir={profile}"),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        *("--disable-dev-shm-usage", "about:blank"),
      ],
      stdout=subprocess.DEVNULL,
      stderr=subprocess.DEVNULL,
    )
    try:
      port = await _port(pathlib.Path(profile, "DevToolsActivePort"))
      async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        client.ws_connect(await _page(client), max_msg_size=0) as socket,
      ):
        page = Page(socket)
        listening = asyncio.create_task(page.listen())
        await _prepare(page, downloads)
        await page.call("Page.navigate", url=url)
        yield page
        listening.cancel()
    finally:
      process.terminate()
      process.wait()


async def _port(file: pathlib.Path) -> int:
  async with asyncio.timeout(_PATIENCE):
    while not (file.is_file() and file.read_text().count("\n")):
      await asyncio.sleep(0.05)
  return int(file.read_text().split()[0])


async def _page(client: aiohttp.ClientSession) -> str:
  async with client.get("/json/list") as response:
    pages = [x for x in await response.json() if x["type"] == "page"]
  return pages[0]["webSocketDebuggerUrl"]


async def _prepare(page: Page, downloads: pathlib.Path) -> None:
  for domain in ("Page", "Runtime", "Log", "DOM"):
    await page.call(f"{domain}.enable")
  await page.call(
    "Browser.setDownloadBehavior",
    behavior="allow",
    downloadPath=str(downloads),
  )
  await page.resize(1280, 800)
