"""One site in two languages: `make docs` builds docs/en and, with the tag `zh`, docs/zh by this."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "site"))

PROJECT: dict[str, Any] = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
CHINESE = globals()["tags"].has("zh")  # as `sphinx-build --tag zh` says

project = "onecell"
author = copyright = "the onecell developers"  # noqa: A001 - Sphinx's name
release = version = PROJECT["project"]["version"]
language = "zh_CN" if CHINESE else "en"
locale_dirs = [str(DOCS / "site" / "locale")]
extensions = [
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "myst_nb",
    "addresses",
    "chinese_search",
    "command_line",
    "docstrings",
    "notebooks",
]
nitpicky = True
nitpick_ignore_regex = [
    # What is not ours has its pages elsewhere, and this site is to be built offline.
    ("py:.*", r"(?s)(?!onecell\.).*"),
]
nitpick_ignore = [
    # Types of fields and results that nobody makes or names.
    ("py:class", "onecell.checkpoint.conversion.Loss"),
    ("py:class", "onecell.migrate.rules.assumptions.Assumption"),
    ("py:class", "onecell.migrate.rules.assumptions.Outside"),
    ("py:class", "onecell.migrate.run.pool.Pool"),
    ("py:class", "onecell.migrate.run.results.Remain"),
    ("py:class", "onecell.stream.Steps"),
    ("py:class", "onecell.tensor_stream.Tensor"),  # the framework's
    ("py:class", "onecell.verify.comparing.cells_of_file.CellsOfFile"),
    ("py:class", "onecell.verify.quantities.limits.Threshold"),
    ("py:class", "onecell.verify.quantities.optimizers.Optimizer"),
    ("py:class", "onecell.verify.remarks.Remarks"),
]
templates_path = [str(DOCS / "site" / "templates")]

# Markdown
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS.parent / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_merge_streams = True

# Docstrings
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "special-members": "__call__, __getitem__, __iter__, __len__",
    # Of the frameworks' classes only what is ours.
    "inherited-members": "LSTMCell, LSTM, Module, Cell, ABC, Generic, Protocol",
}
autodoc_typehints = "signature"
autodoc_type_aliases = {
    name: name.removeprefix("npt.")
    for name in ("Array", "State", "StateLike", "AnyState", "WeightDtype", "npt.DTypeLike")
}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
suppress_warnings = ["myst-nb.lexer"]  # of notebooks that were not run
smartquotes_action = "D"  # dashes alone: quotation marks in our sentences are code's
default_role = "py:obj"  # a name in backticks leads to its page, where it has one

# Pages
html_theme = "furo"
html_title = "onecell"
html_static_path = [str(DOCS / "site" / "static")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = str(DOCS / "site" / "static" / "mark.svg")
html_logo = str(DOCS / "site" / "static" / "mark.svg")
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "top_of_page_buttons": ["view"],
    "light_css_variables": {"color-brand-primary": "#0b6b5c", "color-brand-content": "#0b6b5c"},
    "dark_css_variables": {"color-brand-primary": "#5fd0b8", "color-brand-content": "#5fd0b8"},
}
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
repository = PROJECT["project"]["urls"]["Homepage"]
