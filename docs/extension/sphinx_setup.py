"""What Sphinx does beyond its own: generated pages, figures, equations."""

import pathlib
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from docs.extension import docstrings, mathml
from docs.extension.command_reference import command_reference
from docs.extension.config_reference import config_reference
from docs.extension.figures import FIGURES


class NetworkFigure(Directive):
  """The figure of a system, drawn by the code: its name is the argument."""

  required_arguments = 1

  def run(self) -> list[nodes.Node]:
    """The SVG element as it is, so that the page's colours reach it."""
    svg = FIGURES[self.arguments[0]]()
    return [
      nodes.raw("", f'<div class="figure-scroll">{svg}</div>', format="html")
    ]


def write_pages(app: Sphinx) -> None:
  """Writes what hand-written pages include."""
  folder = pathlib.Path(app.srcdir) / "_generated"
  folder.mkdir(exist_ok=True)
  for name, text in (
    ("configs.md", config_reference()),
    ("commands.md", command_reference()),
  ):
    path = folder / name
    if not path.is_file() or path.read_text("utf-8") != text:
      path.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
  """Registers it all."""
  mathml.setup(app)
  docstrings.setup(app)
  app.add_directive("network-figure", NetworkFigure)
  app.connect("builder-inited", write_pages)
  return {"parallel_read_safe": True, "parallel_write_safe": True}
