"""A state dict of torch's in JSON: name → lists of numbers.

RTNeural reads models of torch from such files, and amplifier plugins keep theirs so, below
`state_dict` and beside `model_data`, which says the layers' sizes.
"""

from __future__ import annotations

from typing import Any, Final

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.nam_files import as_array
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.text import short

_STATE, _SAID = "state_dict", "model_data"
_ENDINGS: Final = ("weight", "bias")


def is_state(content: object) -> bool:
    """Whether JSON is such a state dict: one of its names is that of a weight, and a list."""
    return isinstance(content, dict) and any(
        isinstance(value, list) and name.rpartition(".")[2].startswith(_ENDINGS)
        for name, value in _state(content).items()
    )


def _state(content: dict[str, Any]) -> dict[str, Any]:
    inner = content.get(_STATE)
    return inner if isinstance(inner, dict) else content


def read_state(content: dict[str, Any], budget: Budget) -> Checkpoint:
    """Return the tensors of a state dict.

    Raises:
        CheckpointError: what a parameter's name has is no list of numbers or of rows of numbers.
    """
    found = Checkpoint({}, "json", "torch", {})
    for name, value in _state(content).items():
        if isinstance(value, list):
            try:
                found.tensors[name] = as_array(value, f"`{short(name)}`", budget)
            except CheckpointError:
                if name.rpartition(".")[2].startswith(("weight_ih", "weight_hh")):
                    raise
                found.left_out[name] = "lists in lists"
        elif isinstance(value, str | int | float):
            found.metadata[name] = str(value)
    said = content.get(_SAID) if _STATE in content else None
    if isinstance(said, dict):
        for name, value in said.items():
            if isinstance(value, str | int | float):
                found.metadata[f"{_SAID}.{name}"] = str(value)
    return found
