"""What a user wants to know first: six kinds of work, and by how much each is faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bench.contenders import FRAMEWORK_PEERS
from bench.figures import is_unsure
from bench.table_text import NONE, microseconds, table
from bench.words import Say, english

Json = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A row of the table whose measurement stands for a kind of work."""

    words: tuple[str, str]
    """In English and Chinese."""
    row: str
    ours: str
    peers: tuple[str, ...]


_TORCH: Final = ("torch.nn.LSTMCell", "torch.nn.LSTM", "torch.compile")
_MINDSPORE: Final = (
    "mindspore.nn", "mindspore.nn, launch_blocking", "mindspore.nn, jit",
    "mindspore.nn, jit bytecode",
)  # fmt: skip
KINDS: Final = (
    Kind(("one step, arrays", "数组上的一步"),
         "step:1,1,128,128", "onecell", FRAMEWORK_PEERS),
    Kind(("one step of a small cell, in torch", "torch 中小单元的一步"),
         "step:1,1,10,16", "onecell.torch", _TORCH),
    Kind(("one step, in MindSpore", "MindSpore 中的一步"),
         "mindspore:1,3,10,16", "onecell.mindspore", _MINDSPORE),
    Kind(("a sequence, one row", "单行的序列"),
         "unroll:100,1,128,128", "onecell", FRAMEWORK_PEERS),
    Kind(("a sequence, many rows", "多行的序列"),
         "unroll:50,64,512,512", "onecell", FRAMEWORK_PEERS),
    Kind(("training, a loop over torch's cell", "训练：对 torch 单元的循环"),
         "loop:20,16,128,128", "onecell.torch", _TORCH[:1]),
)  # fmt: skip
_HEAD: Final = (
    ("work", "任务"), ("T, B, I, H", "T, B, I, H"), ("onecell, µs", "onecell (µs)"),
    ("best peer", "最快的同类"), ("its µs", "其用时 (µs)"), ("times as fast", "速度之比"),
)  # fmt: skip


def found(result: Json) -> list[tuple[Kind, Json, Json, str, Json]]:
    """Return each kind that was measured: its row, our figure, the best peer and its figure."""
    rows = {row["name"]: row for row in result["sections"].get("table", {}).get("rows", [])}
    measured = []
    for kind in KINDS:
        figures = rows.get(kind.row, {}).get("figures", {})
        peers = [name for name in kind.peers if name in figures]
        if kind.ours in figures and peers:
            best = min(peers, key=lambda name: figures[name]["median"])
            measured.append((kind, rows[kind.row], figures[kind.ours], best, figures[best]))
    return measured


def ratio(ours: Json, theirs: Json) -> float:
    """Return how many times as fast ours is."""
    return float(theirs["median"] / ours["median"])


def times(ratio: float) -> str:
    """Return it for a reader: near 1, so that a loss does not look like a draw."""
    return f"{ratio:.2f}×" if ratio < 1.05 else f"{ratio:.1f}×"


def text(result: Json, say: Say = english) -> str:
    """Return the table; a ratio of figures that are not to be trusted is not told."""
    lines = [
        [
            say(*kind.words), ", ".join(map(str, row["size"])), microseconds(ours, say), best,
            microseconds(theirs, say),
            NONE if is_unsure(ours) or is_unsure(theirs) else times(ratio(ours, theirs)),
        ]
        for kind, row, ours, best, theirs in found(result)
    ]  # fmt: skip
    return table([say(*words) for words in _HEAD], lines, say)
