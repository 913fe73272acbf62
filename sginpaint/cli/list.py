"""`list`: what there is to train, and on what."""

import ast
import importlib
import pathlib
from collections.abc import Iterator, Sequence

from sginpaint.cli.parser import Parser


def main(argv: Sequence[str]) -> int:
  """Prints systems, configs and dataset recipes, a line each."""
  Parser("list", __doc__).parse_args(argv)
  from sginpaint.systems import SYSTEMS  # imports JAX

  _print("systems", ((name, _first_line(s)) for name, s in SYSTEMS.items()))
  folder = pathlib.Path(importlib.import_module("configs").__file__).parent
  _print("configs (--config=configs/<name>.py[:quick,...])", _files(folder))
  _print("datasets (--config=...:data=<name>)", _files(folder / "data"))
  return 0


def _files(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
  for path in sorted(folder.glob("*.py")):
    if path.stem not in ("__init__", "common"):
      yield path.stem, _first_line(ast.parse(path.read_text("utf-8")))


def _first_line(item: type | ast.Module) -> str:
  is_module = isinstance(item, ast.Module)
  text = ast.get_docstring(item) if is_module else item.__doc__
  return (text or "").partition("\n")[0]


def _print(title: str, rows: Iterator[tuple[str, str]]) -> None:
  rows = list(rows)
  width = max(len(name) for name, _ in rows)
  print(title)
  for name, text in rows:
    print(f"  {name:{width}}  {text}")
