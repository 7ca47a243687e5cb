"""The rows of the table, measured and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from bench import figures, probes, roofline
from bench.conductor import Conductor
from bench.contenders import Missing
from bench.figures import Measured, Pace
from bench.rows import Row

FORWARD: Final = frozenset({"step", "unroll"})
Progress = Callable[[str], None]


def measure(
    conductor: Conductor,
    rows: Sequence[Row],
    pace: Pace,
    threads: int,
    leave_out: frozenset[str],
    tell: Progress,
) -> dict[str, Any]:
    """Return the section: the ceilings of this run, and every row with its verdicts."""
    section: dict[str, Any] = {"threads": threads, "left_out": sorted(leave_out)}
    ceilings: dict[str, Any] | None = None
    measured = []
    for row in rows:
        if row.section in FORWARD and "no_ceilings" not in section:
            # Again and again: a machine shared with others is not the same all the time.
            try:
                ceilings = probes.ceilings(threads, ceilings)
            except Missing as gone:
                section["no_ceilings"] = str(gone)
        tell(row.name)
        contenders = [name for name in row.contenders if name not in leave_out]
        found = figures.measure(conductor, contenders, row.size, row.work, pace, threads)
        measured.append((row, found))
    section["ceilings"] = ceilings
    section["rows"] = [judge(row, found) for row, found in measured]
    return section


def judge(row: Row, found: Measured) -> dict[str, Any]:
    """Return a row as JSON: what was measured, and how it stands to what was promised."""
    result: dict[str, Any] = {
        "name": row.name, "section": row.section, "work": row.work, "size": list(row.size),
        **found.as_json(), "targets": [],
    }  # fmt: skip
    for target in row.targets:
        verdict: dict[str, Any] = {"ours": target.ours, "at_least": target.at_least}
        judged = target.judge(found.figures)
        if judged is None:
            verdict |= {"ratio": None, "best": None, "met": None}
        else:
            ratio, best = judged
            verdict |= {"ratio": round(ratio, 3), "best": best, "met": ratio >= target.at_least}
        result["targets"].append(verdict)
    if row.section in FORWARD and "onecell" in found.figures:
        result["roofline"] = roofline.fractions(row.size, found.figures)
    return result
