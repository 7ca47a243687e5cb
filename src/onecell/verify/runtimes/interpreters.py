"""Which Python has a framework: the one that is named for it, or this one.

Some frameworks do not share an environment, or not a process; each is asked in a process of its
own, by the Python that `ONECELL_PYTHON_KERAS`, `ONECELL_PYTHON_JAX` and so on name.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onecell.dialect import FRONT_ENDS
from onecell.errors import ArgumentError
from onecell.verify import sides  # its table is made of ours: asked for nothing before a call
from onecell.verify.runtimes.table import RUNTIMES

LIBRARIES: Final[Mapping[str, tuple[str, str]]] = {
    **{name: (name, name.upper()) for name in FRONT_ENDS},
    **{row.name: (row.library, row.variable) for row in RUNTIMES.values()},
}
"""Dialect → what its framework is imported as, and the end of the variable that names a Python."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that has a framework, or is said to have it."""

    path: str
    variable: str | None
    """The environment variable that names it; None: it is the one that runs here."""


def variable(framework: str) -> str:
    """Return the environment variable that names a Python for `framework`."""
    return f"ONECELL_PYTHON_{LIBRARIES[framework][1]}"


def find_interpreter(framework: str) -> Interpreter | None:
    """Return the Python to run `framework` in; None where it is not installed and none is named.

    Nothing is started: whether the framework loads there, its process says.

    Raises:
        ArgumentError: `framework` is none of `LIBRARIES`, or the variable names no program.
    """
    if framework not in LIBRARIES:
        raise ArgumentError(
            f"`framework` must be one of {', '.join(LIBRARIES)}, got {framework!r}."
        )
    name = variable(framework)
    if named := os.environ.get(name):
        found = shutil.which(os.path.expanduser(named))  # noqa: PTH111 - a program, not a path
        if found is None:
            raise ArgumentError(f"`{name}` must name a Python to run {framework} in, got {named}.")
        return Interpreter(os.path.abspath(found), name)  # noqa: PTH100 - a venv's is a link
    there = sides.is_installed(LIBRARIES[framework][0])
    return Interpreter(sys.executable, None) if there else None
