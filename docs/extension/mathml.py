"""Equations as MathML, which browsers show by themselves.

Sphinx's own way loads MathJax from another server when a page is read.
"""

from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
  """Registers the renderer."""
  app.add_html_math_renderer(
    "mathml", inline_renderers=(_inline, None), block_renderers=(_block, None)
  )
  app.config.html_math_renderer = "mathml"
  return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.math) -> None:
  translator.body.append(latex2mathml.tex2mathml(node.astext()))
  raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
  mathml = latex2mathml.tex2mathml(node.astext(), as_block=True)
  translator.body.append(f'<div class="math">{mathml}</div>\n')
  raise nodes.SkipNode
