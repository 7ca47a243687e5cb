"""Which instruction set computes."""

from __future__ import annotations

from onecell import _kernel
from onecell.errors import ArgumentError, DtypeError


def isa() -> str:
    """Return the instruction set in use: "portable", "avx2", "avx512" or "neon"."""
    return _kernel.isa()


def available_isas() -> tuple[str, ...]:
    """Return the instruction sets that this machine can run, slowest first."""
    return _kernel.available_isas()


def set_isa(name: str) -> None:
    """Use another instruction set from now on, in every cell of this process, with the same bits.

    Raises:
        DtypeError: `name` is no text.
        ArgumentError: `name` is none of `available_isas()`.
    """
    if not isinstance(name, str):
        raise DtypeError(f"`name` must be one of {', '.join(available_isas())}, got {name!r}.")
    try:
        _kernel.set_isa(name)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
