"""Docstrings and signatures as this library means them.

Docstrings are plain text with `names` in backquotes and code that is indented;
Sphinx reads them as reStructuredText, where stars, bars and underscores have
meanings.
"""

import re
from typing import Any

from sphinx.application import Sphinx

_LITERAL = re.compile(r"(``[^`]+``|`[^`\n]+`|(?<!\w)\*\w+\*(?!\w))")
_QUOTED = re.compile(r"(?<![:\w`])`([^`\n]+)`(?![`_])")
_MAPPING = re.compile(r"(?<!`)\{[^{}`]*: [^{}`]*\}(?!`)")
_BEFORE_COLON = re.compile(r"`+[^`]+`+|(?<=\S )\S+:(?= )")
_MARKUP = re.compile(r"(?<!\*)\*(?!\*)|\||(?<=\w)_(?=\W|$)")
# What annotations say where the source says `chex.Array`.
_ARRAY = re.compile(
  r"jax\.(?:jaxlib\._jax\.)?Array \| numpy\.ndarray \| numpy\.bool \| "
  r"numpy\.number"
)
_LONG = {
  "jax.jaxlib._jax.Array": "jax.Array",
  "flax.linen.module.Module": "nn.Module",
  "collections.abc.": "",
  "numpy.ndarray": "np.ndarray",
}
_DEFAULT = re.compile(r"= ?<(?:class '[\w.]+'|[^<>]*)>")


def plain_text(
  app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
  """Lets the lines of a docstring mean what they say.

  Sections are indented by two, so code is by four; modules have no sections.
  Signatures do not repeat the name of their module, so its text begins with it.
  """
  del app, obj, options
  if what in ("property", "attribute") and lines:
    lines[0] = lines[0].replace(": ", " \N{EN DASH} ")  # no type before it
  indent = " " * (2 if what == "module" else 4)
  lines[:] = _joined(lines)
  if "Returns:" in lines:
    first = lines.index("Returns:") + 1
    lines[first : first + 1] = _untyped(lines[first])
  result: list[str] = []
  code = False
  for i, line in enumerate(lines):
    begins = line.startswith(indent) and _begins(lines, i)
    if line.strip():
      code = begins or (code and line.startswith(indent))
    if begins:
      result += ["::", ""]
    result.append(line if code else _escaped(line))
  if what == "module":
    result[:0] = [f"``{name}``", ""]
  lines[:] = result


def _joined(lines: list[str]) -> list[str]:
  """With what is quoted over the end of a line on one line."""
  result: list[str] = []
  for line in lines:
    if result and line.strip() and result[-1].count("`") % 2:
      result[-1] += f" {line.strip()}"
    else:
      result.append(line)
  return result


def _untyped(line: str) -> list[str]:
  """A line in which nothing stands before a colon: it would become a type."""
  line = _MAPPING.sub(r"``\g<0>``", line)
  for found in _BEFORE_COLON.finditer(line):
    if not found[0].startswith("`"):
      indent = line[: len(line) - len(line.lstrip())]
      return [line[: found.start() - 1], indent + line[found.start() :]]
  return [line]


def _begins(lines: list[str], i: int) -> bool:
  """Whether a line is behind an empty one, and that behind text flush left."""
  if not i or lines[i - 1].strip():
    return False
  text = next((line for line in reversed(lines[:i]) if line.strip()), " ")
  return not text.startswith(" ") and not text.endswith("::")


def _escaped(line: str) -> str:
  pieces = _LITERAL.split(line)
  for i in range(0, len(pieces), 2):
    pieces[i] = _MARKUP.sub(r"\\\g<0>", pieces[i])
  return _QUOTED.sub(r"``\1``", "".join(pieces))


def short_signature(
  app: Sphinx,
  what: str,
  name: str,
  obj: Any,
  options: Any,
  signature: str | None,
  returns: str | None,
) -> tuple[str | None, str | None]:
  """Names arrays as the source does, without what Flax adds to its modules."""
  del app, what, name, obj, options
  if signature:
    signature = re.sub(r",? ?parent: .*_Sentinel.*\)$", ")", signature)
    signature = _DEFAULT.sub("= ...", signature)
  return _named(signature), _named(returns)


def _named(text: str | None) -> str | None:
  text = _ARRAY.sub("chex.Array", (text or "").replace("~", ""))
  for long, short in _LONG.items():
    text = text.replace(long, short)
  return text or None


def skip_fields(
  app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
  """Leaves out fields whose defaults are other projects' functions."""
  del app, name, skip, options
  if what != "class" or isinstance(obj, property):
    return None
  own = str(getattr(obj, "__module__", "")).startswith("sginpaint")
  return None if own else True


def setup(app: Sphinx) -> None:
  """Connects them to autodoc."""
  # Before napoleon, which reads the sections of Google's style.
  app.connect("autodoc-process-docstring", plain_text, priority=400)
  app.connect("autodoc-process-signature", short_signature)
  app.connect("autodoc-skip-member", skip_fields)
