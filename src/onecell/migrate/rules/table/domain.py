"""What the arguments of a row may be, and what sets both frameworks apart: data, not code.

Tests draw from it and prove the row by it; findings and the page say it in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FLOATS: Final = ("float32", "float64")
INTEGERS: Final = ("int64", "int32")
NUMBERS: Final = (*FLOATS, *INTEGERS)
ANY: Final = (*NUMBERS, "bool")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor, or a list of them."""

    shape: str = "*s"
    """Axes by name or size, "batch 3"; "*s" any shape, called s; "+s" one with an axis; "~s" what
    is broadcast to s. Arguments that name the same agree."""
    dtypes: tuple[str, ...] = FLOATS
    """Arguments with the same choice have the same element type, unless `mixed`."""
    values: str = "any"
    """any: also NaN, infinities, denormals, ties, rows of -Inf, where floats may be; finite;
    positive; unit: in [0, 1); below n: integers in [0, n), where n is an axis or a number."""
    mixed: bool = False
    listed: bool = False
    constant: bool = False
    """Nobody asks for its gradient, as for that of labels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A position among the axes of another argument, also counted from the end."""

    of: str
    extra: int = 0
    """How many axes more than the argument has, as for `unsqueeze`."""
    negative: bool = True


class OneOf(tuple[str, ...]):
    """One of these pieces of source."""

    __slots__ = ()

    def __new__(cls, *choices: str) -> OneOf:
        """Take the choices one by one."""
        return super().__new__(cls, choices)


Domain = Tensor | Axis | OneOf

BOOLS: Final = OneOf("True", "False")

SENTENCES: Final[Mapping[str, str]] = {
    "nan": "no NaN comes in",
    "infinite": "nothing infinite comes in",
    "plus infinite": "no +Inf comes in",
    "row of -inf": "no row is all -Inf",
    "denormal": "no denormal comes in (MindSpore takes it for zero)",
    "large": "nothing comes in beyond 80, where results are denormal or infinite",
    "beyond 40": "nothing comes in beyond 40, where MindSpore gives NaN",
    "large float64": "where it is differentiated, no float64 comes in beyond 80"
    " (MindSpore's gradient is that of the float32 beside it)",
    "negative zero": "nothing is divided by -0.0 (MindSpore takes it for 0.0)",
    "zero": "no number is exactly zero, where the gradients differ",
    "at a bound": "no number is exactly at a bound, where the gradients differ",
    "tie": "no two numbers in a row are equal, which may come in another order",
    "integers": "no integers come in",
    "int32": "no int32 comes in",
    "bool": "no truth values come in",
    "float64": "no float64 comes in",
    "empty": "nothing empty comes in",
    "one number": "more than one number comes in",
    "0-d": "each tensor has an axis",
    "0-d mixed": "tensors without axes have the others' element type",
    "several ranks": "every softmax of the program that is differentiated goes along the same axis"
    " of tensors with equally many axes (MindSpore's gradient is wrong otherwise)",
    "negative axis": "where it is differentiated, the axis is not counted from the end"
    " (MindSpore's gradient of `cumprod` is else wrong in some calls of a thousand)",
}
"""Features of what a call is given, in which the frameworks may part → what holds without them."""

OF_GRADIENTS: Final = ("several ranks", "negative axis", "large float64")
"""Features with which only the gradient differs."""

AT_TIMES: Final = ("negative axis", "large float64")
"""Features with which the sides do not differ in each call."""

EVERYWHERE: Final = ("denormal", "empty")
"""Features that MindSpore on a CPU treats otherwise in most functions: a denormal is zero, and what
is empty may have another gradient or raise. The page says so once; only where values differ in
silence does a row name them."""
