"""Conventions as tests: what the source of the package must look like.

Nothing of the package is imported; its files are parsed. Every rule is a
function from a file to its offences, and every rule is shown a bad file too, so
that one which has stopped noticing is noticed.
"""

import ast
import pathlib
import re
from collections.abc import Callable, Iterator

import pytest

from tests.source import (
  Offences,
  Source,
  functions,
  imports,
  own_imports,
  part_of,
)

_ROOT = pathlib.Path(__file__).parents[1]
_SYSTEMS = {p.parent.name for p in _ROOT.glob("sginpaint/systems/*/*.py")}

_FILE_LINES = 300
_FUNCTION_LINES = 60

# (rule, file): why the file may break it.
EXEMPT: dict[tuple[str, str], str] = {
  ("needs_no_tensorflow_or_torch", "sginpaint/convert/pickles.py"): (
    "reads PyTorch's own files, with the extra [torch]"
  ),
  ("needs_no_tensorflow_or_torch", "benchmarks/torch_spl/networks.py"): (
    "the baseline that ours is timed against; nothing else imports it"
  ),
  ("needs_no_tensorflow_or_torch", "benchmarks/torch_spl/training.py"): (
    "as networks.py beside it"
  ),
}

# What each part may import besides itself and `errors`. Imports run one way:
# batch, layers, backbones, losses, systems, checkpoints, evaluation, training,
# inference, editing, export and convert, cli. Data and picture files stand
# beside that chain: networks and losses never read them.
_NETWORKS = ("batch", "layers", "backbones")
_SYSTEMS_UP = (*_NETWORKS, "losses", "systems")
_SAVED = ("files", "workdirs", "checksums", *_SYSTEMS_UP, "checkpoints")
_RUNS = (*_SAVED, "upstream", "pretrained", "scheduling", "data")
_SERVES = (*_RUNS, "evaluation", "training")
_PICTURES = ("images", "windows", "inputs")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
  "errors": (),
  "upstream": (),
  "checksums": (),
  "files": (),
  "scheduling": (),
  "batch": (),
  "data": ("files", "batch"),
  "images": ("files", "data"),
  "windows": (),
  "inputs": ("batch", "windows"),
  "layers": ("batch",),
  "backbones": ("batch", "layers"),
  "losses": _NETWORKS,
  "systems": (*_NETWORKS, "losses"),
  "workdirs": ("files",),
  "checkpoints": ("files", "workdirs", "checksums", *_SYSTEMS_UP),
  "pretrained": (*_SAVED, "upstream"),
  "evaluation": _RUNS,
  "training": (*_RUNS, "evaluation"),
  "inference": (*_SERVES, *_PICTURES),
  "editing": (*_SERVES, *_PICTURES, "inference"),
  "export": (*_SERVES, *_PICTURES, "inference"),
  "convert": _SERVES,
  "cli": (
    *(*_SERVES, *_PICTURES),
    *("inference", "editing", "export", "convert", ""),
  ),
  "": ("inference", "cli"),  # sginpaint/__init__.py and __main__.py
}


def imports_run_one_way(source: Source) -> Offences:
  for line, names in own_imports(source):
    allowed = (*MAY_IMPORT.get(source.part, ()), source.part, "errors")
    if part_of(names) not in allowed:
      yield line, f"{source.part} must not import {'.'.join(names)}"


def shared_code_knows_no_system(source: Source) -> Offences:
  folders = source.path.split("/")
  inside = folders[1] == "systems" and folders[2] in _SYSTEMS
  if inside or source.path == "sginpaint/systems/__init__.py":
    return
  for line, names in own_imports(source):
    particular = names[1:2] == ["systems"] and set(names[2:3]) & _SYSTEMS
    if particular and source.part != "convert":
      yield line, f"shared code imports {'.'.join(names)}"


def needs_no_tensorflow_or_torch(source: Source) -> Offences:
  for line, name in imports(source):
    root = name.split(".")[0]
    # clu.metric_writers needs TensorFlow.
    writers = name.startswith("clu.metric_writers")
    if root in ("tensorflow", "torch", "torchvision") or writers:
      yield line, f"imports {name}"


def public_things_have_docstrings(source: Source) -> Offences:
  tree = source.tree
  if not ast.get_docstring(tree):
    yield 1, "the module has no docstring"
  for node in tree.body:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
      public = not node.name.startswith("_")
      if public and not ast.get_docstring(node):
        yield node.lineno, f"{node.name} has no docstring"


def key_comes_first(source: Source) -> Offences:
  for function in functions(source.tree.body):
    arguments = [*function.args.posonlyargs, *function.args.args]
    names = [argument.arg for argument in arguments]
    if function.name.startswith("_") or "key" not in names:
      continue
    before = arguments[: names.index("key")]
    if any(_is_array(argument) for argument in before):
      yield function.lineno, f"{function.name}: `key` must precede arrays"


def _is_array(argument: ast.arg) -> bool:
  if argument.annotation is None:
    return True
  annotation = ast.unparse(argument.annotation)
  return bool(re.search(r"Array|ndarray|Batch|Variables|Outputs", annotation))


def switches_are_keyword_only(source: Source) -> Offences:
  for function in ast.walk(source.tree):
    if not isinstance(function, ast.FunctionDef):
      continue
    arguments = [*function.args.posonlyargs, *function.args.args]
    defaults = function.args.defaults
    given = arguments[len(arguments) - len(defaults) :]
    for argument, default in zip(given, defaults, strict=True):
      value = default.value if isinstance(default, ast.Constant) else None
      if isinstance(value, bool):
        where = f"{function.name}({argument.arg}={value})"
        yield function.lineno, f"{where}: must be keyword-only"


def files_are_short(source: Source) -> Offences:
  lines = len(source.text.splitlines())
  if lines > _FILE_LINES:
    yield lines, f"{lines} lines, more than {_FILE_LINES}"


def functions_are_short(source: Source) -> Offences:
  for node in ast.walk(source.tree):
    if isinstance(node, ast.FunctionDef):
      lines = node.end_lineno - node.lineno + 1
      if lines > _FUNCTION_LINES:
        yield node.lineno, f"{node.name}: {lines} lines, over {_FUNCTION_LINES}"


def nothing_is_left_to_do(source: Source) -> Offences:
  for number, line in enumerate(source.text.splitlines(), 1):
    if re.search(r"\b(TODO|FIXME|XXX)\b", line):
      yield number, line.strip()


Rule = Callable[[Source], Offences]

# Each rule with the part of the tree it holds for, and a file that breaks it.
_PACKAGE_ONLY = ("sginpaint/**/*.py",)
_ALL_CODE = (*_PACKAGE_ONLY, "configs/**/*.py", "benchmarks/**/*.py", "*.py")
RULES: list[tuple[Rule, tuple[str, ...], Source]] = [
  (
    imports_run_one_way,
    _PACKAGE_ONLY,
    Source("sginpaint/layers/a.py", "def f():\n  from sginpaint import data"),
  ),
  (
    shared_code_knows_no_system,
    _PACKAGE_ONLY,
    Source("sginpaint/training/a.py", "from sginpaint.systems import spl"),
  ),
  (
    needs_no_tensorflow_or_torch,
    _ALL_CODE,
    Source("configs/a.py", "import torch.nn"),
  ),
  (
    public_things_have_docstrings,
    _PACKAGE_ONLY,
    Source("sginpaint/a.py", '"""A."""\nclass B: pass'),
  ),
  (
    key_comes_first,
    _PACKAGE_ONLY,
    Source("sginpaint/a.py", "def f(x: jax.Array, key: jax.Array): pass"),
  ),
  (
    switches_are_keyword_only,
    _PACKAGE_ONLY,
    Source("sginpaint/a.py", "class A:\n  def f(self, on=True): pass"),
  ),
  (files_are_short, _ALL_CODE, Source("train.py", "a\n" * 301)),
  (
    functions_are_short,
    _ALL_CODE,
    Source("train.py", "def f():\n" + "  a\n" * 60),
  ),
  (nothing_is_left_to_do, _ALL_CODE, Source("train.py", "# TODO: all of it")),
]
_NAMES = [rule.__name__ for rule, _, _ in RULES]


def _files(patterns: tuple[str, ...]) -> Iterator[Source]:
  for path in sorted({p for pattern in patterns for p in _ROOT.glob(pattern)}):
    yield Source(str(path.relative_to(_ROOT)), path.read_text())


def _offenders(rule: Rule, patterns: tuple[str, ...]) -> dict[str, list[str]]:
  """{file: ["file:line: offence", ...]}."""
  found: dict[str, list[str]] = {}
  for source in _files(patterns):
    for line, what in rule(source):
      message = f"{source.path}:{line}: {what}"
      found.setdefault(source.path, []).append(message)
  return found


@pytest.mark.parametrize(
  ("rule", "patterns"), [(rule, where) for rule, where, _ in RULES], ids=_NAMES
)
def test_source_keeps(rule, patterns):
  lines = [
    message
    for path, messages in _offenders(rule, patterns).items()
    if (rule.__name__, path) not in EXEMPT
    for message in messages
  ]
  assert not lines, "\n" + "\n".join(lines)


@pytest.mark.parametrize(
  ("rule", "bad"), [(rule, bad) for rule, _, bad in RULES], ids=_NAMES
)
def test_rule_notices_a_bad_file(rule, bad):
  assert len(list(rule(bad))) == 1


def test_no_exemption_has_become_needless():
  patterns = {rule.__name__: (rule, where) for rule, where, _ in RULES}
  needless = [
    (name, path)
    for name, path in EXEMPT
    if path not in _offenders(*patterns[name])
  ]
  assert not needless


def test_parts_of_the_package_are_those_of_the_table():
  found = {source.part for source in _files(_PACKAGE_ONLY)}
  assert found == set(MAY_IMPORT)


def test_table_lets_no_part_import_a_later_one():
  order = list(MAY_IMPORT)
  for part, allowed in MAY_IMPORT.items():
    # The top's version is printed by the command line, its last user.
    earlier = order[: order.index(part)] + [""] * (part == "cli")
    assert set(allowed) <= set(earlier), part
