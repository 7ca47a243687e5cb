"""The page of performance says what the checked-in result says, and nothing else by hand."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import page
import pytest
from bench import drawing, result, summary, table_text, tables, words
from hypothesis import given
from hypothesis import strategies as st

MARK = re.compile(r"<!-- measured: ([a-z]+) -->")


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return page.load()


@pytest.mark.parametrize("path", page.PAGES, ids=lambda path: str(path.relative_to(page.ROOT)))
def test_the_page_is_what_was_measured(measured: dict[str, Any], path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert MARK.search(text), "the page has nothing that was measured"
    assert text == page.fill(text, measured, page.PAGES[path]), "run benchmarks/page.py"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_every_section_once(language: str) -> None:
    path = page.PAGE.parents[2] / language / "reference" / page.PAGE.name
    assert path in page.PAGES
    assert sorted(MARK.findall(path.read_text(encoding="utf-8"))) == sorted(tables.SECTIONS)


def test_a_changed_figure_changes_the_page(measured: dict[str, Any]) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    changed = json.loads(json.dumps(measured))
    row = changed["sections"]["table"]["rows"][0]
    row["figures"]["onecell"]["median"] *= 3
    assert page.fill(text, changed) != text


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("section", tables.SECTIONS)
def test_both_languages_tell_the_same(measured: dict[str, Any], section: str) -> None:
    english, chinese = (
        tables.SECTIONS[section](measured, say) for say in (words.english, words.chinese)
    )
    assert numbers(english) == numbers(chinese)
    assert english.count("|") == chinese.count("|")


def test_no_english_is_left_in_chinese(measured: dict[str, Any]) -> None:
    """But for names: of libraries, settings and contenders, which the pictures have too."""
    text = tables.everything(measured, words.chinese)
    left = re.findall(r"\b(?:is|are|the|of|at|to|or|not|met|than|which|with)\b", text)
    assert left == []


def test_what_a_result_says_otherwise_stays_as_it_is() -> None:
    assert words.told("Invalid cuda, device 7", words.english) == "Invalid cuda, device 7"
    assert words.told("jax is not installed", words.chinese) == "未安装 jax"
    assert words.told("f(a, b) = 2, one call, odd", words.chinese) == "f(a, b) = 2，一次调用，odd"


def test_words_outside_the_marks_stay(measured: dict[str, Any]) -> None:
    text = "before\n<!-- measured: machine -->\nold\n<!-- end -->\nafter\n"
    filled = page.fill(text, measured)
    assert filled.startswith("before\n<!-- measured: machine -->\n")
    assert filled.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in filled


def test_an_unknown_section_is_refused(measured: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        page.fill("<!-- measured: nothing -->\n<!-- end -->", measured)


def test_an_empty_result_fills_every_section(measured: dict[str, Any]) -> None:
    empty = {"format": result.FORMAT, "machine": measured["machine"], "sections": {}}
    assert table_text.unmeasured() in tables.everything(empty)


def test_who_was_not_timed_is_named_with_the_reason() -> None:
    row = {
        "size": [1, 1, 10, 16], "section": "step", "settings": {}, "targets": [], "figures": {},
        "missing": {"JAX": "jax is not installed"}, "excluded": {"OpenVINO": "wrong: off by 1e+00"},
    }  # fmt: skip
    text = tables.peers({"sections": {"table": {"rows": [row]}}})
    assert "- JAX: jax is not installed" in text
    assert "- OpenVINO at 1, 1, 10, 16: not timed: wrong: off by 1e+00" in text


def row_of(ratio: float, at_least: float, spread: float) -> dict[str, Any]:
    """Return a row where ours takes 10 µs, by quartiles that are `spread` of it apart."""
    target = {
        "ours": "onecell", "at_least": at_least, "ratio": ratio, "best": "JAX",
        "met": ratio >= at_least,
    }  # fmt: skip
    figures = {
        name: {"median": us, "low": us * (1 - spread / 2), "high": us * (1 + spread / 2)}
        for name, us in (("onecell", 10.0), ("JAX", 10.0 * ratio))
    }
    return {
        "name": "step:1,1,128,128", "size": [1, 1, 128, 128], "section": "step",
        "targets": [target], "figures": figures,
    }  # fmt: skip


def in_a_table(row: dict[str, Any]) -> dict[str, Any]:
    return {"sections": {"table": {"rows": [row]}}}


@pytest.mark.parametrize(
    ("ratio", "spread", "said"),
    [
        (0.8, 0.1, "- step at 1, 1, 128, 128: onecell is slower than JAX, 0.80×."),
        (1.1, 0.4, "- step at 1, 1, 128, 128: onecell may be slower than JAX, 0.73 to 1.65×."),
        (0.5, 0.4, "- step at 1, 1, 128, 128: onecell is slower than JAX, 0.33 to 0.75×."),
        (1.1, 0.1, "Nowhere, among what is measured here."),
    ],
)
def test_where_a_peer_is_faster_is_told(ratio: float, spread: float, said: str) -> None:
    assert tables.losses(in_a_table(row_of(ratio, 3.0, spread))) == said


@pytest.mark.parametrize(
    ("ratio", "spread", "said"),
    [
        (2.2, 0.2, "| 2.20× | 2× | - | met |"),
        (1.9, 0.2, "| 1.90× | 2× | - | **missed** |"),
        (2.2, 0.3, "| 1.63 to 2.98× | 2× | - | undecided |"),
        (1.9, 0.3, "| 1.40 to 2.57× | 2× | - | undecided |"),
        (3.0, 0.3, "| 2.22 to 4.06× | 2× | - | met |"),
        (1.0, 0.3, "| 0.74 to 1.35× | 2× | - | **missed** |"),
    ],
)
def test_a_figure_that_is_not_to_be_trusted_decides_nothing(
    ratio: float, spread: float, said: str
) -> None:
    assert said in tables.targets(in_a_table(row_of(ratio, 2.0, spread)))


def test_a_figure_that_is_not_to_be_trusted_is_not_told_as_a_result() -> None:
    assert table_text.microseconds({"median": 50, "low": 26.04, "high": 120.0}) == "(26.0 or 120.0)"
    assert table_text.microseconds({"median": 50, "low": 49.0, "high": 51.0}) == "50.0 ± 1.0"
    assert "| 50.0 ± 1.0" not in summary.text(in_a_table(row_of(2.0, 1.0, 0.3)))
    assert "| 2.0× |" in summary.text(in_a_table(row_of(2.0, 1.0, 0.2)))
    assert "2.0×" not in summary.text(in_a_table(row_of(2.0, 1.0, 0.3)))


@pytest.mark.parametrize("content", ["", "[]", '{"format": 0}'])
def test_what_is_no_result_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(result.ResultError):
        result.load(path)


def test_another_machines_result_is_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result.save(result.begin(path, {"isa": "avx512"}, update=True), path)
    with pytest.raises(result.ResultError, match="isa differ"):
        result.begin(path, {"isa": "avx2"}, update=True)


@given(st.lists(st.floats(1e-2, 1e5), min_size=1, max_size=9), st.floats(1.05, 1.6))
def test_labels_are_spread_in_order_and_apart(places: list[float], breath: float) -> None:
    spread = drawing.spread(places, breath)
    order = sorted(range(len(places)), key=lambda n: (places[n], spread[n]))
    after = [spread[n] for n in order]
    assert all(b / a >= breath * 0.999 for a, b in itertools.pairwise(after))


def test_labels_that_are_apart_stay() -> None:
    assert drawing.spread([1.0, 10.0, 100.0], 1.2) == pytest.approx([1.0, 10.0, 100.0])


def test_at_most_is_what_the_longer_of_the_ceilings_leaves() -> None:
    target = {"ours": "onecell", "at_least": 2, "ratio": 1.5, "best": "JAX", "met": False}
    times = {"onecell": 40.0, "JAX": 60.0, "multiply-adds alone": 10.0, "reading alone": 30.0}
    row = {
        "section": "step", "size": [1, 1, 2, 3], "targets": [target],
        "figures": {name: {"median": time} for name, time in times.items()},
    }  # fmt: skip
    said = tables.targets({"sections": {"table": {"rows": [row]}}})
    assert "| 1.50× | 2× | 2.00× | **missed** |" in said


def test_many_rows_are_told_beside_the_best_peer_of_their_precision() -> None:
    times = {"onecell": 90.0, "onecell frozen int8_int8": 20.0, "onnxruntime int8": 25.0}
    target = {
        "ours": "onecell frozen int8_int8", "at_least": 1.0, "ratio": 1.25,
        "best": "onnxruntime int8", "met": True,
    }  # fmt: skip
    row = {
        "section": "rows", "size": [50, 16, 512, 512], "targets": [target],
        "figures": {name: {"median": us, "low": us, "high": us} for name, us in times.items()},
    }  # fmt: skip
    said = tables.frozen_rows(in_a_table(row))
    assert "| 50, 16, 512, 512 | 90.0 ± 0.0 | - | - | - | - | 20.0 ± 0.0 |" in said
    assert "| onecell frozen int8_int8 | onnxruntime int8 | 25.0 ± 0.0 | 1.25× |" in said


def test_everyday_calls_that_take_longer_are_counted() -> None:
    rows = [
        {"work": "loop, batch first, training", "size": "10, 4, 10, 16", "cpu": 1.5, "time": 1.4},
        {"work": "step, autocast, inference", "size": "1, 8, 64, 64", "cpu": 0.97, "time": 0.98},
    ]
    text = tables.SECTIONS["everyday"]({"sections": {"everyday": {"rows": rows}}}, words.english)
    assert text.startswith("1 of 2 take longer than torch's own.")
    assert "| loop, batch first, training | 10, 4, 10, 16 | 1.50× | 1.40× |" in text
