"""A result as Markdown: one function a section of the page, each from the JSON alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from bench import summary
from bench.contenders import CEILINGS, FRAMEWORK_PEERS, ONE_THREAD_PEERS
from bench.figures import is_unsure
from bench.table_text import NONE, UNMEASURED, microseconds, table

Json = dict[str, Any]
_WORK: Final = {"mindspore-grad": "step and gradients"}
MET: Final = {True: "met", False: "**missed**", None: "not measured"}
_NO_PEERS: Final = (*CEILINGS, "kernel from C++")
UNDECIDED: Final = "undecided"


def _bounds(row: Json, target: Json) -> tuple[float, float] | None:
    """Return what a ratio may be, where one of its figures is not to be trusted; else None."""
    if target["best"] is None or target["ratio"] is None:
        return None
    ours, theirs = (row["figures"].get(target[key], {}) for key in ("ours", "best"))
    if not (is_unsure(ours) or is_unsure(theirs)):
        return None
    return theirs["low"] / ours["high"], theirs["high"] / ours["low"]


def _verdict(row: Json, target: Json) -> tuple[str, str]:
    """Return a target's ratio and whether it is met, as far as both can be told."""
    if target["ratio"] is None:
        return NONE, MET[None]
    bounds = _bounds(row, target)
    if bounds is None:
        return f"{target['ratio']:.2f}×", MET[target["met"]]
    low, high = bounds
    said = f"{low:.2f} to {high:.2f}×"
    if low >= target["at_least"] or high < target["at_least"]:
        return said, MET[low >= target["at_least"]]
    return said, UNDECIDED


def _size(size: Sequence[int]) -> str:
    return ", ".join(map(str, size))


def _rows(result: Json, *sections: str) -> list[Json]:
    rows: list[Json] = result["sections"].get("table", {}).get("rows", [])
    return [row for row in rows if row["section"] in sections]


def _timed(row: Json, name: str) -> str:
    return microseconds(row["figures"][name]) if name in row["figures"] else NONE


def machine(result: Json) -> str:
    """Say where it was measured, with what."""
    m = result["machine"]
    caches = ", ".join(f"{name} {size}" for name, size in m["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    return (
        f"{m['processor']}, {m['cpus']} CPUs ({caches} as the system tells it), {m['isa']}; "
        f"{m['system']}, CPython {m['python']}. {versions}."
    )


def targets(result: Json) -> str:
    """Judge every row that promises something."""
    lines = []
    for row in result["sections"].get("table", {}).get("rows", []):
        for t in row["targets"]:
            ratio, met = _verdict(row, t)
            against = t["best"] or NONE
            lines.append([
                row["section"], _size(row["size"]), t["ours"], against, ratio,
                f"{t['at_least']:g}×", _at_most(row, t["best"]), met,
            ])  # fmt: skip
    met = sum(line[-1] == MET[True] for line in lines)
    head = ["work", "T, B, I, H", "ours", "best peer", "ratio", "at least", "at most", ""]
    unsure = sum(line[-1] == UNDECIDED for line in lines)
    left = f", {unsure} undecided: a figure is not to be trusted" if unsure else ""
    return f"{met} of {len(lines)} met{left}.\n\n{table(head, lines)}"


def _at_most(row: Json, best: str | None) -> str:
    """Return the ratio that a kernel would have which did nothing but what every kernel must.

    That is the longer of the two: the multiply-adds with operands in registers, and reading the
    weights that each step reads, both timed in the same rounds as everyone.
    """
    bounds = [row["figures"][name]["median"] for name in CEILINGS if name in row["figures"]]
    if not bounds or best is None or best in CEILINGS:
        return NONE
    return f"{row['figures'][best]['median'] / max(bounds):.2f}×"


def forward(result: Json) -> str:
    """Give µs of steps and unrolled sequences, in inference."""
    names = ("onecell", "onecell.torch", *FRAMEWORK_PEERS)
    rows = _rows(result, "step", "unroll")

    def of(names: Sequence[str]) -> str:
        lines = [[_size(row["size"]), *(_timed(row, name) for name in names)] for row in rows]
        return table(["T, B, I, H", *names], lines)

    return f"{of(names)}\n\nPeers told to use one thread:\n\n{of(ONE_THREAD_PEERS)}"


def roofline(result: Json) -> str:
    """Say how near onecell comes to the machine's ceilings."""
    section = result["sections"].get("table", {})
    if not section.get("ceilings"):
        return str(section.get("no_ceilings", UNMEASURED))
    runs = []
    for run in section["ceilings"]["runs"]:
        kib = {r["kib"]: r["gbytes"] for r in run["reads"]}
        shown = (f"{kib[size]:.0f}" for size in (32, 1024, 8192, 524288))
        runs.append([str(run["threads"]), f"{run['gflops']:.0f}", *shown])
    head = [
        "threads",
        "GFLOP/s",
        *(f"GB/s of {size}" for size in ("32 KiB", "1 MiB", "8 MiB", "512 MiB")),
    ]
    shares = [
        [
            _size(row["size"]), f"{r['gflops']:.1f}", f"{r['of_fma']:.0%}", f"{r['gbytes']:.1f}",
            f"{r['of_bandwidth']:.0%}",
        ]
        for row in section["rows"]
        if "of_bandwidth" in (r := row.get("roofline", {}))
    ]  # fmt: skip
    named = ["T, B, I, H", "GFLOP/s", "of the rate", "weights, GB/s", "of the bandwidth"]
    return f"{table(head, runs)}\n\n{table(named, shares)}"


def _all_figures(result: Json, *sections: str, errors: bool = False) -> str:
    rows = _rows(result, *sections)
    head = ["work", "T, B, I, H", "", "µs", *(["largest error"] if errors else [])]
    lines = [
        [
            _WORK.get(row["section"], row["work"]), _size(row["size"]), name,
            microseconds(figure),
            *([f"{row['errors'][name]:.1e}"] if errors else []),
        ]
        for row in rows
        for name, figure in row["figures"].items()
    ]  # fmt: skip
    return table(head, lines)


def training(result: Json) -> str:
    """Give µs of forward and backward."""
    names = ("onecell.torch", "onecell", "torch.nn.LSTMCell", "torch.nn.LSTM", "JAX")
    lines = [
        [row["section"], _size(row["size"]), *(_timed(row, name) for name in names)]
        for row in _rows(result, "train", "loop")
    ]
    return table(["work", "T, B, I, H", *names], lines)


def mindspore(result: Json) -> str:
    """Give µs under MindSpore."""
    return _all_figures(result, "mindspore", "mindspore-grad")


def stream(result: Json) -> str:
    """Give µs of a stream and of the kernel alone."""
    return _all_figures(result, "stream")


def frozen(result: Json) -> str:
    """Give µs and errors of frozen cells and their peers."""
    return _all_figures(result, "frozen", errors=True)


def sweep(result: Json) -> str:
    """Say how many shapes were lost, which are the worst, and where cost jumps."""
    section = result["sections"].get("sweep")
    if section is None:
        return UNMEASURED
    text = (
        f"{section['judged']} shapes against {', '.join(section['peers'])}; {section['lost']} lost "
        f"by more than 5%; {len(section['not_reached'])} not reached in the time given."
    )
    if section.get("unsure"):
        text += f" {section['unsure']} more cannot be told: a figure is not to be trusted."
    worst = [[_size(p["size"]), f"{p['ratio']:.2f}×", p["best"]] for p in section["worst"]]
    text += f" The worst:\n\n{table(['T, B, I, H', 'ratio', 'best peer'], worst)}\n\n"
    cliffs = [[_size(c["size"]), c["along"], f"{c['times']:.2f}×"] for c in section["cliffs"][:12]]
    if not cliffs:
        return text + "No shape costs 1.3 times what its neighbours predict."
    head = ["T, B, I, H", "along", "times what its neighbours predict"]
    return f"{text}{len(section['cliffs'])} cliffs; the steepest:\n\n{table(head, cliffs)}"


def threads(result: Json) -> str:
    """Give µs by thread count."""
    section = result["sections"].get("threads")
    if section is None:
        return UNMEASURED
    names = list(dict.fromkeys(name for p in section["points"] for name in p["median"]))
    lines = [
        [
            _size(p["size"]),
            str(p["threads"]),
            *(f"{p['median'].get(n, float('nan')):.1f}" for n in names),
        ]
        for p in section["points"]
    ]
    return table(["T, B, I, H", "threads", *names], lines).replace("nan", NONE)


def memory(result: Json) -> str:
    """Judge what is said of memory."""
    section = result["sections"].get("memory")
    if section is None or "claims" not in section:
        return str((section or {}).get("missing", UNMEASURED))
    lines = [[c["claim"], c["measured"], MET[c["met"]]] for c in section["claims"]]
    return table(["claim", "measured", ""], lines)


def accuracy(result: Json) -> str:
    """Give the largest errors against float64."""
    section = result["sections"].get("accuracy", {})
    if "errors" not in section:
        return str(section.get("missing", UNMEASURED))
    names = list(dict.fromkeys(name for row in section["errors"].values() for name in row))
    lines = [
        [quantity, *(f"{row[name]:.1e}" if name in row else NONE for name in names)]
        for quantity, row in section["errors"].items()
    ]
    return table(["", *names], lines)


def _not_timed(result: Json) -> dict[str, str]:
    """Return who was missing or excluded anywhere, and why."""
    found: dict[str, str] = {}
    for row in result["sections"].get("table", {}).get("rows", []):
        found |= row["missing"]
        for name, why in row["excluded"].items():
            found[f"{name} at {_size(row['size'])}"] = f"not timed: {why}"
    for name in ("sweep", "steps", "threads"):
        for point in result["sections"].get(name, {}).get("points", []):
            for contender, why in point["not_timed"].items():
                found.setdefault(f"{contender} at {_size(point['size'])}, {name}", why)
    return found


def peers(result: Json) -> str:
    """Say how each contender was set, and name who is missing."""
    settings: dict[str, str] = {}
    for row in result["sections"].get("table", {}).get("rows", []):
        for name, words in row["settings"].items():
            settings.setdefault(name, words)
    lines = [[name, words] for name, words in settings.items()]
    text = table(["contender", "as run"], lines)
    left_out = result["sections"].get("table", {}).get("left_out", [])
    gone = _not_timed(result) | dict.fromkeys(left_out, "left out when this was measured")
    if gone:
        text += "\n\nNot timed:\n\n" + "\n".join(f"- {name}: {why}" for name, why in gone.items())
    return text


def losses(result: Json) -> str:
    """List every row and shape where a peer is faster, or may be."""
    found = []
    for row in result["sections"].get("table", {}).get("rows", []):
        for t in row["targets"]:
            if t["ratio"] is None or t["best"] in _NO_PEERS:
                continue
            low, high = _bounds(row, t) or (t["ratio"], t["ratio"])
            if low < 1:
                is_slower = "is slower than" if high < 1 else "may be slower than"
                found.append(
                    f"- {row['section']} at {_size(row['size'])}: {t['ours']} {is_slower} "
                    f"{t['best']}, {_verdict(row, t)[0]}."
                )
        ours = row["figures"].get("onecell")
        for name in ONE_THREAD_PEERS:
            theirs = row["figures"].get(name)
            if ours and theirs and theirs["median"] < ours["median"]:
                found.append(
                    f"- {row['section']} at {_size(row['size'])}: {name}, takes "
                    f"{theirs['median']:.1f} µs, onecell {ours['median']:.1f}."
                )
    lost = result["sections"].get("sweep", {}).get("lost", 0)
    if lost:
        found.append(f"- {lost} shapes of the sweep, the worst of which are listed there.")
    return "\n".join(found) or "Nowhere, among what is measured here."


SECTIONS: Final[dict[str, Callable[[Json], str]]] = {
    "summary": summary.text,
    "machine": machine,
    "targets": targets,
    "losses": losses,
    "forward": forward,
    "training": training,
    "mindspore": mindspore,
    "stream": stream,
    "frozen": frozen,
    "sweep": sweep,
    "threads": threads,
    "roofline": roofline,
    "memory": memory,
    "accuracy": accuracy,
    "peers": peers,
}
"""The marked sections of the page, and what fills them."""


def everything(result: Json) -> str:
    """Return all sections one after another, for a file beside the JSON."""
    return "\n\n".join(f"## {name}\n\n{fill(result)}" for name, fill in SECTIONS.items()) + "\n"
