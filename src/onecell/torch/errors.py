"""Errors that are at once onecell's and the kind that torch raises in the same place."""

from __future__ import annotations

from onecell.errors import ArgumentError, DtypeError, FrozenError, ShapeError


class CellShapeError(ShapeError, RuntimeError):
    """A shape does not fit; a RuntimeError in torch, a ValueError where it is about the rank."""


class CellDtypeError(DtypeError, RuntimeError):
    """An element type does not fit; a RuntimeError in torch."""


class CellTypeError(DtypeError, AttributeError):
    """An argument is no tensor, or no pair of tensors; torch stumbles over a missing attribute."""


class CellMemoryError(ArgumentError, RuntimeError):
    """A tensor's elements are freed, or on another device; a RuntimeError in torch, or worse."""


class CellFrozenError(FrozenError):
    """A frozen cell was asked for a gradient, or is somewhere it cannot compute."""
