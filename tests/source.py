"""Python files of the project, parsed: what the convention tests look at."""

import ast
import dataclasses
from collections.abc import Iterator

_PACKAGE = "sginpaint"

Offences = Iterator[tuple[int, str]]  # (line, what is wrong there)


@dataclasses.dataclass(frozen=True)
class Source:
  """A Python file; `path` is relative to the repository."""

  path: str
  text: str

  @property
  def tree(self) -> ast.Module:
    return ast.parse(self.text)

  @property
  def part(self) -> str:
    """Its part of the package: "layers", "batch", ..., "" for the top."""
    return part_of(self.path.removesuffix(".py").split("/"))


def part_of(names: list[str]) -> str:
  """ "layers" of ["sginpaint", "layers", "residual"]."""
  inside = [name for name in names[1:] if not name.startswith("__")]
  return inside[0] if inside else ""


def imports(source: Source) -> Iterator[tuple[int, str]]:
  """(line, full dotted name) of everything a file imports, anywhere in it."""
  folder = source.path.split("/")[:-1]
  for node in ast.walk(source.tree):
    if isinstance(node, ast.Import):
      for alias in node.names:
        yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom):
      above = folder[: len(folder) - node.level + 1] if node.level else []
      module = [*above, *([node.module] if node.module else [])]
      for alias in node.names:
        yield node.lineno, ".".join([*module, alias.name])


def own_imports(source: Source) -> Iterator[tuple[int, list[str]]]:
  """(line, parts of the name) of what it imports from the package."""
  for line, name in imports(source):
    names = name.split(".")
    if names[0] == _PACKAGE:
      yield line, names


def functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
  """The functions among statements."""
  return (node for node in body if isinstance(node, ast.FunctionDef))
