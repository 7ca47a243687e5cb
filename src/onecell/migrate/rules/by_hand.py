"""What to do by hand about what was left, where the reason itself does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_RULES: Final[Mapping[str, str]] = {
    "cell": "write the cell's arguments out, or build the other framework's cell here",
    "partial": "write a function that calls it",
    "training_step": "write a function that returns the loss, for mindspore.value_and_grad",
    "tensor_type": "make the tensor with a function that names its element type",
    "dtype": "name the element type of the other framework",
    "save": "save the state_dict of one model under a name that is written out",
    "load": "load by a name that is written out",
    "load_into": "write out the model and what is loaded into it",
}

_FUNCTION: Final = "write it out with what docs/en/reference/conversion-table.md has for both"


def by_hand(rule: str) -> str:
    """Return what to do about a use that `rule` has left."""
    return _RULES.get(rule, _FUNCTION)
