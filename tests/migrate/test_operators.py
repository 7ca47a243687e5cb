"""Every row of the way back is proved: the migrator rewrites MindSpore's calls, torch agrees.

They are drawn from the row; an operator is both called at once and kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from migrate.drawing import TURNS, Chance, Drawn, _argument, _Sizes
from onecell.migrate import Outcome, rewrite
from onecell.migrate.rules.table.domain import Tensor
from onecell.migrate.rules.table.operator import Operator
from onecell.migrate.rules.table.operator_index import by_path
from onecell.migrate.rules.table.row import Row, Signature

ROWS = [each for rows in by_path().values() for each in rows]
DRAWN = [each for each in ROWS if each.proof != "run"]
BATCH = 8
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mindspore")


@pytest.fixture(scope="module", autouse=True)
def _framework() -> Iterator[None]:
    """Import MindSpore, which warns as it comes, and let it run in the caller's thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process

        take_process()
        yield


def _called(each: Operator) -> str:
    settings = each.made.text.partition("(")[2] if each.is_made else ""
    return f"{each.path}-{settings}{sorted(each.when.items())}"


def _calls(draw: Chance, each: Operator, feature: str) -> Drawn:
    """Draw a call in MindSpore's spelling; the text of an operator has a bar after the making."""
    sizes = _Sizes(draw, feature)
    arrays: dict[str, Any] = {}
    lists: dict[str, int] = {}
    wanted = {
        name: _argument(draw, sizes, name, domain, arrays, lists)
        for name, domain in each.domain.items()
        if name not in each.called.defaults or draw.yes() or name in each.when
    }

    def written(signature: Signature) -> str:
        parts: list[str] = []
        for name in signature.positional:
            if name in wanted:
                by_keyword = len(parts) < signature.positional.index(name)
                parts.append(f"{name}={wanted[name]}" if by_keyword else wanted[name])
        return ", ".join(parts)

    made = f"{each.path}({written(each.made)})|" if each.is_made else each.path
    return Drawn(f"{made}({written(each.called)})", arrays, lists)


def _source(drawn: Sequence[Drawn]) -> str:
    lines = ["import mindspore", "import mindspore.numpy", ""]
    for i, one in enumerate(drawn):
        listed = {f"{n}_{k}" for n, count in one.lists.items() for k in range(count)}
        names = [*(n for n in one.arrays if n not in listed), *one.lists]
        made, bar, call = one.text.partition("|")
        if bar and i % 2:
            lines += [f"kept_{i} = {made}", ""]
            made = f"kept_{i}"
        lines += [f"def case_{i}({', '.join(names)}):", f"    return {made}{call}", ""]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Answer:
    wrong: list[str]
    apart: set[str]
    agreed: int


def _prove(each: Operator, feature: str = "", change: Any = None, turn: int = 0) -> _Answer:
    from migrate.proving import _differ, _in_mindspore, _in_torch, _is_everywhere, _load, _shapes

    like = Row(
        "operator",
        Signature("torch.f()"),
        Signature(f"{each.path}()"),
        gives="optimizer" if each.gives == "optimizer" else "tensor",
        domain=each.domain,
        holds=each.holds,
        raises=each.raises,
        proof="random" if each.proof == "random" else "drawn",
    )
    wrong: list[str] = []
    apart: set[str] = set()
    agreed = 0
    draw = Chance(_called(each), feature, turn)
    drawn = [_calls(draw, each, feature) for _ in range(BATCH)]
    before = _source(drawn)
    there = rewrite(before, to="torch", target="native", whole_file=True)
    marked = [f for f in there.findings if f.outcome in (Outcome.MARKED, Outcome.REFUSED)]
    assert not marked, f"in the domain, and marked: {marked[0].message}\n{before}"
    assert rewrite(there.after, to="torch", target="native", whole_file=True).after == there.after
    after = there.after if change is None else change(there.after)
    modules = _load(before), _load(after)
    for i, one in enumerate(drawn):
        theirs = _in_mindspore(like, getattr(modules[0], f"case_{i}"), one)
        ours = _in_torch(like, getattr(modules[1], f"case_{i}"), one)
        found = ours.error or _differ(like, theirs, ours)
        named = one.features & {*each.holds, *each.raises}
        if theirs.error and not ours.error and not named:
            continue  # an error there may be an answer here
        if not found:
            agreed += 1
        elif _is_everywhere(one, theirs, found) and not named:
            continue
        elif named:
            apart.update(named)
        else:
            said = f"{one.text} {_shapes(one)} {sorted(one.features)}: {found}"
            wrong.append(said)
    return _Answer(wrong, apart, agreed)


@pytest.mark.parametrize("each", DRAWN, ids=_called)
def test_torch_computes_what_mindspore_does(each: Operator) -> None:
    found = _prove(each)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.agreed >= BATCH // 5
    for feature in sorted({*each.holds, *each.raises}):
        for turn in range(TURNS):
            if feature not in found.apart:
                more = _prove(each, feature, turn=turn)
                assert not more.wrong, "\n".join(more.wrong)
                found.apart.update(more.apart)
    assert {*each.holds, *each.raises} <= found.apart, "an exception that does not show"


def test_every_row_has_a_proof() -> None:
    """A row without a domain for each argument cannot be added."""
    for each in DRAWN:
        required = {*each.called.names} - {*each.called.defaults}
        required |= {*each.made.names} - {*each.made.defaults}
        assert required <= each.domain.keys(), each.path
        assert (
            any(isinstance(d, Tensor) for d in each.domain.values())
            or "shape" in (each.domain)
            or "n" in each.domain
        ), each.path


@pytest.mark.parametrize(
    ("old", "new"), [("keepdim=True", "keepdim=False"), ("x.mT", "x"), ("torch.tanh", "torch.sin")]
)
def test_a_wrong_expression_is_seen(old: str, new: str) -> None:
    hit = False
    for each in DRAWN:
        if old.partition("=")[0] in each.torch and not each.holds:
            hit = hit or bool(_prove(each, change=lambda text: text.replace(old, new)).wrong)
    assert hit
