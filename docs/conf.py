"""How Sphinx builds the book. `python3 docs` calls it."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_extensions"), str(HERE.parent / "tests"), str(HERE.parent)]

import scratchgen  # noqa: E402, F401  (the book is about this one)

project = "scratchgen"
author = "The scratchgen authors"
project_copyright = "2026, the scratchgen authors"

extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx.ext.napoleon",
    # of docs/_extensions:
    "jobs",
    "mathematics",
    "sources",
    "evidence",
    "drawings",
    "notebooks",
    "explorables",
    "gallery",
    "reference",
    "offline",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "smartquotes", "attrs_inline"]
myst_heading_anchors = 3
highlight_language = "text"

numfig = True  # equations and figures are numbered by chapter: (5.3)
math_numfig = True
math_eqref_format = "({number})"
numfig_secnum_depth = 1

default_role = "literal"  # in docstrings, `x` is code
autodoc_typehints = "none"  # the docstrings have them in words
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = "scratchgen"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = False
html_use_index = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
