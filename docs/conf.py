"""Sphinx: Markdown by MyST, the theme furo, the code's own pages."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import sginpaint  # noqa: E402

project = "sginpaint"
author = "the authors of sginpaint"
copyright = "the authors of sginpaint, Apache-2.0"
release = version = sginpaint.__version__
extensions = [
  "myst_parser",
  "sphinx.ext.autodoc",
  "sphinx.ext.napoleon",
  "sphinx.ext.viewcode",
  "docs.extension.sphinx_setup",
]
exclude_patterns = ["_build", "_generated", "extension"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
smartquotes_action = "D"  # of Sphinx's own " -- "; quotes stay what they are

html_theme = "furo"
html_title = "sginpaint"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
add_module_names = False  # each module's text begins with its name
maximum_signature_line_length = 88
highlight_language = "none"  # where none is named
nitpicky = True
# Types of other projects: their documentation is not at hand where this one is
# built, and of ours those that no page is about.
nitpick_ignore_regex = [
  ("py:.*", r"(jax|jaxlib|chex|flax|nn|np|numpy|ml_collections|optax)\b.*"),
  (
    "py:.*",
    r"(collections|typing|os|dataclasses|pathlib|concurrent|Sequence|Mapping|Callable|Iterable|Iterator)\b.*",
  ),
  (
    "py:.*",
    r"(sginpaint\.)?(checkpoints\.loading|inputs|convert\.mapping)\..*",
  ),
  ("py:class", r"(tuple|Literal)\[.*"),
  ("py:exc", "UserError"),
]
