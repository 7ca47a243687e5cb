"""Every verb in Chinese: nothing untranslated that carries a verdict, nothing else changed."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest

from onecell import chinese, errors
from onecell.language import (
    counted,
    in_chinese,
    joined,
    listed,
    locale_language,
    say,
    speak,
    verdict,
)
from onecell.migrate.rules.assumptions import Assumption, Basis
from onecell.migrate.rules.assumptions import said as assumed

from .conftest import Run

SRC = Path(errors.__file__).parent
ENGLISH = re.compile(r"\b[a-z']{2,} [a-z']{2,} [a-z']{2,}\b")
"""Three words in a row that no name, command or unit explains."""


@pytest.fixture
def zh() -> Iterator[None]:
    speak("zh")
    yield
    speak("en")


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
            yield node


def literals(node: ast.expr) -> list[str]:
    """Return what an argument may be, as written: a text, or one of two."""
    if isinstance(node, ast.IfExp):
        return [*literals(node.body), *literals(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def places(template: str) -> set[str]:
    return {name.lstrip("_") for name in re.findall(r"(?<!\{)\{(\w+)", template)}


SAID = sorted(
    {
        text
        for path in sorted((SRC / "cli").glob("*.py"))
        for call in calls(path, "say")
        for text in literals(call.args[0])
    }
    | {
        "{number} " + noun
        for path in sorted((SRC / "cli").glob("*.py"))
        for call in calls(path, "counted")
        for noun in literals(call.args[1])
    }
)


def test_every_text_of_the_command_line_has_chinese() -> None:
    assert len(SAID) > 150
    assert not [text for text in SAID if text not in chinese.TEXTS]


@pytest.mark.parametrize("english", chinese.TEXTS, ids=lambda text: text[:60])
def test_the_chinese_has_the_same_places(english: str) -> None:
    said = chinese.TEXTS[english]
    assert places(said) <= places(english)
    assert re.search(r"[\u4e00-\u9fff]", said) or not ENGLISH.search(english)


def fill(template: str, value: str) -> str:
    template = template.replace("{quoted}", "`{quoted}`")
    filled = re.sub(r"(?<!\{)\{(\w+)[^}]*\}(?!\})", rf"{value}\1", template)
    return filled.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize("english", chinese.FOUND_BY_PATTERN, ids=lambda text: text[:60])
def test_a_filled_text_is_told_by_its_own_template(english: str) -> None:
    if not re.search(r"[a-z]{2}", re.sub(r"\{\w+\}", "", english)):
        return  # names alone: such a text has Chinese if a part of it has
    want = fill(re.sub(r"\{_(\w+)", r"{\1", chinese.TEXTS[english]), "⟨X⟩")
    assert chinese.find(fill(english, "⟨X⟩")) == want


RAISED = (
    *("CheckpointError", "UnsafeCheckpointError", "TableError", "SourceError", "NothingToDoError"),
    *("WhichCellError", "UnlikeCellsError", "NotFiniteError", "NotACellError", "ObjectImportError"),
    *("ArgumentError", "ShapeError", "DtypeError", "BadParameter", "not_a_cell", "_error"),
    "Unsure",  # of a use that the migrator leaves
)
OF_OTHERS = re.compile(
    r"formats/(onnx|burn|coreml|mxnet|flax|keras|hdf5|h5|nam|rtneural|json|paddle|orbax|openvino|tensorflow|table|stacks)"
)
"""What is wrong inside a file of a framework without a front end may stay in English: the line
around it has Chinese, and the file's name."""
INSIDE = {
    "difference/programs.py",  # a mistake of who adds a row
    "difference/row.py",
    "difference/common/matter.py",
    "comparing/checks.py",  # `sizes=`, which no command passes
    "weights.py",
}


def sentences() -> Iterator[tuple[str, str]]:
    """Yield every text with which a room under the command line raises, its places filled."""
    for room in ("checkpoint", "verify", "project", "cli", "migrate"):
        for path in sorted((SRC / room).rglob("*.py")):
            place = path.as_posix()
            if place.endswith(tuple(INSIDE)) or OF_OTHERS.search(place):
                continue
            for name in RAISED:
                for call in calls(path, name):
                    for each in call.args:
                        if isinstance(each, ast.JoinedStr):
                            text = "".join(
                                str(part.value) if isinstance(part, ast.Constant) else f"⟨{at}⟩"
                                for at, part in enumerate(each.values)
                            )
                        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
                            text = each.value
                        else:
                            continue
                        if ENGLISH.search(text):
                            yield f"{path.relative_to(SRC)}:{call.lineno}", text


def test_every_error_of_a_verb_has_chinese() -> None:
    found = dict(sentences())
    assert len(found) > 250
    assert not {place: text for place, text in found.items() if in_chinese(text) is None}


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zha_CN"}, "en"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "zh_TW.Big5", "LC_MESSAGES": "C", "LANG": "C"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_SG"}, "zh"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_locale_tells_the_language(environment: dict[str, str], language: str) -> None:
    assert locale_language(environment) == language


def test_the_variable_goes_before_the_locale_and_the_option_before_both(
    run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "1 LSTM cell" in run("info", model).out
    monkeypatch.delenv("ONECELL_LANG")
    assert "1 个 LSTM 单元" in run("info", model).out
    assert "1 LSTM cell" in run("info", model, "--lang", "en").out
    monkeypatch.setenv("ONECELL_LANG", "fr")
    ran = run("info", model)
    assert ran.status == 2
    assert "`ONECELL_LANG` must be en or zh, got 'fr'." in ran.err


def test_the_language_may_stand_before_the_verb(run: Run, model: Path) -> None:
    assert "单元" in run("--lang", "zh", "info", model).out
    assert "1 LSTM cell" in run("--lang", "zh", "info", model, "--lang", "en").out


def test_one_call_does_not_change_the_language_of_the_next(run: Run, model: Path) -> None:
    assert "单元" in run("info", model, "--lang", "zh").out
    assert "单元" not in run("info", model).out


def words_left(text: str) -> list[str]:
    """Return English that stands in a Chinese output, but for what is quoted."""
    return [line for line in text.splitlines() if ENGLISH.search(re.sub(r"`[^`]*`", "", line))]


def test_a_port_in_chinese_says_what_it_says_in_english(
    run: Run, model: Path, tmp_path: Path
) -> None:
    words = ("port", model, "--to", "mindspore", "--sides", "arrays", "-v")
    ran = run(*words, "--out", tmp_path / "zh", "--lang", "zh")
    assert ran.status == 0
    assert re.search(r"^成立（HOLDS）：1 个单元（6 个张量中的 4 个）已证明", ran.out, re.MULTILINE)
    assert "自检：" in ran.out
    assert not words_left(ran.out + ran.err)
    page = (tmp_path / "zh" / "model.report.html").read_text(encoding="utf-8")
    assert '<html lang="zh" data-opens="zh">' in page
    english = run(*words, "--out", tmp_path / "en")
    numbers = r"\d\.\de-\d\d"
    assert re.findall(numbers, english.out) == re.findall(numbers, ran.out)
    page = (tmp_path / "en" / "model.report.html").read_text(encoding="utf-8")
    assert '<html lang="en" data-opens="en">' in page  # of the tests' ONECELL_LANG


def test_the_json_is_the_same_in_both_languages(run: Run, model: Path, tmp_path: Path) -> None:
    for words in (
        ("info", model),
        ("convert", model, tmp_path / "model.ckpt", "--force"),
        ("diff", "torch", "mindspore", "--stored"),
        ("verify", model, model, "--sides", "arrays"),
    ):
        found = [json.loads(run(*words, "--json", "--lang", lang).out) for lang in ("en", "zh")]
        for each in found:
            each.pop("seconds", None), each.get("diagnosis", {}).pop("seconds", None)
        assert found[0] == found[1], words


def test_a_comparison_in_chinese(run: Run, model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    run("convert", model, other, "--to", "torch")
    ran = run("verify", model, other, "--sides", "arrays", "--self-test", "--lang", "zh")
    assert ran.status == 0
    assert "相同（SAME）：权重逐比特相同，各量均通过" in ran.out
    assert not words_left(ran.out + ran.err)


def test_a_difference_is_named_in_chinese(run: Run, model: Path, tmp_path: Path) -> None:
    import torch

    tensors = torch.load(model)
    tensors["cell.weight_hh"] = (
        tensors["cell.weight_hh"].reshape(4, 4, 4)[[1, 0, 2, 3]].reshape(16, 4)
    )
    torch.save(tensors, tmp_path / "wrong.pt")
    ran = run("verify", model, tmp_path / "wrong.pt", "--sides", "arrays", "--lang", "zh")
    assert ran.status == 1
    assert "不同（DIFFERENT）：在 weight_hh 中门 i 与 f 互换" in ran.out
    assert not words_left(ran.out + ran.err)


def test_a_migration_in_chinese(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "model.py"
    source.write_text(
        "import torch\nfrom torch import nn\n\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.cell = nn.LSTMCell(3, 4)\n\n    def forward(self, x):\n"
        "        h, c = self.cell(x)\n        return torch.fft.fft(h)\n",
        encoding="utf-8",
    )
    ran = run("migrate", source, "--to", "mindspore", "--lang", "zh")
    assert ran.status == 6
    assert "用法：" in ran.out
    assert "将改写 1 个" in ran.out


def test_what_a_training_step_takes_for_granted_is_said_in_chinese() -> None:
    for count in (1, 2, 4):
        for bases in combinations(get_args(Basis), count):
            for names in (["a"], ["a", "b", "c"]):
                every = [Assumption(basis, name) for basis in bases for name in names]
                told = in_chinese(assumed(every, "mindspore"))
                assert told is not None
                assert not words_left(told)
                assert told.count("训练步") + told.count("每一步") == count


def test_an_error_is_said_in_chinese(run: Run, tmp_path: Path) -> None:
    ran = run("info", tmp_path / "none.pt", "--lang", "zh")
    assert ran.status == 3
    assert "无法读取" in ran.err
    (tmp_path / "empty.pt").write_bytes(b"")
    assert "它是空的" in run("info", tmp_path / "empty.pt", "--lang", "zh").err
    ran = run("convert", tmp_path / "a", tmp_path / "b", "--lang", "fr")
    assert ran.status == 2


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_an_output_that_has_no_chinese_is_no_crash(
    environment: dict[str, str], model: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "onecell", "info", str(model), "--lang", "zh"],
        env=os.environ | {"PYTHONCOERCECLOCALE": "0"} | environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"1 LSTM cell" in done.stdout
    assert b"has no Chinese; what follows is English" in done.stderr


@pytest.mark.usefixtures("zh")
def test_lists_counts_and_clauses_are_chinese() -> None:
    assert listed("abcdefghijkl", 3) == "a, b, c 等另 9 个"
    assert counted(1, "cell") == counted(1, "cell").replace("cells", "cell") == "1 个单元"
    assert joined(["甲", "乙"]) == "甲；乙"
    assert verdict("HOLDS") == "成立（HOLDS）"
    assert say("{name}: {text}", name="a", text="b and 3 more") == "a：b 等另 3 个"


def test_a_hostile_text_costs_little_to_look_up() -> None:
    assert in_chinese("x" * 1_000_000) is None
    assert in_chinese("a: " * 600) is None


def test_a_text_of_full_stops_is_no_sentence() -> None:
    assert in_chinese("." * 1500) is None
