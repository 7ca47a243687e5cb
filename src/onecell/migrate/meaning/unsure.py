"""Why a use stays as it is: raised where it is found out, told where the use stands."""

from __future__ import annotations


class Unsure(Exception):  # noqa: N818 - no error: it says why a use stays as it is
    """Why a call cannot be rewritten so that it surely computes the same."""

    def __init__(self, message: str, by_hand: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.by_hand = by_hand
