"""Every row is proved: both sides compute the same in all that its domain may give them.

The calls are drawn from the row, written in torch, rewritten by the migrator itself, there and
back, and run in both frameworks. What a row names as an exception must show, too.
"""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

import onecell
from migrate.corpus import CASES
from migrate.drawing import TURNS, batches
from onecell.migrate import rewrite
from onecell.migrate.rules.families.tensors.in_place import _METHODS as IN_PLACE
from onecell.migrate.rules.table import candidates
from onecell.migrate.rules.table.domain import AT_TIMES, EVERYWHERE, SENTENCES, Tensor
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import CALLED_TENSOR, MADE_TENSOR, ROWS
from onecell.migrate.rules.table.methods import METHODS
from onecell.migrate.rules.table.row import Row, row

DRAWN = [
    r
    for r in (*ROWS, *METHODS.values(), CALLED_TENSOR)
    if r.proof in ("drawn", "random") and r.one_way != "torch"
]
BY_ROW = pytest.mark.parametrize("one", DRAWN, ids=lambda r: f"{r.rule}:{r.torch.path}")
BATCH = 16
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mindspore")


@pytest.fixture(scope="module", autouse=True)
def _framework() -> Iterator[None]:
    """Import MindSpore, which warns as it comes, and let it run in the caller's thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process

        take_process()
        yield


def _take_denormals() -> None:
    """Undo what a convolution of MindSpore's leaves: this thread takes denormals for zero."""
    import torch

    torch.set_flush_denormal(False)


def run(
    one: Row, feature: str = "", change: Callable[[str], str] = lambda after: after, turn: int = 0
) -> tuple[list[str], set[str], int]:
    """Return what is wrong with a row, the features in which it is apart, and what agreed."""
    from migrate.proving import prove

    _take_denormals()
    found = prove(one, batches(one, _count(one), feature, turn), change)
    return list(found.wrong), set(found.apart), found.agreed


def _count(one: Row) -> int:
    """Return how many calls are drawn at once: those that take long are fewer."""
    return BATCH // 2 if one.gives in ("optimizer", "module") else BATCH


OF_AVX512 = {"gelu": {"infinite"}, "log_softmax": {"row of -inf"}}
"""Exceptions that do not show with AVX2 alone."""


@BY_ROW
def test_both_sides_compute_the_same(one: Row) -> None:
    apart: set[str] = set()
    agreed, enough = 0, _count(one) // 6
    for feature in ("", *sorted({*one.holds, *one.raises} - {*AT_TIMES})):
        for turn in range(TURNS):
            if feature in apart or (agreed >= enough and not feature):
                break
            wrong, more, same = run(one, feature, turn=turn)
            assert not wrong, "\n".join(wrong)
            apart |= more
            agreed += 0 if feature else same
    assert agreed >= enough
    hidden = {*AT_TIMES}
    if "avx512" not in onecell.available_isas():
        hidden |= OF_AVX512.get(one.rule.removesuffix("_layer"), set())
    assert {*one.holds, *one.raises} <= apart | hidden, "an exception that does not show"


def test_an_error_is_of_the_call_that_made_it() -> None:
    """What fails after it was called fails whatever is called next."""
    import mindspore

    for n in range(1, 40):
        with pytest.raises(TypeError):
            mindspore.ops.cos(mindspore.Tensor([n]))
        assert mindspore.ops.cos(mindspore.Tensor([0.0])).asnumpy() == 1.0


def test_every_row_says_how_it_is_proved() -> None:
    """Without a domain for each argument that both sides have, a row cannot be added."""
    executed = {case.rule for case in CASES if case.run}
    lacking = []
    for one in (*ROWS, *METHODS.values(), *CELL.values(), MADE_TENSOR):
        if one.proof == "run":
            if one.rule not in executed:
                lacking.append(f"{one.rule}: no case of it is run")
        elif one.proof == "file":
            continue
        elif one.proof == "named":
            if one.torch.is_callable or one.mindspore.is_callable:
                lacking.append(f"{one.rule}: it can be called")
        elif one.one_way != "torch" and one is not MADE_TENSOR:
            required = {*one.torch.names} - {*one.torch.defaults}
            if not required <= one.domain.keys() or not (one.domain or one.given):
                lacking.append(f"{one.rule}: {sorted(required - one.domain.keys())}")
            if one.gives in ("layer", "module", "loss") and not one.given:
                lacking.append(f"{one.rule}: nothing that an instance is called with")
    assert not lacking


def test_a_method_goes_with_its_function() -> None:
    """What torch has as a function and as a method is as exact in both forms."""
    import torch

    named = {one.torch.path.partition(".")[2] for one in DRAWN if one.torch.is_callable}
    both = {name for name in named if callable(getattr(torch.Tensor, name, None))}
    assert both <= METHODS.keys(), sorted(both - METHODS.keys())


FILES = """
import torch
from torch import nn
model = nn.Linear(3, 2)
torch.save(model.state_dict(), "PLACE.pt")
other = nn.Linear(3, 2)
state = torch.load("PLACE.pt")
other.load_state_dict(state)
same = bool((model.weight == other.weight).all()) and bool((model.bias == other.bias).all())
"""


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_what_is_saved_is_loaded_there_and_back(tmp_path: Path) -> None:
    source = FILES.replace("PLACE", str(tmp_path / "model"))
    there = rewrite(source, to="mindspore", target="native", whole_file=True)
    back = rewrite(there.after, to="torch", target="native", whole_file=True)
    for text in (source, there.after, back.after):
        module: dict[str, Any] = {}
        exec(text, module)
        assert module["same"]


def test_what_has_a_name_only_is_there_in_both() -> None:
    for one in ROWS:
        if one.proof == "named":
            found = [_at(side.path) for side in (one.torch, one.mindspore)]
            assert one.gives != "dtype" or len({str(f).split(".")[-1].lower() for f in found}) == 1


def _at(path: str) -> Any:
    home, _, name = path.rpartition(".")
    return resolve_name(f"{home}:{name}" if home.startswith("onecell.") else path)


def test_exceptions_have_words() -> None:
    used = {feature for one in ROWS for feature in (*one.holds, *one.raises)}
    assert used <= SENTENCES.keys()
    assert {*EVERYWHERE} <= SENTENCES.keys()


WRONG = {
    "the axis": lambda after: after.replace("axis=", "axis=-1 - "),
    "the function": lambda after: after.replace("ops.sum(", "ops.prod("),
    "the index type": lambda after: after.replace(".long()", ""),
    "a default": lambda after: after.replace("alpha=0.01", "alpha=0.2"),
    "the padding": lambda after: after.replace("pad_mode='pad'", "pad_mode='same'"),
    "a part": lambda after: after.replace("ops.exp(", "ops.abs("),
    "the decay": lambda after: after.replace("weight_decay=0.1", "weight_decay=0.0"),
}
OF_RULE = {
    "the axis": "cumsum",
    "the function": "sum",
    "the index type": "argmin",
    "a default": "leaky_relu",
    "the padding": "conv1d",
    "a part": "softmax",
    "the decay": "sgd",
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_what_is_written_is_seen(mistake: str) -> None:
    one = next(r for r in DRAWN if r.rule == OF_RULE[mistake])
    assert any(run(one, change=WRONG[mistake], turn=turn)[0] for turn in range(TURNS))


FALSE_ROWS = {
    "another function": row(
        "sum",
        "torch.sum(input, dim)",
        "mindspore.ops.mean(x, axis)",
        pairs={"input": "x", "dim": "axis"},
        domain={
            "input": Tensor("+s"),
            "dim": next(r for r in DRAWN if r.rule == "sum").domain["dim"],
        },
    ),
    "no exception": replace(next(r for r in DRAWN if r.rule == "argsort"), shape="", holds=()),
}


@pytest.mark.parametrize("mistake", FALSE_ROWS)
def test_a_false_row_is_seen(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from onecell.migrate.rewriting import transform
    from onecell.migrate.rules.table.lookup import rows_to

    one = FALSE_ROWS[mistake]

    def with_it(to: str, target: str) -> dict[str, Row]:
        source = "torch" if to == "mindspore" else "mindspore"
        return {**rows_to(to, target), one.side(source).path: one}

    monkeypatch.setattr(transform, "rows_to", with_it)
    wrong, _, _ = run(one)
    assert wrong


def test_what_marks_advise_is_there() -> None:
    import mindspore

    said = [
        *candidates.CANDIDATES.values(),
        *candidates._PARTS.values(),
        *(candidates.of_method(name) for name in (*candidates._METHODS, *IN_PLACE)),
        *(f"`mindspore.ops.{name}`" for name in candidates._SAME_FUNCTIONS.split()),
        *(f"`mindspore.nn.{name}`" for name in candidates._SAME_LAYERS.split()),
    ]
    assert all(said)
    for text in said:
        for path in re.findall(r"mindspore((?:\.[A-Za-z_]\w*)+)", text):
            assert operator.attrgetter(path[1:])(mindspore), text
        for method in re.findall(r"\bx\.(\w+)\(", text):
            assert callable(getattr(mindspore.Tensor, method)), text


def test_marks_of_one_part_of_a_framework_say_the_same() -> None:
    assert candidates.advice("torch.jit.script", None) == candidates.advice("torch.jit.x.y", None)
    assert candidates.advice("torch.nowhere", None) == ""
    assert "`mindspore.ops.x`" in candidates.advice("torch.jit.x", "mindspore.ops.x")
