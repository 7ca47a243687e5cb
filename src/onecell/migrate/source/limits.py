"""What is asked of source text before and after a rewrite, so that nothing odd gets through."""

from __future__ import annotations

import ast
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from onecell.errors import SourceError

READ_BYTES: Final = 64 * 2**20
"""No larger file is read at all."""
CODE_BYTES: Final = 2 * 2**20
"""No more code is parsed: LibCST needs about 700 bytes of memory for a byte of code."""
SECONDS: Final = 20.0
"""A file may take so long, ..."""
SECONDS_PER_BYTE: Final = 100e-6
"""... and so much more for each byte: ten times what ordinary code takes."""

_RECURSION: Final = 1000
_VERSION = ".".join(platform.python_version_tuple()[:2])


def check_size(code: bytes | str) -> None:
    """Raise `SourceError` if there is more code than is parsed."""
    if len(code) > CODE_BYTES:
        raise SourceError(
            f"{_megabytes(len(code))} of code, and at most {_megabytes(CODE_BYTES)} are parsed"
        )


def check_compiles(code: bytes | str, name: str, *, fragment: bool = False) -> None:
    """Raise `SourceError` unless this Python compiles `code`. Nothing of it is executed.

    Args:
        code: bytes as in the file, so that encoding and line ends are Python's business too.
        name: stands in for the file's name.
        fragment: whether it is a notebook's code, with `await` outside functions and `__future__`
            imports anywhere.
    """
    flags = ast.PyCF_ONLY_AST if fragment else 0
    try:
        with warnings.catch_warnings(), _usual_depth():
            warnings.simplefilter("ignore")
            compile(code, name, "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise SourceError(f"not Python {_VERSION}: {where}{error.msg}") from None
    except RecursionError:
        raise SourceError(f"nested too deeply for Python {_VERSION}") from None
    except MemoryError:
        raise SourceError(f"nested too deeply or too large for Python {_VERSION}") from None
    except (ValueError, OverflowError) as error:
        raise SourceError(f"not Python {_VERSION}: {error}") from None


@contextmanager
def _usual_depth() -> Iterator[None]:
    """Let Python compile what it does by default, though this process may recurse deeper.

    A sum of 20,000 terms, which only a deeper stack compiles, takes LibCST minutes.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(min(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def time_limit(size: int) -> float:
    """Return how many seconds a file of so many bytes may take."""
    return SECONDS + SECONDS_PER_BYTE * size


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.3g} MiB"
