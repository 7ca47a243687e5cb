"""A result as Markdown, in English or Chinese: one function a section, each from the JSON alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from bench import summary
from bench.contenders import CEILINGS, FRAMEWORK_PEERS, ONE_THREAD_PEERS
from bench.figures import is_unsure
from bench.own_tables import accuracy, everyday, memory, roofline, sweep, threads
from bench.sweep import SLOWER
from bench.table_text import NONE, best_peer, met, microseconds, shape, table
from bench.words import WORK, Say, english, told

Json = dict[str, Any]
WEIGHT_DTYPES: Final = ("bfloat16", "bfloat16_bfloat16", "float16", "int8", "int8_int8")
_NO_PEERS: Final = (*CEILINGS, "kernel from C++")


def _bounds(row: Json, target: Json) -> tuple[float, float] | None:
    """Return what a ratio may be, where one of its figures is not to be trusted; else None."""
    if target["best"] is None or target["ratio"] is None:
        return None
    ours, theirs = (row["figures"].get(target[key], {}) for key in ("ours", "best"))
    if not (is_unsure(ours) or is_unsure(theirs)):
        return None
    return theirs["low"] / ours["high"], theirs["high"] / ours["low"]


def _undecided(say: Say) -> str:
    return say("undecided", "无法判定")


def _verdict(row: Json, target: Json, say: Say = english) -> tuple[str, str]:
    """Return a target's ratio and whether it is met, as far as both can be told."""
    if target["ratio"] is None:
        return NONE, met(None, say)
    bounds = _bounds(row, target)
    if bounds is None:
        return f"{target['ratio']:.2f}×", met(target["met"], say)
    low, high = bounds
    said = f"{low:.2f} {say('to', '至')} {high:.2f}×"
    if low >= target["at_least"] or high < target["at_least"]:
        return said, met(low >= target["at_least"], say)
    return said, _undecided(say)


def _rows(result: Json, *sections: str) -> list[Json]:
    rows: list[Json] = result["sections"].get("table", {}).get("rows", [])
    return [row for row in rows if row["section"] in sections]


def _timed(row: Json, name: str, say: Say) -> str:
    return microseconds(row["figures"][name], say) if name in row["figures"] else NONE


def _head(say: Say) -> list[str]:
    return [say("work", "任务"), "T, B, I, H"]


def machine(result: Json, say: Say = english) -> str:
    """Say where it was measured, with what."""
    m = result["machine"]
    caches = ", ".join(f"{name} {size}" for name, size in m["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    return say(
        f"{m['processor']}, {m['cpus']} CPUs ({caches} as the system tells it), {m['isa']}; "
        f"{m['system']}, CPython {m['python']}. {versions}.",
        f"{m['processor']}，{m['cpus']} 个 CPU（系统给出的缓存：{caches}），{m['isa']}；"
        f"{m['system']}，CPython {m['python']}。{versions}。",
    )


def targets(result: Json, say: Say = english) -> str:
    """Judge every row that promises something."""
    lines = []
    for row in result["sections"].get("table", {}).get("rows", []):
        for t in row["targets"]:
            ratio, judged = _verdict(row, t, say)
            against = t["best"] or NONE
            lines.append([
                say(*WORK[row["section"]]), shape(row["size"]), t["ours"], against, ratio,
                f"{t['at_least']:g}×", _at_most(row, t["best"]), judged,
            ])  # fmt: skip
    kept = sum(line[-1] == met(True, say) for line in lines)
    head = [
        *_head(say), say("ours", "我们的"), best_peer(say), say("ratio", "速度之比"),
        say("at least", "至少"), say("at most", "至多"), "",
    ]  # fmt: skip
    unsure = sum(line[-1] == _undecided(say) for line in lines)
    said = say(f"{kept} of {len(lines)} met", f"达到 {kept} / {len(lines)} 项")
    if unsure:
        said += say(
            f", {unsure} undecided: a figure is not to be trusted",
            f"，{unsure} 项无法判定：其中有不可信的数字",
        )
    return f"{said}{say('.', '。')}\n\n{table(head, lines, say)}"


def _at_most(row: Json, best: str | None) -> str:
    """Return the ratio that a kernel would have which did nothing but what every kernel must.

    That is the longer of the two: the multiply-adds with operands in registers, and reading the
    weights that each step reads, both timed in the same rounds as everyone.
    """
    bounds = [row["figures"][name]["median"] for name in CEILINGS if name in row["figures"]]
    if not bounds or best is None or best in CEILINGS:
        return NONE
    return f"{row['figures'][best]['median'] / max(bounds):.2f}×"


def forward(result: Json, say: Say = english) -> str:
    """Give µs of steps and unrolled sequences, in inference."""
    names = ("onecell", "onecell.torch", *FRAMEWORK_PEERS)
    rows = _rows(result, "step", "unroll")

    def of(names: Sequence[str]) -> str:
        lines = [[shape(row["size"]), *(_timed(row, name, say) for name in names)] for row in rows]
        return table(["T, B, I, H", *names], lines, say)

    told_one = say("Peers told to use one thread:", "指定只用一个线程的同类：")
    return f"{of(names)}\n\n{told_one}\n\n{of(ONE_THREAD_PEERS)}"


def _all_figures(result: Json, say: Say, *sections: str, errors: bool = False) -> str:
    rows = _rows(result, *sections)
    head = [*_head(say), "", "µs", *([say("largest error", "最大误差")] if errors else [])]
    gradients = ("step and gradients", "单步与梯度")
    lines = [
        [
            say(*(gradients if row["section"] == "mindspore-grad" else WORK[row["work"]])),
            shape(row["size"]), name, microseconds(figure, say),
            *([f"{row['errors'][name]:.1e}"] if errors else []),
        ]
        for row in rows
        for name, figure in row["figures"].items()
    ]  # fmt: skip
    return table(head, lines, say)


def elsewhere(result: Json, say: Say = english) -> str:
    """Give the ratios of this machine and of the others that `result` has beside it, row by row."""
    machines = [result, *result.get("elsewhere", ())]

    def ratios(of: Json) -> dict[tuple[str, str, str], str]:
        return {
            (row["section"], shape(row["size"]), t["ours"]): _verdict(row, t, say)[0]
            for row in _rows(of, "step", "unroll", "train", "loop", "rows")
            # Of several promises of a row the lowest ratio is left, that to its best peer.
            for t in sorted(row["targets"], key=lambda t: -(t["ratio"] or 0))
            if t["best"] not in (None, *_NO_PEERS)
        }

    columns = [ratios(of) for of in machines]
    lines = [
        [say(*WORK[row[0]]), *row[1:], *(column.get(row, NONE) for column in columns)]
        for row in columns[0]
    ]
    names = [f"{of['machine']['processor']}, {of['machine']['isa']}" for of in machines]
    return table([*_head(say), say("ours", "我们的"), *names], lines, say)


def training(result: Json, say: Say = english) -> str:
    """Give µs of forward and backward."""
    names = ("onecell.torch", "onecell", "torch.nn.LSTMCell", "torch.nn.LSTM", "JAX")
    lines = [
        [
            say(*WORK[row["section"]]), shape(row["size"]),
            *(_timed(row, name, say) for name in names),
        ]
        for row in _rows(result, "train", "loop")
    ]  # fmt: skip
    return table([*_head(say), *names], lines, say)


def mindspore(result: Json, say: Say = english) -> str:
    """Give µs under MindSpore."""
    return _all_figures(result, say, "mindspore", "mindspore-grad")


def stream(result: Json, say: Say = english) -> str:
    """Give µs of a stream and of the kernel alone."""
    return _all_figures(result, say, "stream")


def frozen(result: Json, say: Say = english) -> str:
    """Give µs and errors of frozen cells and their peers."""
    return _all_figures(result, say, "frozen", errors=True)


def frozen_rows(result: Json, say: Say = english) -> str:
    """Give µs of frozen cells with many rows, beside peers that compute in their precision."""
    names = ("onecell", *(f"onecell frozen {dtype}" for dtype in WEIGHT_DTYPES))
    rows = _rows(result, "rows")
    lines = [[shape(row["size"]), *(_timed(row, name, say) for name in names)] for row in rows]
    against = [
        [
            shape(row["size"]), t["ours"], t["best"] or NONE,
            _timed(row, t["best"], say) if t["best"] else NONE, _verdict(row, t, say)[0],
        ]
        for row in rows
        for t in row["targets"]
    ]  # fmt: skip
    peer = say("best peer of that precision", "同精度中最快的同类")
    head = ["T, B, I, H", say("ours", "我们的"), peer, "µs", say("ratio", "速度之比")]
    return f"{table(['T, B, I, H', *names], lines, say)}\n\n{table(head, against, say)}"


def _where(contender: str, size: Sequence[int], say: Say) -> str:
    return say(f"{contender} at {shape(size)}", f"{contender}（{shape(size)}）")


def _not_timed(result: Json, say: Say) -> dict[str, str]:
    """Return who was missing or excluded anywhere, and why."""
    found: dict[str, str] = {}
    for row in result["sections"].get("table", {}).get("rows", []):
        found |= row["missing"]
        for name, why in row["excluded"].items():
            found[_where(name, row["size"], say)] = f"not timed: {why}"
    for name in ("sweep", "steps", "threads"):
        for point in result["sections"].get(name, {}).get("points", []):
            for contender, why in point["not_timed"].items():
                if why == SLOWER:
                    continue  # said once, of all shapes
                where = _where(contender, point["size"], say)
                found.setdefault(say(f"{where}, {name}", f"{where}，{name}"), why)
    return found


def peers(result: Json, say: Say = english) -> str:
    """Say how each contender was set, and name who is missing."""
    settings: dict[str, str] = {}
    for row in result["sections"].get("table", {}).get("rows", []):
        for name, words in row["settings"].items():
            settings.setdefault(name, words)
    lines = [[name, told(words, say)] for name, words in settings.items()]
    text = table([say("contender", "参与者"), say("as run", "运行方式")], lines, say)
    left_out = result["sections"].get("table", {}).get("left_out", [])
    gone = _not_timed(result, say) | dict.fromkeys(left_out, "left out when this was measured")
    if gone:
        text += say("\n\nNot timed:\n\n", "\n\n未计时：\n\n")
        text += "\n".join(
            f"- {name}{say(': ', '：')}{told(why, say)}" for name, why in gone.items()
        )
    return text


def _loss(row: Json, t: Json, say: Say) -> str:
    """Return a line of a target's row where a peer is faster or may be, or nothing."""
    if t["ratio"] is None or t["best"] in _NO_PEERS:
        return ""
    low, high = _bounds(row, t) or (t["ratio"], t["ratio"])
    if low >= 1:
        return ""
    slower = say("is slower than", "慢于") if high < 1 else say("may be slower than", "可能慢于")
    said = f"{t['ours']} {slower} {t['best']}"
    return say(
        f"{said}, {_verdict(row, t)[0]}.", f"{said}，为其速度的 {_verdict(row, t, say)[0]}。"
    )


def losses(result: Json, say: Say = english) -> str:
    """List every row and shape where a peer is faster, or may be."""
    found = []
    for row in result["sections"].get("table", {}).get("rows", []):
        size = shape(row["size"])
        work = say(
            f"- {WORK[row['section']][0]} at {size}: ", f"- {WORK[row['section']][1]}（{size}）："
        )
        found += [work + said for t in row["targets"] if (said := _loss(row, t, say))]
        ours = row["figures"].get("onecell")
        for name in ONE_THREAD_PEERS:
            theirs = row["figures"].get(name)
            if ours and theirs and theirs["median"] < ours["median"]:
                times = f"{theirs['median']:.1f} µs", f"{ours['median']:.1f}"
                found.append(work + say(
                    f"{name}, takes {times[0]}, onecell {times[1]}.",
                    f"{name} 用时 {times[0]}，onecell 为 {times[1]}。",
                ))  # fmt: skip
    if lost := result["sections"].get("sweep", {}).get("lost", 0):
        found.append(say(
            f"- {lost} shapes of the sweep, the worst of which are listed there.",
            f"- 形状扫描中的 {lost} 个形状，最差的列在那一节。",
        ))  # fmt: skip
    nowhere = say("Nowhere, among what is measured here.", "在这里测量的范围内没有。")
    return "\n".join(found) or nowhere


SECTIONS: Final[dict[str, Callable[[Json, Say], str]]] = {
    "summary": summary.text,
    "machine": machine,
    "targets": targets,
    "losses": losses,
    "forward": forward,
    "elsewhere": elsewhere,
    "training": training,
    "mindspore": mindspore,
    "stream": stream,
    "frozen": frozen,
    "rows": frozen_rows,
    "everyday": everyday,
    "sweep": sweep,
    "threads": threads,
    "roofline": roofline,
    "memory": memory,
    "accuracy": accuracy,
    "peers": peers,
}
"""The marked sections of the page, and what fills them."""


def everything(result: Json, say: Say = english) -> str:
    """Return all sections one after another, for a file beside the JSON."""
    filled = (f"## {name}\n\n{fill(result, say)}" for name, fill in SECTIONS.items())
    return "\n\n".join(filled) + "\n"
