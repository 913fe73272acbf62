"""Shows what there is to train, and on what."""

import ast
import importlib
import pathlib
from collections.abc import Iterator

from sginpaint.cli.parser import Parser


def main(argv: list[str]) -> int:
  """Prints systems, configs and dataset recipes, a line each."""
  Parser("list", __doc__).parse_args(argv)
  from sginpaint.systems import SYSTEMS  # imports JAX

  _print(
    "systems", ((name, _first_line(s.__doc__)) for name, s in SYSTEMS.items())
  )
  folder = pathlib.Path(importlib.import_module("configs").__path__[0])
  _print("configs (--config=configs/<name>.py[:quick,...])", _files(folder))
  _print("datasets (--config=...:data=<name>)", _files(folder / "data"))
  return 0


def _files(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
  for path in sorted(folder.glob("*.py")):
    if path.stem not in ("__init__", "common"):
      yield path.stem, _first_line(_docstring(path))


def _docstring(path: pathlib.Path) -> str | None:
  return ast.get_docstring(ast.parse(path.read_text("utf-8")))


def _first_line(text: str | None) -> str:
  return (text or "").partition("\n")[0]


def _print(title: str, lines: Iterator[tuple[str, str]]) -> None:
  rows = list(lines)
  width = max(len(name) for name, _ in rows)
  print(title)
  for name, text in rows:
    print(f"  {name:{width}}  {text}")
