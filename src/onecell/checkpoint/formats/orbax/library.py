"""The libraries that Orbax's folders need, imported where they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from onecell.errors import MissingExtraError


def library(name: str) -> ModuleType:
    """Return a library of the extra `orbax`, or raise `MissingExtraError`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(name, "orbax", "an Orbax folder") from error
