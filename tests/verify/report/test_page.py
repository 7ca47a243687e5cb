"""The report as a file: whole, the same every time, and nothing in it that a name put there."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from onecell import Spec, Weights
from onecell.errors import MissingExtraError, OutputExistsError
from onecell.verify import Column, compare, prove_cell
from onecell.verify.difference import stored_table
from onecell.verify.report import render_report, write_report
from onecell.verify.report.from_proof import page_of_proof
from onecell.verify.report.heat import draw_pair
from onecell.verify.report.texts import number

from . import samples

LARGEST = 2_000_000
"""Bytes of a page, so that it can be sent."""


def page(change: samples.Change = samples.unchanged) -> str:
    return render_report(samples.make_comparison(change), created=samples.CREATED)


def test_the_same_comparison_gives_the_same_bytes() -> None:
    found = samples.make_comparison(samples.swapped)
    one, other = (render_report(found, created=samples.CREATED) for _ in range(2))
    assert one == other


def test_no_style_attribute_is_left_for_the_policy_to_refuse() -> None:
    assert re.search(r"<[^>]* style=", page()) is None


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_allows_exactly_what_is_there(tag: str) -> None:
    text = page()
    content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    policy = re.search(rf"{tag}-src 'sha256-([^']+)'", text)
    assert content is not None
    assert policy is not None
    digest = hashlib.sha256(content[1].encode()).digest()
    assert policy[1] == base64.b64encode(digest).decode()


def test_nothing_is_fetched() -> None:
    text = page()
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}


def test_a_large_cell_fits_into_a_page_that_can_be_sent() -> None:
    assert len(render_report(samples.large()).encode()) < LARGEST


def test_a_port_of_many_cells_fits_into_a_page_that_can_be_sent() -> None:
    assert len(render_report(samples.make_proof(24)).encode()) < LARGEST


def test_of_many_cells_the_failing_one_is_drawn() -> None:
    text = render_report(samples.make_proof(6, samples.swapped))
    assert 'id="cell-6-limits"' in text
    assert 'id="cell-5-limits"' not in text


def test_a_name_cannot_become_markup() -> None:
    found = samples.make_comparison(samples.swapped, name=samples.STRANGE)
    text = render_report(found, command=f"onecell verify {samples.STRANGE}")
    assert text.count("<script") == 1
    assert "&lt;script&gt;alert(&#39;1&#39;)" in text


def test_a_name_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    found = samples.make_comparison(name="caf\udce9")
    write_report(tmp_path / "page.html", found)
    assert "caf" in (tmp_path / "page.html").read_text("utf-8")


def test_the_diagnosis_stands_beside_the_verdict_in_both_languages() -> None:
    text = page(samples.swapped)
    sentence = re.search(r'<p class="sentence">(.*?)</p>', text)
    assert sentence is not None
    assert "beyond their limits; gates f and o are swapped." in sentence[1]
    assert "超出限值；门 f 与 o 互换。" in sentence[1]


def test_training_that_was_not_compared_is_said_beside_the_verdict() -> None:
    found = replace(samples.make_comparison(samples.unchanged), inference=True)
    text = render_report(found, created=samples.CREATED)
    assert "are within their limits. Training was not compared." in text
    assert "全部在限值之内。未比较训练。" in text
    assert "Training was not compared" not in page()


def test_an_error_beyond_its_limit_is_marked() -> None:
    assert 'class="n beyond"' not in page()
    assert 'class="n beyond"' in page(samples.swapped)


def test_what_took_no_part_is_named() -> None:
    assert "`mindspore` is not installed" in page()


def test_every_limit_has_its_reason() -> None:
    text = page()
    rows = re.findall(r'<tr><th scope="row"><code>[\w.]+</code></th><td class="n">', text)
    assert len(rows) >= 19
    assert "8 × (float32 eps 1.2e-07 × " in text
    assert "for mindspore&#39;s own tanh" in text


def test_one_wrong_weight_of_four_million_is_seen() -> None:
    a = Weights.random(Spec(8, 1024), 3)
    wrong = a.weight_hh.copy()
    wrong[2077, 631] += np.float32(1e-3)
    b = Weights(**a.arrays() | {"weight_hh": wrong})
    plot = draw_pair("cell", a, b)[2]
    images = re.findall(r'<image [^>]*?href="data:image/png;base64,([^"]+)"', plot.svg)
    drawn = [matplotlib.image.imread(io.BytesIO(base64.b64decode(each))) for each in images]
    seen = [int(np.count_nonzero(each[..., 3] > 0.5)) for each in drawn]
    assert seen[:4] == [0, 1, 0, 0]


def test_an_error_beyond_its_limit_lies_right_of_the_line() -> None:
    found = samples.make_comparison(samples.swapped)
    text = render_report(found, created=samples.CREATED)
    plot = text[text.index('<figure id="cell-1-limits"') :]
    plot = plot[: plot.index("</figure>")]
    tags = re.findall(r"<(?:path|use) [^>]*>", plot[plot.index("<svg xmlns") :])
    line = next(tag for tag in tags if "stroke-limit" in tag)
    at = float(line.partition('d="M ')[2].split()[0])
    dots = [
        [float(tag.partition(' x="')[2].split('"')[0]) for tag in tags if f"fill-series-{n}" in tag]
        for n in (1, 2)
    ]
    beyond = [
        sum(not reading.holds for each in found.quantities for reading in each.of(owner))
        for owner in ("a", "b")
    ]
    assert beyond[0] == 0 < beyond[1] < len(found.quantities) == len(dots[1])
    assert [sum(dot > at for dot in each) for each in dots] == beyond


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (3.14159e-7, "3.1e-07"),
        (0.25, "0.25"),
        (1234.5, "1234"),
        (5.1e7, "5.1e+07"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
    ],
)
def test_a_number_has_the_digits_that_matter(value: float, said: str) -> None:
    assert number(value) == said


def test_a_page_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(OutputExistsError):
        write_report(path, samples.make_comparison())
    assert path.read_text() == "mine"
    write_report(path, samples.make_comparison(), force=True)
    assert path.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_named_and_nothing_is_written(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("onecell.verify.report.", f"{library}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"`{library}`.*onecell\[report\]"):
        write_report(tmp_path / "page.html", samples.make_comparison())
    assert list(tmp_path.iterdir()) == []


def test_the_difference_table_says_that_it_is_stored_and_of_what() -> None:
    text = render_report(samples.make_comparison(), difference=stored_table())
    section = text[text.index('<section id="differences"') :][:2000]
    assert "the table that was stored when these versions were asked" in section
    assert "保存的表格" in section
    assert re.search(r"torch 2\.\S+ *, *mindspore 2", " ".join(section.split()))


def test_the_weights_themselves_are_drawn_and_not_counted() -> None:
    weights = Weights.random(Spec(5, 4), 3)
    text = render_report(compare(weights, weights, steps=5))
    assert "The weights themselves" in text
    assert '<figure id="cell-1-weights"' not in text


def test_the_headline_of_a_port_says_what_was_proved_and_what_was_copied() -> None:
    proof = samples.make_proof(2)
    verdict = page_of_proof(proof, "onecell port", "now").verdict
    assert "2 LSTM cells compute the same" in verdict.sentence.en
    assert "8 of the 28 tensors. The other 20 were copied bit for bit" in verdict.sentence.en
    assert "共 28 个张量中的 8 个" in verdict.sentence.zh
    assert "其余 20 个逐比特复制" in verdict.sentence.zh
    alone = page_of_proof(replace(proof, carried=(), renamed={}), "", "").verdict.sentence
    assert "8 of the 8 tensors." in alone.en
    assert "copied" not in alone.en
    assert "复制" not in alone.zh


def test_a_port_of_numbers_that_are_not_finite_says_so() -> None:
    def spoil(weights: Weights) -> Weights:
        arrays = {name: array.copy() for name, array in weights.arrays().items()}
        arrays["bias_hh"][3] = np.inf
        return Weights(**arrays)

    wrong = spoil(Weights.random(Spec(5, 4), 0))
    broken = prove_cell("layers.9", wrong, wrong, [Column("arrays", "target")])
    proof = samples.make_proof(1)
    proof = replace(proof, cells=(*proof.cells, broken))
    page = page_of_proof(proof, "", "")
    assert "1 of 2 LSTM cells holds numbers that are not finite" in page.verdict.sentence.en
    assert "2 个 LSTM 单元中有 1 个含有非有限的数" in page.verdict.sentence.zh
    assert any("the first at [3]: inf" in fact.value.en for fact in page.findings)
    assert render_report(proof)


def test_names_on_a_page_are_cut_with_a_count_in_both_languages() -> None:
    proof = replace(samples.make_proof(1), dropped=tuple(f"value{n}" for n in range(120)))
    (fact,) = (f for f in page_of_proof(proof, "", "").extra if "not tensors" in f.name.en)
    assert fact.value.en.endswith("value99 and 20 more")
    assert fact.value.zh.endswith("value99 等，另有 20 个")
