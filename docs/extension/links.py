"""Checks a built site: every link ends somewhere, and nothing comes from afar.

  python -m docs.extension.links docs/_build/html

Sphinx checks what it resolves itself; this reads what came out, anchors of
files and figures included. Links that a reader follows elsewhere are not tried.
"""

import pathlib
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

# Attributes by which a browser fetches something without being asked.
_LOADED = {
  "script": "src",
  "img": "src",
  "link": "href",
  "iframe": "src",
  "source": "src",
}
_NOT_LOADED = ("canonical", "index", "search", "next", "prev")  # kinds of links
_REMOTE = re.compile(r"""(?:@import\s*|url\(\s*)["']?(?:https?:)?//""")


class Page(HTMLParser):
  """What one page names and what it points to.

  Attributes:
    anchors: its ids.
    links: where it points, itself or by what it loads.
    remote: what a browser would fetch from other servers.
  """

  def __init__(self, text: str):
    super().__init__()
    self.anchors: set[str] = set()
    self.links: list[str] = []
    self.remote: list[str] = []
    self.feed(text)

  def handle_starttag(
    self, tag: str, attrs: list[tuple[str, str | None]]
  ) -> None:
    """Notes ids and links."""
    found = {name: value or "" for name, value in attrs}
    self.anchors |= {found[n] for n in ("id", "name") if n in found}
    loaded = found.get(_LOADED.get(tag, ""), "")
    if loaded and urlsplit(loaded).netloc:
      if found.get("rel") not in _NOT_LOADED:
        self.remote.append(loaded)
    elif loaded:
      self.links.append(loaded)
    if tag == "a" and "href" in found:
      self.links.append(found["href"])


def broken(folder: pathlib.Path) -> Iterator[str]:
  """A line for everything that is wrong with a site."""
  pages = {
    path: Page(path.read_text("utf-8"))
    for path in sorted(folder.rglob("*.html"))
  }
  for path, page in pages.items():
    name = path.relative_to(folder)
    yield from (f"{name}: loads {url}" for url in page.remote)
    for link in page.links:
      parts = urlsplit(link)
      if parts.scheme or parts.netloc:
        continue
      target = path
      if parts.path:
        target = (path.parent / unquote(parts.path)).resolve()
      anchor = unquote(parts.fragment)
      if not target.exists():
        yield f"{name}: {link} does not exist"
      elif anchor and target in pages and anchor not in pages[target].anchors:
        yield f"{name}: {link} has no such anchor"
  for path in sorted(folder.rglob("*.css")):
    if _REMOTE.search(path.read_text("utf-8")):
      yield f"{path.relative_to(folder)}: loads from another server"


def main(argv: list[str]) -> int:
  """Prints what is wrong; 1 if anything is."""
  folder = pathlib.Path(argv[0]).resolve()
  lines = list(broken(folder))
  print("\n".join(lines) or f"{folder}: all links and anchors are there")
  return int(bool(lines))


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
