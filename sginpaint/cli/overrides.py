"""`--config.<field>=<value>` laid over a config that was read from a workdir.

The type of a value is that of the value it replaces; what replaces an empty
list is numbers if all of it can be. Lists may become longer or shorter, but
pairs (of a low and a high value) stay pairs. Imports nothing heavy, so that a
mistyped field is refused at once.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from sginpaint.errors import UserError

PREFIX = "--config."
# In configs/common.py; of a system, every list may be of another length.
_PAIRS = ("irregular_ratio", "rectangle_size")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def split_overrides(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
  """Takes `--config.a.b=c` and `--config.a.b c` out of the arguments.

  Returns:
    (the other arguments, {"a.b": "c"}).

  Raises:
    UserError: a value is missing.
  """
  rest: list[str] = []
  overrides: dict[str, str] = {}
  words = iter(argv)
  for word in words:
    if not word.startswith(PREFIX):
      rest.append(word)
      continue
    field, equals, value = word.removeprefix(PREFIX).partition("=")
    if not equals:
      value = next(words, PREFIX)
      if value.startswith("--"):
        raise UserError(f"{word}: a value is missing; write {word}=<value>")
    overrides[field] = value
  return rest, overrides


def apply_overrides(
  config: ConfigDict,
  overrides: Mapping[str, str],
  *,
  sections: Sequence[str] | None = None,
) -> None:
  """Changes fields of `config` in place.

  Args:
    config: a resolved config.
    overrides: {"data.path": "/pictures"}, values as typed on a command line.
    sections: first parts of the fields that may change; None = any.

  Raises:
    UserError: a field is not there or may not change (the nearest name is
      proposed), or a value has another type.
  """
  names = field_names(config)
  if sections is not None:
    names = [name for name in names if name.split(".")[0] in sections]
  for field, text in overrides.items():
    if field not in names:
      raise UserError(_unknown(field, names, config, sections))
    *path, last = field.split(".")
    parent = config
    for part in path:
      parent = parent[part]
    parent[last] = _parse(field, text, parent[last])


def field_names(config: ConfigDict) -> list[str]:
  """ "optimizer.generator.b1" and so on: all that hold a value."""
  return list(_fields(config, ""))


def nearest(field: str, names: Sequence[str]) -> str:
  """What to write in the place of a field that is not there."""
  near = difflib.get_close_matches(field, names, n=1, cutoff=0.5)
  # The right name under the wrong section looks further off than it is.
  near = near or [n for n in names if n.split(".")[-1] == field.split(".")[-1]]
  if near:
    return f"did you mean --config.{near[0]}?"
  return "configs/common.py lists them all"


def _fields(config: ConfigDict, prefix: str) -> Iterator[str]:
  for name, value in config.items():
    if isinstance(value, ConfigDict):
      yield from _fields(value, f"{prefix}{name}.")
    else:
      yield f"{prefix}{name}"


def _unknown(
  field: str,
  names: Sequence[str],
  config: ConfigDict,
  sections: Sequence[str] | None,
) -> str:
  section = field.split(".")[0]
  if sections is not None and section in config and section not in sections:
    return (
      f"--config.{field} was fixed by the training; only "
      f"{' and '.join(f'config.{s}' for s in sections)} can change here"
    )
  return f"--config.{field}: no such field; {nearest(field, names)}"


def _parse(field: str, text: str, current: Any) -> Any:
  if isinstance(current, list | tuple):
    return _parse_many(field, text, current)
  if isinstance(current, bool):
    if text.lower() not in _BOOLS:
      raise UserError(f"--config.{field}={text}: write true or false")
    return _BOOLS[text.lower()]
  for kind, name in ((int, "a whole number"), (float, "a number")):
    if isinstance(current, kind):
      try:
        return kind(text)
      except ValueError as e:
        raise UserError(f"--config.{field}={text}: write {name}") from e
  return text


def _parse_many(
  field: str, text: str, current: list[Any] | tuple[Any, ...]
) -> list[Any] | tuple[Any, ...]:
  # A config read from JSON holds lists where configs/ has tuples, and a
  # ConfigDict insists on the type it has.
  kind = type(current)
  words = [w.strip(" '\"") for w in text.strip("()[] ").split(",")]
  words = [word for word in words if word]
  if not current:
    return kind(_guess(words))
  if isinstance(current[0], str):
    return kind(words)
  if isinstance(current[0], list | tuple):
    raise UserError(f"--config.{field}: holds lists; set it in a config file")
  if field.rpartition(".")[2] in _PAIRS and len(words) != 2:
    example = ",".join(map(str, current))
    raise UserError(
      f"--config.{field}={text}: write 2 numbers, as in {example}"
    )
  return kind(_parse(field, word, current[0]) for word in words)


def _guess(words: list[str]) -> list[Any]:
  """Numbers where every word is one: an empty field does not tell its type."""
  for number in (int, float):
    try:
      return [number(word) for word in words]
    except ValueError:
      continue
  return words
