"""What onecell raises.

Every error is an `OnecellError` and also the built-in kind a caller would guess, so both
`except OnecellError` and `except ValueError` do what they say.
"""

from __future__ import annotations

from typing import Final


class OnecellError(Exception):
    """The root of every error that onecell raises on purpose."""


class ArgumentError(OnecellError, ValueError):
    """An argument has the right type and an impossible value."""


class ShapeError(ArgumentError):
    """An array does not have the shape that the sizes of the cell ask for."""


class DtypeError(OnecellError, TypeError):
    """An array or argument has a type that the cell cannot compute with."""


class FrozenError(OnecellError, RuntimeError):
    """A frozen cell was asked for what only a live one can do, such as a gradient."""


class BusyError(OnecellError, RuntimeError):
    """A stream was used while another thread was stepping it."""


class CheckpointError(OnecellError, ValueError):
    """A checkpoint file is damaged, or does not hold what was asked of it."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint file asks for more than tensors: code, an encrypted body, a bomb."""


class TableError(OnecellError, ValueError):
    """A file that should hold a difference table is damaged, or holds none."""


class SourceError(OnecellError, ValueError):
    """A source file cannot be migrated: unreadable, not Python, or more than the parser bears."""


class NothingToDoError(OnecellError, ValueError):
    """What was asked for is there already: the file is that framework's own."""


class OutputExistsError(OnecellError, FileExistsError):
    """A file that would be written is already there, and nobody said to replace it."""


class WhichCellError(OnecellError, LookupError):
    """There are several cells, or none of the name that was given; the message lists them."""


class UnlikeCellsError(OnecellError, ValueError):
    """Two cells cannot be compared: their sizes differ."""


class NotFiniteError(OnecellError, ValueError):
    """A cell's parameters hold NaN or infinity, so there is nothing to compare."""


class NotACellError(OnecellError, TypeError):
    """An object cannot be called as an LSTMCell is, `cell(x, (h, c)) -> (h', c')`."""


class ObjectImportError(OnecellError, ImportError):
    """`module:attribute` names nothing that can be imported."""


EXTRAS: Final = {
    "h5py": "h5",
    "jinja2": "report",
    "libcst": "migrate",
    "matplotlib": "report",
    "mindspore": "mindspore",
    "pathspec": "migrate",
    "rich": "cli",
    "threadpoolctl": "cli",
    "torch": "torch",
    "typer": "cli",
}
"""Library → the extra of this package that installs it."""


class RuntimeMissingError(OnecellError, ImportError):
    """A framework is to compute in a process of its own, and cannot be asked there."""

    def __init__(self, framework: str, why: str) -> None:
        super().__init__(f"the side `{framework}` cannot be asked: {why}.")
        self.framework = framework
        self.why = why


class MissingExtraError(OnecellError, ImportError):
    """An optional library is needed for this call and is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs `{library}`, which is not installed. "
            f"Install it with: pip install 'onecell[{extra}]'"
        )
        self.library = library
        self.extra = extra
