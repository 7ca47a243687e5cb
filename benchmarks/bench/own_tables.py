"""Sections of what is measured apart from the main table, in English or Chinese."""

from __future__ import annotations

from typing import Any

from bench.table_text import NONE, best_peer, met, shape, table, unmeasured
from bench.words import WORK, Say, english, told

Json = dict[str, Any]


def roofline(result: Json, say: Say = english) -> str:
    """Say how near onecell comes to the machine's ceilings."""
    section = result["sections"].get("table", {})
    if not section.get("ceilings"):
        return str(section.get("no_ceilings", unmeasured(say)))
    runs = []
    for run in section["ceilings"]["runs"]:
        kib = {r["kib"]: r["gbytes"] for r in run["reads"]}
        shown = (f"{kib[size]:.0f}" for size in (32, 1024, 8192, 524288))
        runs.append([str(run["threads"]), f"{run['gflops']:.0f}", *shown])
    sizes = ("32 KiB", "1 MiB", "8 MiB", "512 MiB")
    reads = (say(f"GB/s of {size}", f"{size} 的 GB/s") for size in sizes)
    head = [say("threads", "线程数"), "GFLOP/s", *reads]
    shares = [
        [
            shape(row["size"]), f"{r['gflops']:.1f}", f"{r['of_fma']:.0%}", f"{r['gbytes']:.1f}",
            f"{r['of_bandwidth']:.0%}",
        ]
        for row in section["rows"]
        if "of_bandwidth" in (r := row.get("roofline", {}))
    ]  # fmt: skip
    named = [
        "T, B, I, H", "GFLOP/s", say("of the rate", "占乘加速度"),
        say("weights, GB/s", "权重 (GB/s)"), say("of the bandwidth", "占带宽"),
    ]  # fmt: skip
    return f"{table(head, runs, say)}\n\n{table(named, shares, say)}"


def sweep(result: Json, say: Say = english) -> str:
    """Say how many shapes were lost, which are the worst, and where cost jumps."""
    section = result["sections"].get("sweep")
    if section is None:
        return unmeasured(say)
    judged, lost, left = section["judged"], section["lost"], len(section["not_reached"])
    peers = ", ".join(section["peers"])
    text = say(
        f"{judged} shapes against {peers}; {lost} lost by more than 5%; "
        f"{left} not reached in the time given.",
        f"{judged} 个形状，同类为 {peers}；落后超过 5% 的有 {lost} 个；"
        f"规定时间内没有测到的有 {left} 个。",
    )
    if unsure := section.get("unsure"):
        text += say(
            f" {unsure} more cannot be told: a figure is not to be trusted.",
            f"另有 {unsure} 个无法判定：其中有不可信的数字。",
        )
    ratio, times = (
        say("ratio", "速度之比"),
        say("times what its neighbours predict", "为相邻形状推算值的倍数"),
    )
    worst = [[shape(p["size"]), f"{p['ratio']:.2f}×", p["best"]] for p in section["worst"]]
    shown = table(["T, B, I, H", ratio, best_peer(say)], worst, say)
    text += say(" The worst:", "最差的是：") + f"\n\n{shown}\n\n"
    cliffs = [
        [shape(c["size"]), say(*WORK[c["along"]]), f"{c['times']:.2f}×"]
        for c in section["cliffs"][:12]
    ]
    if not cliffs:
        return text + say(
            "No shape costs 1.3 times what its neighbours predict.",
            "没有哪个形状的用时达到相邻形状推算值的 1.3 倍。",
        )
    count = len(section["cliffs"])
    text += say(f"{count} cliffs; the steepest:", f"{count} 处陡变，最陡的是：")
    return f"{text}\n\n{table(['T, B, I, H', say('along', '方向'), times], cliffs, say)}"


def everyday(result: Json, say: Say = english) -> str:
    """Give torch's time divided by ours for calls as people write them."""
    section = result["sections"].get("everyday")
    if section is None:
        return unmeasured(say)
    times = say("processor time", "处理器时间"), say("time", "时间")
    lines = [
        [told(row["work"], say), row["size"], f"{row['cpu']:.2f}×", f"{row['time']:.2f}×"]
        for row in section["rows"]
    ]
    slower = sum(row["time"] < 1 for row in section["rows"])
    said = say(
        f"{slower} of {len(lines)} take longer than torch's own.",
        f"{len(lines)} 项中有 {slower} 项比 torch 自己的慢。",
    )
    shown = table([say("work", "任务"), "T, B, I, H", *times], lines, say)
    return f"{said}\n\n{shown}"


def threads(result: Json, say: Say = english) -> str:
    """Give µs by thread count."""
    section = result["sections"].get("threads")
    if section is None:
        return unmeasured(say)
    names = list(dict.fromkeys(name for p in section["points"] for name in p["median"]))
    lines = [
        [
            shape(p["size"]),
            str(p["threads"]),
            *(f"{p['median'].get(n, float('nan')):.1f}" for n in names),
        ]
        for p in section["points"]
    ]
    head = ["T, B, I, H", say("threads", "线程数"), *names]
    return table(head, lines, say).replace("nan", NONE)


def memory(result: Json, say: Say = english) -> str:
    """Judge what is said of memory."""
    section = result["sections"].get("memory")
    if section is None or "claims" not in section:
        return str((section or {}).get("missing", unmeasured(say)))
    lines = [
        [told(c["claim"], say), told(c["measured"], say), met(c["met"], say)]
        for c in section["claims"]
    ]
    return table([say("claim", "承诺"), say("measured", "实测"), ""], lines, say)


def accuracy(result: Json, say: Say = english) -> str:
    """Give the largest errors against float64."""
    section = result["sections"].get("accuracy", {})
    if "errors" not in section:
        return str(section.get("missing", unmeasured(say)))
    names = list(dict.fromkeys(name for row in section["errors"].values() for name in row))
    lines = [
        [told(quantity, say), *(f"{row[name]:.1e}" if name in row else NONE for name in names)]
        for quantity, row in section["errors"].items()
    ]
    return table(["", *names], lines, say)
