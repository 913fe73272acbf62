"""The reference of every config field, read off the config files.

Values are those that `get_config` returns; what a field means is the comment
beside it in the source, so that nothing stands twice.
"""

import ast
import functools
import importlib
import io
import pathlib
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from configs import common
from sginpaint.cli.config_files import load_config_file

_FOLDER = pathlib.Path(importlib.import_module("configs").__path__[0])
_OWN = ("model", "objective", "loss_weights")  # sections of a system's own
# The first config of each system, of which the others are variants.
BASES = (
  "spl",
  "sge_net",
  "espa_stage1",
  "boosted_gan",
  "classifier",
  "segmenter",
)
_NONE = "not there"
Row = tuple[str, Sequence[Any], Mapping[str, str]]  # field, values, notes
_ANY = "*"  # part of a field's name that a loop fills in


def config_reference() -> str:
  """Markdown: the shared fields, then each system's."""
  shared = flatten(common.get_config().to_dict())
  parts = ["## Fields of every config", "", *_shared(shared)]
  for base in BASES:
    parts += ["", f"## {base}", "", *_system(base, shared)]
  return "\n".join(parts) + "\n"


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
  """{"data.path": value}; an empty section is a value."""
  fields: dict[str, Any] = {}
  for name, value in config.items():
    if isinstance(value, Mapping) and value:
      fields |= flatten(value, f"{prefix}{name}.")
    else:
      fields[prefix + name] = value
  return fields


@functools.cache
def comments(path: pathlib.Path) -> dict[str, str]:
  """{field: comment} of a config file; "*" stands for what a loop fills in."""
  source = path.read_text("utf-8")
  beside, above = _comments_by_line(source)
  found: dict[str, str] = {}
  for function, prefix in _functions(ast.parse(source)):
    for node in ast.walk(function):
      if isinstance(node, ast.Assign):
        for target in node.targets:
          field = _field(target)
          if field is not None:
            _note(node, prefix + field, beside, above, found)
  return found


def _functions(module: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
  """Functions, and in which section what they assign to `c` lies."""
  sections = {}
  for node in ast.walk(module):
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
      name = getattr(node.value.func, "id", "")
      if name.startswith("_") and (field := _field(node.targets[0])):
        sections[name] = f"{field}."
  for node in module.body:
    # What is said in `make_quick` is said of its values, not of the field.
    if isinstance(node, ast.FunctionDef) and node.name != "make_quick":
      yield node, sections.get(node.name, "")


def _comments_by_line(source: str) -> tuple[dict[int, str], dict[int, str]]:
  """Comments behind code, and those on lines of their own, by line."""
  beside, above = {}, {}
  for token in tokenize.generate_tokens(io.StringIO(source).readline):
    if token.type == tokenize.COMMENT:
      text = token.string.lstrip("# ").rstrip()
      alone = not token.line[: token.start[1]].strip()
      (above if alone else beside)[token.start[0]] = text
  return beside, above


def _note(
  node: ast.AST,
  field: str,
  beside: Mapping[int, str],
  above: Mapping[int, str],
  found: dict[str, str],
) -> None:
  """Notes the comment of a statement or key, and those of the keys inside."""
  value = getattr(node, "value", node)
  if isinstance(value, ast.Call) and value.args:
    value = value.args[0]
  if isinstance(value, ast.Dict):
    for key, inner in zip(value.keys, value.values, strict=True):
      if isinstance(key, ast.Constant):
        _note(inner, f"{field}.{key.value}", beside, above, found)
  text = beside.get(node.end_lineno, "")
  if not text:
    line, lines = node.lineno - 1, []
    while line in above:
      lines.insert(0, above[line])
      line -= 1
    text = " ".join(lines)
  if text:
    found.setdefault(field, text)


def _field(target: ast.AST) -> str | None:
  """ "data.path" of `c.data.path`; None of what belongs to no config."""
  parts: list[str] = []
  while not isinstance(target, ast.Name):
    if isinstance(target, ast.Attribute):
      parts.insert(0, target.attr)
    elif isinstance(target, ast.Subscript):
      constant = isinstance(target.slice, ast.Constant)
      parts.insert(0, str(target.slice.value) if constant else _ANY)
    else:
      return None
    target = target.value
  return ".".join(parts) if target.id == "c" and parts else None


@functools.cache
def _resolved(name: str, arg: str = "") -> dict[str, Any]:
  config = load_config_file(f"{_FOLDER / name}.py:{arg}".removesuffix(":"))
  return config.to_dict()


def _meaning(field: str, notes: Mapping[str, str]) -> str:
  for pattern, text in notes.items():
    escaped = re.escape(pattern).replace(re.escape(_ANY), r"\w+")
    if re.fullmatch(escaped, field):
      return text
  return ""


def _shared(shared: Mapping[str, Any]) -> Iterator[str]:
  """A table for the fields that are in no section, then one per section."""
  notes = comments(_FOLDER / "common.py")
  shared = {**shared, "loss_weights": {}}
  order = [f for f in notes if f in shared]
  order += [f for f in shared if f not in order]
  sections = list(dict.fromkeys(f.partition(".")[0] for f in order if "." in f))
  for section in ("", *sections):
    fields = [f for f in order if f.rpartition(".")[0].startswith(section)]
    if not section:
      fields = [f for f in order if "." not in f]
    if section == "loss_weights":
      continue  # its fields are a system's own
    yield f"### {section or 'general'}\n"
    yield _table(("default",), [(f, (shared[f],), notes) for f in fields])
    yield ""


def _system(base: str, shared: Mapping[str, Any]) -> Iterator[str]:
  files = [base, *_variants(base)]
  notes = comments(_FOLDER / "common.py")
  for name in reversed(files):
    notes = notes | comments(_FOLDER / f"{name}.py")
  full, quick = flatten(_resolved(base)), flatten(_resolved(base, "quick"))
  own = [f for f in full if f.startswith(_OWN)]
  changed = [
    f
    for f in full
    if f not in (*own, "system")
    and not full[f] == quick[f] == shared.get(f, _NONE)
  ]
  row = lambda f: (f, (full[f], quick.get(f, _NONE)), notes)
  yield f"`configs/{base}.py`: {_title(base)} Its own fields:\n"
  yield _table(("default", "`:quick`"), [row(f) for f in own])
  yield "\nShared fields to which it gives other values:\n"
  yield _table(("default", "`:quick`"), [row(f) for f in changed])
  for name in files[1:]:
    yield f"\n### {name}\n\n{_title(name)} It changes:\n"
    yield _table((f"`{base}`", f"`{name}`"), _difference(name, full, notes))


def _variants(base: str) -> Sequence[str]:
  """Other config files of the same system, in alphabetical order."""
  system = _resolved(base)["system"]
  return [
    path.stem
    for path in sorted(_FOLDER.glob("*.py"))
    if path.stem not in ("__init__", "common", base)
    and _resolved(path.stem)["system"] == system
  ]


def _difference(
  name: str, base: Mapping[str, Any], notes: Mapping[str, str]
) -> Sequence[Row]:
  fields = flatten(_resolved(name))
  return [
    (f, (base.get(f, _NONE), fields.get(f, _NONE)), notes)
    for f in sorted({*fields, *base})
    if fields.get(f, _NONE) != base.get(f, _NONE)
  ]


def _title(name: str) -> str:
  text = ast.get_docstring(ast.parse((_FOLDER / f"{name}.py").read_text()))
  return (text or "").partition("\n")[0]


def _table(columns: Sequence[str], rows: Sequence[Row]) -> str:
  lines = [
    f"| field | {' | '.join(columns)} | meaning |",
    "|---" * (len(columns) + 2) + "|",
  ]
  for field, values, notes in rows:
    cells = [f"`{v}`" if (v := _value(x)) else "" for x in values]
    meaning = _meaning(field, notes).replace("|", "\\|").replace("<", "\\<")
    meaning = meaning.replace("*", "\\*")
    lines.append(f"| `{field}` | {' | '.join(cells)} | {meaning} |")
  return "\n".join(lines)


def _value(value: Any) -> str:
  if value == _NONE:
    return "–"
  if isinstance(value, str):
    return value or '""'
  if isinstance(value, tuple | list):
    return f"({', '.join(map(_value, value))})"
  if isinstance(value, float):
    return f"{value:g}"
  return str(value)
