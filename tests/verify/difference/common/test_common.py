"""What every framework answered, against its row, its claims and itself; and that probes find."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onecell.dialect import DIALECTS
from onecell.verify.difference import (
    LANGUAGES,
    Outcome,
    Table,
    Verdict,
    changes,
    dump,
    from_json,
    to_html,
    to_markdown,
)
from onecell.verify.difference.claims import Between, Expected
from onecell.verify.difference.common import asking
from onecell.verify.difference.common.adapters import ADAPTERS, TITLES
from onecell.verify.difference.common.answering import answer
from onecell.verify.difference.common.claims import claimed, layout_of
from onecell.verify.difference.common.run import (
    HERE,
    MATTERS,
    Answers,
    above,
    adapter_file,
    ask_framework,
    conclude,
    pair,
)
from onecell.verify.difference.common.stored import dump_answers, stored_answers
from onecell.verify.difference.words import PHRASES
from onecell.verify.runtimes import find_interpreter

SOON = ("torch", "numpy", "onnx")
"""Asked everything in every run of the tests: they answer within a second or two."""
FEW = ("state-order", "return-form", "layout", "forget-bias-added")
INSTALLED = ("mindspore", "keras", "haiku")
"""Installed for the tests, and asked a few questions in every run of them."""


@pytest.fixture(scope="module", params=list(ADAPTERS))
def answers(request: pytest.FixtureRequest) -> Answers:
    name: str = request.param
    return stored_answers(name)


def test_each_adapter_has_a_dialect_a_title_and_a_file() -> None:
    assert set(ADAPTERS) <= set(DIALECTS)
    assert TITLES.keys() == ADAPTERS.keys()
    there = {path.name for path in (HERE / "adapters").glob("*_cell.py")}
    assert there == {adapter_file(name) for name in ADAPTERS}
    assert {path.stem for path in (HERE / "stored").iterdir()} == set(ADAPTERS)


def test_what_is_stored_is_whole_and_as_claimed(answers: Answers) -> None:
    assert answers.observations.keys() == MATTERS.keys()
    for name, each in answers.observations.items():
        found = conclude(MATTERS[name], [each, each])
        assert found.verdict is Verdict.SAME, (name, each.value, claimed(answers.framework)[name])
    path = HERE / "stored" / f"{answers.framework}.json"
    assert dump_answers(answers) == path.read_text("utf-8")


def test_the_probe_says_the_same_as_the_row(answers: Answers) -> None:
    row, said = DIALECTS[answers.framework], answers.observations
    assert said["layout"].value == layout_of(row)
    assert said["state-order"].value == dict.fromkeys(("in", "out"), ", ".join(row.state))
    assert said["forget-bias-added"].value == row.layout.forget_offset
    left_out = said["state-omitted"].value
    assert (left_out == "zeros") is (row.default_state == "zeros")


def test_a_wrong_claim_is_named(answers: Answers) -> None:
    held = claimed(answers.framework)
    assert held.keys() <= MATTERS.keys()
    for name in held:
        each = answers.observations[name]
        lie = {**held, name: "another"}

        def lying(_: str, lie: Mapping[str, Expected] = lie) -> Mapping[str, Expected]:
            return lie

        found = conclude(MATTERS[name], [each, each], lying)
        assert found.verdict is Verdict.WRONG
        assert answers.framework in found.wrong
        assert "Held of" in found.claim.en


@pytest.mark.parametrize("other", ["gates", "gates_first", "joined", "state", "forget_offset"])
def test_a_row_that_says_otherwise_is_caught(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = DIALECTS["haiku"]
    wrong: dict[str, Any] = {
        "gates": "ifgo",
        "gates_first": True,
        "joined": False,
        "forget_offset": 0.0,
    }
    lie = replace(row, state="ch")
    if other == "joined":
        names = {"weight_ih": "linear.w", "weight_hh": "linear.v", "bias": "linear.b"}
        lie = replace(row, layout=replace(row.layout, joined=False), parameters=names)
    elif other != "state":
        lie = replace(row, layout=replace(row.layout, **{other: wrong[other]}))
    monkeypatch.setattr(
        "onecell.verify.difference.common.claims.DIALECTS", {**DIALECTS, "haiku": lie}
    )
    table = pair(stored_answers("haiku"), stored_answers("torch"))
    assert any(finding.wrong == ("haiku",) for finding in table.findings)


def _unchanged(name: str, matters: tuple[str, ...]) -> None:
    asked = [MATTERS[each] for each in matters]
    now, before = ask_framework(name, asked), stored_answers(name)
    assert all(o.outcome is not Outcome.MISSING for o in now.observations.values()), now
    with_itself = [pair(each, each, asked) for each in (before, now)]
    assert [change.describe() for change in changes(*with_itself)] == []
    assert all(not finding.wrong for finding in with_itself[1].findings)


@pytest.mark.parametrize("name", SOON)
def test_it_answers_today_as_stored(name: str) -> None:
    _unchanged(name, tuple(MATTERS))


@pytest.mark.parametrize("name", INSTALLED)
def test_it_answers_a_few_today_as_stored(name: str) -> None:
    _unchanged(name, FEW)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in ADAPTERS if name not in SOON])
def test_every_other_answers_all_today_as_stored(name: str) -> None:
    if find_interpreter(name) is None:
        pytest.skip(f"no Python here has {name}")
    _unchanged(name, tuple(MATTERS))


def _space(gates: str, offset: float, *, rows: bool) -> dict[str, Any]:
    """Return what `asking` has, above an adapter of a cell in NumPy with this layout."""
    space: dict[str, Any] = {"__name__": "probe"}
    exec(compile(Path(asking.__file__).read_text("utf-8"), "asking", "exec"), space)

    def make(inputs: int, hidden: int, **_: Any) -> dict[str, np.ndarray]:
        kernel = np.zeros((inputs + hidden, 4 * hidden))
        return {"kernel": kernel.T if rows else kernel, "bias": np.zeros(4 * hidden)}

    def step(cell: Any, x: np.ndarray, state: Any) -> tuple[np.ndarray, np.ndarray]:
        kernel = cell["kernel"].T if rows else cell["kernel"]
        sums = np.concatenate([x, state[1]], 1) @ kernel + cell["bias"]
        block = dict(zip(gates, np.split(sums, 4, 1), strict=True))
        block["f"] = block["f"] + offset
        i, f, o = (1 / (1 + np.exp(-block[gate])) for gate in "ifo")
        c_next = f * state[0] + i * np.tanh(block["g"])
        return c_next, o * np.tanh(c_next)

    return space | {
        "ORDER": "ch",
        "make": make,
        "call": step,
        "parameters": dict,
        "put": lambda cell, values: {**cell, **values},
    }


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize(("gates", "offset"), [("ifgo", 0.0), ("ogfi", 1.0), ("fiog", 2.0)])
def test_probes_find_what_they_were_not_told(gates: str, offset: float, *, rows: bool) -> None:
    space = _space(gates, offset, rows=rows)
    # The helpers look names up where they are defined.
    for name in ("step", "layout", "effects", "with_zeros", "arguments"):
        space[name] = type(space[name])(space[name].__code__, space, name, space[name].__defaults__)
    shape = "4H, I+H) of x beside h" if rows else "I+H, 4H) of x above h"
    order = " ".join(gates)
    want = {"kernel": f"({shape}: {order}", "bias": f"(4H) bias: {order}"}
    assert answer(MATTERS["layout"].program, space)["value"] == want
    found = answer(MATTERS["state-order"].program, space)["value"]
    assert found == {"in": "c, h", "out": "c, h"}
    assert answer(MATTERS["return-form"].program, space)["value"] == "tuple(c', h')"
    assert answer(MATTERS["forget-bias-added"].program, space)["value"] == offset


def test_a_program_runs_as_it_is_shown(tmp_path: Path) -> None:
    """What the page shows, one below the other, is a program that a person can paste."""
    text = "\n\n".join((Path(asking.__file__).read_text("utf-8"), above("torch")))
    path = tmp_path / "pasted.py"
    path.write_text(f"{text}\n\n{MATTERS['layout'].program}\n", "utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    want = stored_answers("torch").observations["layout"].value
    assert done.stdout.strip() == str(want)


def _tables() -> list[Table]:
    torch = stored_answers("torch")
    return [pair(torch, stored_answers(name)) for name in ADAPTERS if name != "torch"]


def test_every_table_with_torch_is_written_and_read() -> None:
    for table in _tables():
        assert from_json(json.loads(dump(table))) == table
        for language in LANGUAGES:
            assert to_html(table, language).endswith("</html>\n")
            page = to_markdown(table, language)
            assert all(f'<a id="{finding.id}"></a>' in page for finding in table.findings)


def test_a_framework_differs_from_none_in_its_own_answers() -> None:
    for name in ADAPTERS:
        found = pair(stored_answers(name), stored_answers(name))
        assert {finding.verdict for finding in found.findings} == {Verdict.SAME}


def test_every_matter_has_both_languages_and_words_have_chinese() -> None:
    for each in MATTERS.values():
        for text in (each.matter, each.says):
            assert not re.search("[\u4e00-\u9fff]", text.en)
        assert re.search("[\u4e00-\u9fff]", each.says.zh)
    words = set(
        chain.from_iterable(
            _keys(o.value) for n in ADAPTERS for o in stored_answers(n).observations.values()
        )
    )
    code = re.compile(r"[\w.]+|[xhc] float\d\d|[xch] \(N, .*\)")
    assert {word for word in words if not code.fullmatch(word)} <= PHRASES.keys()


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def test_a_bias_is_told_by_its_distribution_each_time() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        normal = rng.normal(size=1000)
        cut = 0.05 * normal[np.abs(normal) < 2][:400]
        assert asking.drawn(rng.uniform(-0.1, 0.1, 400)) == "uniform ±0.10"
        assert asking.drawn(cut).startswith("truncated normal, deviation 0.0")


def test_limits_on_errors_are_above_rounding() -> None:
    for name in ADAPTERS:
        for matter in ("accuracy", "accuracy-wide", "rollout"):
            limit = claimed(name)[matter]
            assert isinstance(limit, Between)
            assert limit.high <= 3e-4
