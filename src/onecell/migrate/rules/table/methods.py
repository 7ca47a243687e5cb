"""Methods of torch's tensors, and what computes the same in MindSpore: a method, or a function.

Each is a row, proved like any other. Where torch has a function of the name, the method's row comes
from the function's, so that one is as exact as the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from onecell.migrate.rules.table.arithmetic import ARITHMETIC
from onecell.migrate.rules.table.arrangement import ARRANGEMENT
from onecell.migrate.rules.table.domain import (
    ANY,
    BOOLS,
    FLOATS,
    INTEGERS,
    NUMBERS,
    Axis,
    Domain,
    OneOf,
    Tensor,
)
from onecell.migrate.rules.table.functions import FUNCTIONS
from onecell.migrate.rules.table.matrices import MATRICES
from onecell.migrate.rules.table.reductions import REDUCTIONS
from onecell.migrate.rules.table.row import Row, Signature, row

AS_FUNCTION: Final = frozenset(
    (  # noqa: SIM905 - one name a line would be a page
        "acos addcmul any argmin argsort asin asinh atanh baddbmm bernoulli bincount broadcast_to"
        " count_nonzero deg2rad diag_embed diagonal dot erfinv exp2 fmax hypot inverse lgamma"
        " log_softmax multinomial mv nan_to_num norm outer rad2deg relu"
        " repeat_interleave scatter_add softmax std var"
    ).split()
)
"""MindSpore's tensors lack the method, or it gives something else than torch's."""

_SAME: Final = (  # noqa: SIM905 - as above
    "abs add addmm all amax amin argmax bmm ceil chunk clamp cos cumsum div eq erf exp flatten"
    " floor gather ge gt index_select isnan le log log1p logical_and logical_not logical_or lt"
    " masked_fill masked_select matmul max maximum mean min minimum mm mul ne neg nonzero numel"
    " pow prod round rsqrt scatter sigmoid sign sin sort sqrt square squeeze sub sum t tanh topk"
    " tril triu transpose unbind unsqueeze"
).split()
_BY_OTHER_NAMES: Final = frozenset(["amax", "amin", "squeeze"])
"""Methods whose arguments MindSpore calls as those of its function."""


def _functions() -> Mapping[str, Row]:
    every = (*FUNCTIONS, *ARRANGEMENT, *MATRICES, *ARITHMETIC, *REDUCTIONS)
    plain = [r for r in every if r.torch.path.count(".") == 1 and r.one_way != "torch"]
    return {r.torch.path.partition(".")[2]: r for r in plain}


def _of_function(one: Row, name: str) -> Row:
    """Return the row of the method that is called as a function."""
    given = one.torch.text.partition("(")[2]
    first = one.torch.positional[0]
    ours = Signature(f"torch.Tensor.{name}({given}")
    if name in AS_FUNCTION:
        return replace(one, torch=ours, one_way="mindspore")
    theirs, pairs = given, {}
    if name in _BY_OTHER_NAMES:
        theirs, pairs = one.mindspore.text.partition("(")[2], dict(one.pairs)
    paired = one.gives in ("pair", "extreme")
    return replace(
        one,
        rule=one.rule.removesuffix("_function"),
        torch=ours,
        mindspore=Signature(f"mindspore.Tensor.{name}({theirs}"),
        pairs={first: "self"} | pairs if theirs.startswith("self") else pairs,
        shape=one.shape if paired else "",
        one_way="mindspore",
    )


def _method(
    name: str,
    arguments: str = "",
    domain: Mapping[str, Domain] | None = None,
    *,
    of: Tensor | None = None,
    becomes: str = "",
    gives: str = "tensor",
    raises: tuple[str, ...] = (),
    holds: tuple[str, ...] = (),
) -> Row:
    """Return the row of a method of its own; `becomes` is what MindSpore calls it."""
    given = f"(input{', ' if arguments else ''}{arguments})"
    return row(
        "method",
        f"torch.Tensor.{name}{given}",
        f"mindspore.Tensor.{becomes or name}{given}",
        gives=gives,
        one_way="mindspore",
        domain={"input": Tensor("*s", ANY) if of is None else of, **(domain or {})},
        raises=raises,
        holds=holds,
    )


def _plain(*names: str, of: Tensor | None = None, raises: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Return the rows of methods without arguments."""
    return tuple(_method(name, of=of, raises=raises) for name in names)


def _with_other(*names: str, of: tuple[str, ...] = NUMBERS) -> tuple[Row, ...]:
    """Return the rows of methods that take another tensor."""
    domain = {"other": Tensor("*s", of)}
    return tuple(_method(name, "other", domain, of=Tensor("*s", of)) for name in names)


_CUBE: Final = Tensor("2 3 4", ANY)

_OWN: Final = (
    *_plain("absolute", "negative", "trunc", of=Tensor("*s", NUMBERS)),
    *_plain("frac", "reciprocal", of=Tensor("*s", FLOATS)),
    *_plain("contiguous", "ravel", "nelement", "ndimension", "dim", "tolist", "isfinite"),
    *_plain("float", "double", "int", "long", "bool", of=Tensor("*s", ANY, "finite")),
    *_plain("is_floating_point"),
    *_plain("numpy", of=Tensor("*s", (*INTEGERS, "bool"))),
    *_plain(
        "atan",
        "cosh",
        "erfc",
        "expm1",
        "isinf",
        "log10",
        "log2",
        "sinh",
        "tan",
        of=Tensor(values="positive"),
    ),
    *_plain("item", of=Tensor("1", ANY)),
    *_with_other("not_equal", "greater", "greater_equal", "less", "less_equal"),
    *_with_other("subtract", "atan2", of=FLOATS),
    *_with_other("logical_xor", of=ANY),
    *_with_other("bitwise_and", "bitwise_or", "bitwise_xor", of=(*INTEGERS, "bool")),
    *_with_other("view_as", "reshape_as", "expand_as", "type_as"),
    *(
        _method(
            name,
            "dtype",
            {"dtype": OneOf("torch.float32", "torch.float64", "torch.int64")},
            of=Tensor("*s", ANY, "finite"),
        )
        for name in ("to", "type")
    ),
    _method("clone", becomes="copy"),
    _method(
        "clamp_min",
        "min",
        {"min": OneOf("-1", "0.5")},
        of=Tensor("+s"),
        becomes="clamp",
        holds=("nan",),
    ),
    *(
        _method(name, "size", {"size": OneOf("(2, 3)", "[4]")})
        for name in ("new_zeros", "new_ones")
    ),
    *_plain("half", "short", "byte", of=Tensor("*s", ANY, "positive")),
    _method(
        "repeat",
        "*dims",
        {"dims": OneOf("2, 1, 3", "1, 2, 1, 2", "(2, 1, 2)")},
        of=_CUBE,
        becomes="tile",
    ),
    _method("tile", "*dims", {"dims": OneOf("2", "1, 2", "(2, 1)")}, of=_CUBE),
    *(
        _method(name, "*shape", {"shape": OneOf("6, 4", "-1", "(4, -1)", "2, 3, 4")}, of=_CUBE)
        for name in ("view", "reshape")
    ),
    _method(
        "expand", "*size", {"size": OneOf("2, 3", "(4, 2, 3)", "-1, 5")}, of=Tensor("2 1", ANY)
    ),
    _method("permute", "*dims", {"dims": OneOf("2, 0, 1", "(0, -1, 1)")}, of=_CUBE),
    *(
        _method(name, f"{a}, {b}", {a: Axis("input"), b: Axis("input")}, of=_CUBE)
        for name, a, b in (("swapaxes", "axis0", "axis1"), ("swapdims", "dim0", "dim1"))
    ),
    *(
        _method(
            name,
            "source, destination",
            {"source": Axis("input"), "destination": Axis("input")},
            of=_CUBE,
        )
        for name in ("moveaxis", "movedim")
    ),
    _method("flip", "dims", {"dims": OneOf("(0,)", "(1, -1)", "[2]")}, of=_CUBE),
    _method(
        "split",
        "split_size, dim=0",
        {"split_size": OneOf("1", "2"), "dim": Axis("input")},
        of=_CUBE,
        gives="tensors",
    ),
    _method(
        "narrow",
        "dim, start, length, /",
        {"dim": Axis("input"), "start": OneOf("0", "1"), "length": OneOf("1")},
        of=_CUBE,
    ),
    _method(
        "where",
        "condition, other",
        {"condition": Tensor("*s", ("bool",)), "other": Tensor("*s", NUMBERS)},
        of=Tensor("*s", NUMBERS),
    ),
    _method(
        "cumprod",
        "dim",
        {"dim": Axis("input")},
        of=Tensor("+s", FLOATS, "finite"),
        holds=("negative axis",),
    ),
    _method(
        "logsumexp",
        "dim, keepdim=False",
        {"dim": Axis("input"), "keepdim": BOOLS},
        of=Tensor("+s", FLOATS, "finite"),
    ),
    _method(
        "masked_scatter",
        "mask, source",
        {"mask": Tensor("*s", ("bool",)), "source": Tensor("*s", NUMBERS)},
        of=Tensor("*s", NUMBERS),
    ),
)

METHODS: Final[Mapping[str, Row]] = {
    **{name: _of_function(_functions()[name], name) for name in (*_SAME, *sorted(AS_FUNCTION))},
    **{each.torch.path.rpartition(".")[2]: each for each in _OWN},
}
"""Name of a method of torch's tensors → its row, to MindSpore only."""
