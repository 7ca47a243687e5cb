"""Every framework to every other, each through its own file: the same cell, and what was said.

Numbers are whole multiples of 1/64, so that sums of two biases and what a forget gate's offset
takes away are exact: whatever differs by a bit is a mistake, and no rounding.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from onecell import DIALECTS, Spec, Weights
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.dialect import Dialect

NAMES = list(DIALECTS)
DOCS = Path(__file__).parents[2] / "docs"
BIAS = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])


def draw(bias: bool, number: int = 0) -> Weights:
    """Return a cell of I = 3, H = 5, or I = 5 for a later layer."""
    rng = np.random.default_rng(number)
    spec = Spec(5 if number else 3, 5, bias=bias)
    drawn = Weights.random(spec).arrays().items()
    return Weights(
        **{
            name: (rng.integers(1, 128, array.shape) / np.float32(64)).astype(np.float32)
            for name, array in drawn
        }
    )


CELLS = {bias: draw(bias) for bias in (True, False)}


def own_file(folder: Path, row: Dialect, name: str, tensors: dict[str, np.ndarray]) -> Path:
    """Write a file as this framework keeps it."""
    path = folder / f"{name}{row.suffix}"
    save_checkpoint(path, tensors, dialect=row.name)
    return path


def only_cell(path: Path, row: Dialect) -> tuple[Weights, dict[str, np.ndarray]]:
    """Return the one cell of a file, and its tensors there."""
    tensors = load_checkpoint(path).tensors
    (site,) = find_cells(tensors, row)
    parts = {name: tensors[name] for name in site.parts(tensors, row)}
    return site.weights(tensors, row), parts


@pytest.fixture(scope="module", params=NAMES)
def source(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


@pytest.fixture(scope="module")
def originals(
    source: Dialect, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, tuple[Weights, dict[str, np.ndarray]]]:
    """The cell with biases and the one without, each out of a file of the source's own."""
    folder = tmp_path_factory.mktemp("own")
    found = {}
    for bias, weights in CELLS.items():
        tensors = convert(weights.to_dialect("torch", prefix="net."), "torch", source).tensors
        found[bias] = only_cell(own_file(folder, source, f"{bias}", tensors), source)
    return found


def expected(weights: Weights, source: Dialect, target: Dialect) -> Counter[str]:
    """Return what a conversion must say that it does not keep, from the two layouts alone."""
    one, other = source.layout, target.layout
    if not weights.bias:
        return Counter(["zeros"] if other.always_bias else [])
    merged = weights.bias_hh is not None and weights.bias_hh.any() and other.biases == 1
    folded = one.forget_offset != other.forget_offset
    return Counter(["merged"] * bool(merged) + ["folded"] * folded)


def summed(weights: Weights) -> np.ndarray:
    """Return both biases as one, zeros where there are none."""
    biases = [bias for bias in (weights.bias_ih, weights.bias_hh) if bias is not None]
    return sum(biases, np.zeros(20))


@BIAS
@pytest.mark.parametrize("target", NAMES)
def test_a_cell_goes_from_any_framework_to_any_other(
    source: Dialect,
    target: str,
    bias: bool,
    originals: dict[bool, tuple[Weights, dict[str, np.ndarray]]],
    tmp_path: Path,
) -> None:
    goal = DIALECTS[target]
    before, tensors = originals[bias]
    converted = convert(tensors, source, goal)
    after, _ = only_cell(own_file(tmp_path, goal, "out", converted.tensors), goal)
    assert after.weight_ih.tobytes() == CELLS[bias].weight_ih.tobytes()
    assert after.weight_hh.tobytes() == CELLS[bias].weight_hh.tobytes()
    np.testing.assert_array_equal(summed(after), summed(CELLS[bias]))
    if source.name == target:
        assert converted.lost == []
        assert after.same_bits(before)
        return
    lost = expected(before, source, goal)
    assert Counter(loss.kind for loss in converted.lost) == lost
    if not lost:
        assert after.same_bits(before)


GROUPS = {
    "two biases": {"torch", "mindspore", "paddle", "onnx", "tinygrad", "mxnet", "burn", "numpy"},
    "one bias": {
        *("keras", "flax", "flax-nnx", "flax-nnx-optimized", "equinox", "openvino", "mlx"),
        *("rtneural", "nam", "coreml", "haste"),
    },
    "one bias, and 1 added": {"tensorflow", "haiku"},
}
"""The groups of the table in docs/*/guides/convert.md."""
ZEROS = {
    *("paddle", "flax", "flax-nnx", "flax-nnx-optimized", "tensorflow", "haiku", "openvino"),
    *("rtneural", "nam", "haste"),
}
"""Those that have no cell without a bias, as the page names them."""


def test_the_page_groups_the_frameworks_as_their_layouts_do() -> None:
    told = {}
    for row in DIALECTS.values():
        two = "two biases" if row.layout.biases == 2 else "one bias"
        told[row.name] = f"{two}, and 1 added" if row.layout.forget_offset else two
    assert told == {name: group for group, names in GROUPS.items() for name in names}
    assert {row.name for row in DIALECTS.values() if row.layout.always_bias} == ZEROS
    for language in ("en", "zh"):
        page = (DOCS / language / "guides" / "convert.md").read_text("utf-8")
        rows = [set(re.findall("`([a-z-]+)`", line)) for line in page.splitlines()]
        assert all(names in rows for names in GROUPS.values()), language
        assert any(names >= ZEROS for names in rows), language


def test_a_stack_keeps_its_layers_wherever_they_have_names(tmp_path: Path) -> None:
    layers = [draw(True), draw(True, 1)]
    tensors: dict[str, np.ndarray] = {}
    for number, weights in enumerate(layers):
        tensors |= weights.to_dialect("torch", prefix="net.lstm.", layer=number)
    for row in DIALECTS.values():
        there = convert(tensors, "torch", row).tensors
        read = load_checkpoint(own_file(tmp_path, row, row.name, there)).tensors
        sites = find_cells(read, row)
        named = row.name not in {"equinox", "rtneural"}  # whose files have no names
        want = [0, 1] if named else [None, None]
        assert [site.layer for site in sites] == want, row.name
        for site, weights in zip(sites, layers, strict=True):
            back = site.weights(read, row)
            assert back.weight_hh.tobytes() == weights.weight_hh.tobytes()
            np.testing.assert_array_equal(summed(back), summed(weights))
