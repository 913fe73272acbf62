"""Shows what there is to train, on what, and what to measure it by.

python -m sginpaint list
python -m sginpaint list configs datasets

systems, configs, datasets (the recipes, and whether their data is there),
networks (whose published weights `convert` reads) and protocols (of
`evaluate`); names narrow it down.
"""

import ast
import importlib
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from sginpaint.cli.config_files import load_config_file
from sginpaint.cli.parser import Parser
from sginpaint.files import cache_directory

Row = tuple[str, str]  # name, and what is said of it
_STATUS = len("on first use")
_OWN = ("folder", "tfds")  # data of one's own: only its owner knows where


def main(argv: list[str]) -> int:
  """Prints the sections asked for, a line each thing."""
  parser = Parser("list", __doc__)
  parser.add_argument(
    "sections",
    nargs="*",
    metavar="SECTION",
    help=f"{', '.join(_SECTIONS)}; default: all",
  )
  wanted = parser.parse_args(argv).sections
  for name in wanted:
    if name not in _SECTIONS:
      parser.error(f"no section {name!r}; there are {', '.join(_SECTIONS)}")
  sections = ("\n".join(_SECTIONS[name]()) for name in wanted or _SECTIONS)
  print("\n\n".join(sections))
  return 0


def _systems() -> Iterator[str]:
  from sginpaint.systems import SYSTEMS  # imports JAX

  yield "systems (config.system)"
  yield _rows((name, _first(s.__doc__)) for name, s in SYSTEMS.items())


def _configs() -> Iterator[str]:
  by_system: dict[str, list[Row]] = {}
  for path in _files(_folder()):
    system = load_config_file(str(path)).system
    by_system.setdefault(system, []).append((path.stem, _summary(path)))
  yield "configs (--config=configs/<name>.py[:quick,data=<recipe>])"
  for system in sorted(by_system):
    yield f"  of {system}"
    yield _rows(by_system[system])


def _datasets() -> Iterator[str]:
  from sginpaint.data.builders.catalogue import SETS

  rows = []
  for path in _files(_folder() / "data"):
    recipe = importlib.import_module(f"configs.data.{path.stem}").get_config()
    status = _status(recipe["name"], recipe.get("path", ""))
    rows.append((path.stem, f"{status:{_STATUS}}  {_summary(path)}"))
  yield "datasets (--config=...:data=<name>)"
  yield _rows(rows)
  names = ", ".join([*SETS, "folder", "irregular_masks"])
  yield f"  built by: python -m sginpaint prepare <name>, one of {names}"


def _status(name: str, path: str) -> str:
  """Whether the data of a recipe is there."""
  if name == "synthetic_scenes":
    made = any((cache_directory() / "tfds").glob(f"{name}/*/*/*.json"))
    return "there" if made else "on first use"
  if name in _OWN:
    return "your own"
  place = pathlib.Path(path or f"data/{name}")
  if (place / "dataset_info.json").is_file():
    return "there"
  return "missing"


def _networks() -> Iterator[str]:
  from sginpaint.upstream import MODELS

  yield "networks (convert --model=<name> --input=FILE)"
  yield _rows(
    (name, ", ".join(f"{f.project}: {f.name}" for f in files))
    for name, files in MODELS.items()
  )


def _protocols() -> Iterator[str]:
  from sginpaint.evaluation.protocols import PROTOCOLS  # imports JAX

  yield "protocols (evaluate --protocol=<name>)"
  yield _rows((p.name, p.summary) for p in PROTOCOLS.values())


_SECTIONS: Mapping[str, Callable[[], Iterator[str]]] = {
  "systems": _systems,
  "configs": _configs,
  "datasets": _datasets,
  "networks": _networks,
  "protocols": _protocols,
}


def _folder() -> pathlib.Path:
  return pathlib.Path(importlib.import_module("configs").__path__[0])


def _files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
  for path in sorted(folder.glob("*.py")):
    if path.stem not in ("__init__", "common"):
      yield path


def _summary(path: pathlib.Path) -> str:
  return _first(ast.get_docstring(ast.parse(path.read_text("utf-8"))))


def _first(text: str | None) -> str:
  return (text or "").partition("\n")[0]


def _rows(rows: Iterable[Row]) -> str:
  rows = list(rows)
  width = max(len(name) for name, _ in rows)
  return "\n".join(f"    {name:{width}}  {text}" for name, text in rows)
