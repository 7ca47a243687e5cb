"""Errors that are at once onecell's and the kind that MindSpore raises in the same place."""

from __future__ import annotations

from onecell.errors import ArgumentError


class StateError(ArgumentError, TypeError):
    """The state is no pair (h, c); a TypeError in MindSpore."""
