"""What the documents name exists, and what they generate is complete."""

import pathlib
import re
import xml.etree.ElementTree

import flax.linen as nn
import jax.numpy as jnp
import pytest

from configs import common
from docs.extension import config_reference, docstrings, links
from docs.extension.command_reference import help_of
from docs.extension.drawing import Arrow, Box, draw
from docs.extension.figures import FIGURES
from docs.extension.tracing import trace
from sginpaint.cli.__main__ import COMMANDS
from sginpaint.cli.config_files import load_config_file
from sginpaint.cli.evaluate import PROTOCOLS as FLAGS
from sginpaint.evaluation.protocols import PROTOCOLS

_ROOT = pathlib.Path(__file__).parents[1]
_PAGES = [
  path.relative_to(_ROOT)
  for folder in ("", "docs", "docs/systems", "launch", "benchmarks")
  for path in sorted((_ROOT / folder).glob("*.md"))
]
_TEXT = "\n".join((_ROOT / page).read_text("utf-8") for page in _PAGES)
_JOINED = re.sub(r" *\\\n +", " ", _TEXT)  # commands over several lines
_CONFIGS = sorted(
  path.stem
  for path in (_ROOT / "configs").glob("*.py")
  if path.stem not in ("__init__", "common")
)


@pytest.fixture(scope="module")
def fields():
  """Every field of every config."""
  names = set(config_reference.flatten(common.get_config().to_dict()))
  for name in _CONFIGS:
    config = load_config_file(str(_ROOT / "configs" / f"{name}.py"))
    names |= set(config_reference.flatten(config.to_dict()))
  return names


@pytest.fixture(scope="module")
def reference():
  return config_reference.config_reference()


def test_returned_values_have_no_types():
  lines = ["Returns:", "  `{a: b}` and pairs: two; {c: d}.", "", "Raises:"]
  docstrings.plain_text(None, "function", "f", None, None, lines)
  assert lines[1:3] == ["  ``{a: b}`` and", "  pairs: two; ``{c: d}``."]


def test_files_exist():
  folders = "sginpaint|configs|tests|docs|launch|benchmarks|assets"
  named = set(re.findall(rf"\b(?:{folders})/[\w/]+(?![*\w])(?:\.\w+)?", _TEXT))
  named -= {"configs/toy.py", "sginpaint/systems/toy/", "docs/_build/html"}
  assert len(named) > 50
  assert not [name for name in named if not (_ROOT / name).exists()]


def test_recipes_exist():
  named = set(re.findall(r"data=(\w+)", _TEXT))
  loops = re.findall(r"for data in ([\w ]+);", _TEXT)
  for name in named.union(*(loop.split() for loop in loops)):
    assert (_ROOT / "configs" / "data" / f"{name}.py").is_file(), name


def test_protocols_are_known():
  assert tuple(PROTOCOLS) == FLAGS
  named = set(re.findall(r"protocol=([a-z_]+)", _TEXT))
  assert {"sge_net", "espa", "boosted_gan"} < named <= set(PROTOCOLS)


def test_commands_and_modules_exist():
  assert set(re.findall(r"-m sginpaint ([\w-]+)", _TEXT)) <= {*COMMANDS}
  for name in set(re.findall(r"-m ((?:benchmarks|tests|docs)\.[\w.]+)", _TEXT)):
    path = _ROOT / name.replace(".", "/")
    assert path.with_suffix(".py").is_file() or path.is_dir(), name


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_exist(command):
  short = rf"|python {command}\.py" if command in ("train", "evaluate") else ""
  lines = re.findall(rf"(?:-m sginpaint {command}\b{short})([^\n`]*)", _JOINED)
  named = {f for x in lines for f in re.findall(r"(?<!\S)--[a-z][\w-]*", x)}
  known = set(re.findall(r"--[\w-]+", help_of(command)))
  if command == "launch":  # what stands behind -- is of another command
    known |= {"--config", "--workdir"}
  assert named - known <= {"--config"}


def test_fields_exist(fields):
  named = set(re.findall(r"--config\.([\w./-]*\w)", _JOINED))
  sections = {f.partition(".")[0] for f in fields}
  assert len(named) > 20
  for field in named - {"field"}:
    own = field.startswith("init_from.")  # {name: workdir}
    assert own or field in fields or field in sections, field


def test_reference_has_every_field_and_config(reference, fields):
  empty = {"loss_weights.generator", "loss_weights.discriminator"}
  assert not [f for f in fields - empty if f"| `{f}` |" not in reference]
  assert all(f"## {name}\n" in reference for name in _CONFIGS)


def test_every_shared_field_is_explained(reference):
  shared = reference.partition("\n## spl\n")[0]
  rows = re.findall(r"^\| `(\S+)` \| (.*) \| (.*) \|$", shared, re.MULTILINE)
  assert len(rows) > 70
  assert not [field for field, _, meaning in rows if not meaning.strip()]


def test_comments_beside_above_and_of_loops(tmp_path):
  path = tmp_path / "config.py"
  path.write_text(
    "def get_config():\n"
    "  # Above\n  # it.\n"
    "  c.one = 1\n"
    '  c.model.net = ConfigDict({"width": 4})\n'
    "  c.model.other = ConfigDict(\n"
    '    {\n      "width": 4,  # channels\n    }\n  )\n'
    "  c.inner = _inner()\n\n\n"
    "def _inner():\n"
    "  for p in players:\n    c[p].rate = 1  # speed\n\n\n"
    "def make_quick(c):\n  c.two = 2  # not of the field\n"
  )
  assert config_reference.comments(path) == {
    "one": "Above it.",
    "model.other.width": "channels",
    "inner.*.rate": "speed",
  }


def test_every_wish_is_answered():
  questions = (_ROOT / "docs" / "troubleshooting.md").read_text()
  assert len(re.findall(r"^### ", questions, re.MULTILINE)) >= 25


def test_trace_knows_shapes_and_parameters():
  net = nn.Sequential([nn.Conv(4, (3, 3)), nn.Conv(2, (1, 1))])
  found = trace(_Untrained(net), jnp.zeros((1, 8, 6, 3)))
  assert found.into("net/layers_0") == "8×6×3"
  assert found.out("") == "8×6×2"
  assert found.size("net/layers_0") == str(3 * 3 * 3 * 4 + 4)
  with pytest.raises(KeyError):
    found.size("net/c")


class _Untrained(nn.Module):
  net: nn.Module

  @nn.compact
  def __call__(self, x, *, train):
    return self.net(x)


def test_every_system_that_fills_has_a_figure_and_a_page():
  for name in FIGURES:
    page = (_ROOT / "docs" / "systems" / f"{name}.md").read_text()
    assert f"```{{network-figure}} {name}\n" in page
  assert set(FIGURES) == {"spl", "sge_net", "espa", "boosted_gan"}


def test_drawing_is_an_svg_of_its_boxes():
  boxes = {"a": Box(0, 0, "<a>", ("1×2",)), "b": Box(1, 1, "b", kind="data")}
  svg = draw(boxes, [Arrow("a.right", "b.top", "to b")], title="both")
  root = xml.etree.ElementTree.fromstring(svg)
  space = {"": "http://www.w3.org/2000/svg"}
  texts = [node.text for node in root.findall(".//text", space)]
  assert texts[:3] == ["<a>", "1×2", "b"]
  assert "to b" in texts
  assert root.find("polyline", space).get("points") == "71,0 176,0 176,80"
  with pytest.raises(KeyError):
    draw(boxes, [Arrow("a.right", "c.top")], title="none")


def test_broken_links_are_found(tmp_path):
  (tmp_path / "a.html").write_text(
    '<p id="here"><a href="#here"></a><a href="#gone"></a>'
    '<a href="b.html#there"></a><a href="c.html"></a>'
    '<a href="https://example.org/x#y"></a>'
    '<script src="https://example.org/m.js"></script>'
  )
  (tmp_path / "b.html").write_text('<p id="there"><a href="a.html#no"></a>')
  (tmp_path / "s.css").write_text('@import "https://example.org/f.css";')
  assert list(links.broken(tmp_path)) == [
    "a.html: loads https://example.org/m.js",
    "a.html: #gone has no such anchor",
    "a.html: c.html does not exist",
    "b.html: a.html#no has no such anchor",
    "s.css: loads from another server",
  ]
