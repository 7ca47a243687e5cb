"""Every case is executed: before and after compute the same, there and back again."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from migrate.execution import (
    OTHER,
    Answers,
    Array,
    Case,
    differences,
    draw_inputs,
    execute,
    read_cases,
)
from onecell.migrate import Outcome, rewrite

CASES = [case for case in read_cases() if case.run]
BY_NAME = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module", autouse=True)
def _framework() -> Iterator[None]:
    """Import MindSpore, which warns as it comes, and let it run in the caller's thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process

        take_process()
        yield


pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:mindspore", "ignore:Implicit dimension choice:UserWarning"
)

_ANSWERS: dict[tuple[str, str], Answers] = {}


def answers(case: Case, source: str, framework: str) -> Answers:
    """Execute a module of a case; the same module is executed once."""
    key = source, framework
    if key not in _ANSWERS:
        _ANSWERS[key] = execute(source, framework, draw_inputs(case), trains=case.trains)
    return _ANSWERS[key]


@BY_NAME
def test_after_computes_what_before_does(case: Case) -> None:
    before = answers(case, case.before, OTHER[case.to])
    assert not differences(answers(case, case.after, case.to), before)


@BY_NAME
def test_the_way_back_computes_what_before_does(case: Case) -> None:
    """A use that the way back refuses or marks has said so; everything else must agree."""
    back = rewrite(case.after, to=OTHER[case.to], target="native", whole_file=True)
    if {found.outcome for found in back.findings} & {Outcome.REFUSED, Outcome.MARKED}:
        assert "TODO(onecell)" in back.after
        return
    before = answers(case, case.before, OTHER[case.to])
    assert not differences(answers(case, back.after, OTHER[case.to]), before)


@BY_NAME
def test_a_change_in_any_parameter_is_seen(case: Case) -> None:
    """Where a tenth more in a weight went unseen, equal answers would say nothing.

    Only what meets nothing but zeros, as weight_hh does in the first step from zeros, is exempt.
    """
    before = answers(case, case.before, OTHER[case.to])
    unseen = []
    for name in before.parameters:
        gradients = before.gradients or {}
        if name in gradients and not gradients[name].any():
            continue

        def change(weights: dict[str, Array], name: str = name) -> None:
            weights[name] = weights[name] * np.float32(1.1)

        changed = execute(
            case.before, OTHER[case.to], draw_inputs(case), change, trains=case.trains
        )
        answered = Answers(changed.outputs, before.parameters, changed.gradients)
        if not differences(answered, before):
            unseen.append(name)
    assert not unseen


def test_only_drawing_has_no_derivative() -> None:
    """Elsewhere every gradient is compared."""
    lacking = {
        case.name
        for case in CASES
        for text, framework in ((case.before, OTHER[case.to]), (case.after, case.to))
        if answers(case, text, framework).gradients is None
    }
    assert lacking <= {"multinomial", "multinomial_to_torch"}


def test_most_cases_are_executed() -> None:
    """What cannot be executed is the exception."""
    every = read_cases()
    assert len(CASES) >= 0.6 * len(every) > 0


BEFORE = """
import torch
from torch import nn

class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.cell = nn.LSTMCell(5, 4)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 2)

    def forward(self, tokens, h, c):
        for row in self.embedding(tokens):
            h, c = self.cell(row, (h, c))
        return self.head(self.norm(h)), c

def build():
    return Reader()

def run(model, tokens, h, c):
    return model(tokens, h, c)
"""
AFTER = """
import mindspore
from mindspore import nn

class Reader(nn.Cell):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.cell = nn.LSTMCell(5, 4)
        self.norm = nn.LayerNorm((4,), epsilon=1e-05)
        self.head = nn.Dense(4, 2)

    def construct(self, tokens, h, c):
        for row in self.embedding(tokens):
            h, c = self.cell(row, (h, c))
        return self.head(self.norm(h)), c

def build():
    return Reader()

def run(model, tokens, h, c):
    return model(tokens, h, c)
"""
EXAMPLE = Case(
    name="written by hand",
    to="mindspore",
    target="native",
    run=True,
    before=BEFORE,
    after=AFTER,
    inputs={"tokens": {"shape": [6, 3], "below": 11}, "h": [3, 4], "c": [3, 4]},
)
WRONG = {
    "state swapped": ("self.cell(row, (h, c))", "self.cell(row, (c, h))"),
    "state not carried": ("h, c = self.cell", "h_next, c_next = self.cell"),
    "cell state for hidden": ("self.norm(h)", "self.norm(c)"),
    "outputs swapped": ("self.norm(h)), c", "self.norm(h)), h"),
    "state made zero": ("self.cell(row, (h, c))", "self.cell(row, (h * 0, c * 0))"),
    "a bias lost": ("nn.LSTMCell(5, 4)", "nn.LSTMCell(5, 4, has_bias=False)"),
    "the other epsilon": ("epsilon=1e-05", "epsilon=1e-2"),
    "a step left out": ("self.embedding(tokens)", "self.embedding(tokens[1:])"),
    "steps in reverse": ("self.embedding(tokens)", "self.embedding(tokens.flip((0,)))"),
    "no gradient through the state": (
        "(row, (h, c))",
        "(row, (mindspore.ops.stop_gradient(h), c))",
    ),
    "one too many": ("return self.head", "c += 1\n        return self.head"),
    "rows for columns": ("return model(tokens, h, c)", "a, b = model(tokens, h, c); return a.T, b"),
}


def test_the_example_agrees() -> None:
    before = execute(BEFORE, "torch", draw_inputs(EXAMPLE))
    after = execute(AFTER, "mindspore", draw_inputs(EXAMPLE))
    assert not differences(after, before)
    assert before.gradients is not None
    some = {"input h", "cell.weight_hh", "embedding.weight", "norm.weight"}
    assert some <= before.gradients.keys()


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_after_fails(mistake: str) -> None:
    right, wrong = WRONG[mistake]
    assert AFTER.count(right) == 1
    before = answers(EXAMPLE, BEFORE, "torch")
    after = execute(AFTER.replace(right, wrong), "mindspore", draw_inputs(EXAMPLE))
    assert differences(after, before)
