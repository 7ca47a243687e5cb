"""Put the common matters to a framework, and make the table of two out of their answers."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onecell.ending import at_end
from onecell.language import Text
from onecell.verify.child import Child, ChildEndedError, ChildMissingError, ChildTimedOutError
from onecell.verify.difference.changes import alike
from onecell.verify.difference.claims import Between, Expected, matches
from onecell.verify.difference.common import questions
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.common.claims import claimed
from onecell.verify.difference.common.matter import MATTERS, Matter
from onecell.verify.difference.values import Finding, Observation, Outcome, Table, Verdict
from onecell.verify.record import version
from onecell.verify.runtimes import find_interpreter

__all__ = [
    "LIMIT",
    "MATTERS",
    "Answers",
    "above",
    "ask_framework",
    "conclude",
    "pair",
    "questions",
    "run_pair",
]

LIMIT: Final = 240.0
"""Seconds that one question may take; the slowest, in an emulated engine, takes about a minute."""

HERE: Final = Path(__file__).parent

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one framework answered."""

    framework: str
    versions: Mapping[str, str]
    """Of the framework, by its dialect's name, and of what it computes with; empty: not there."""
    observations: Mapping[str, Observation]
    """Matter → the answer."""


def adapter_file(framework: str) -> str:
    """Return the name of the file in `adapters` that is this framework's."""
    return f"{framework.replace('-', '_')}_cell.py"


def above(framework: str) -> str:
    """Return the text of a framework's adapter."""
    return (HERE / "adapters" / adapter_file(framework)).read_text("utf-8").strip()


def ask_framework(
    framework: str, matters: Iterable[Matter], told: Told | None = None, *, limit: float = LIMIT
) -> Answers:
    """Ask one framework, in a process of its own by the Python that has it.

    Args:
        framework: one of `ADAPTERS`.
        matters: what to ask.
        told: called with each matter that is done.
        limit: seconds that one answer may take.

    Raises:
        ArgumentError: the environment names no program as its Python.
    """
    with _child(framework, limit) as child, at_end(child.close):
        return _ask(framework, child, matters, told)


def run_pair(
    frameworks: tuple[str, str],
    matters: Iterable[Matter],
    progress: Callable[[str, int, int], None] | None = None,
) -> Table:
    """Ask two frameworks at the same time; return their table."""
    asked = tuple(matters)
    done, lock = [0], threading.Lock()

    def told(name: str) -> None:
        with lock:
            done[0] += 1
            if progress is not None:
                progress(name, done[0], 2 * len(asked))

    with ExitStack() as stack:
        # Entered first, so that on an error the processes end before their threads are waited for.
        pool = stack.enter_context(ThreadPoolExecutor(2))
        children = [stack.enter_context(_child(name, LIMIT)) for name in frameworks]
        for child in children:
            stack.enter_context(at_end(child.close))
        going = [
            pool.submit(_ask, name, child, asked, told)
            for name, child in zip(frameworks, children, strict=True)
        ]
        first, second = (each.result() for each in going)
    return pair(first, second, asked)


def _child(framework: str, limit: float) -> Child:
    """Return the process that has a framework, not started; one that cannot be, where none has."""
    found = None if framework == "numpy" else find_interpreter(framework)
    path = sys.executable if framework == "numpy" else found.path if found is not None else ""
    words = [path, str(HERE / "answering.py"), adapter_file(framework)]
    # What a front end of onecell's would change in a framework is no answer of the framework's.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLOG_")}
    return Child([*words, ",".join(ADAPTERS[framework])], limit=limit, environment=kept)


def _ask(framework: str, child: Child, matters: Iterable[Matter], told: Told | None) -> Answers:
    observations: dict[str, Observation] = {}
    versions: dict[str, str] = {}
    first = ADAPTERS[framework][0]
    for each in matters:
        outcome, value, said = Outcome.MISSING, None, "is not installed"
        try:
            if child.words[0]:
                answer, _ = child.ask(each.program.encode())
                outcome, value, said = Outcome.ANSWERED, answer["value"], answer["said"]
        except ChildMissingError as error:
            said = str(error)
        except ChildTimedOutError as error:
            outcome, value, said = Outcome.TIMED_OUT, str(error), ""
        except ChildEndedError as error:
            outcome, value, said = Outcome.CRASHED, str(error), ""
        if not versions:
            named = child.hello.get("versions", {})
            versions = {framework if name == first else name: v for name, v in named.items()}
        of = versions.get(framework)
        observations[each.id] = Observation(framework, of, outcome, value, said)
        if told is not None:
            told(each.id)
    return Answers(framework, versions, observations)


def pair(first: Answers, second: Answers, matters: Iterable[Matter] | None = None) -> Table:
    """Return the table of two frameworks out of what each answered."""
    asked = tuple(MATTERS.values()) if matters is None else tuple(matters)
    both = (first, second)
    rows = [m for m in asked if all(m.id in each.observations for each in both)]
    names = (first.framework, second.framework)
    versions: dict[str, str | None] = {}
    for each in both:
        versions[each.framework] = each.versions.get(each.framework)
        versions |= {n: v for n, v in each.versions.items() if n not in names}
    versions.setdefault("onecell", version("onecell"))
    asking = (HERE / "asking.py").read_text("utf-8").strip()
    return Table(
        names,
        versions,
        tuple(conclude(m, [each.observations[m.id] for each in both]) for m in rows),
        {"": asking, **{name: above(name) for name in names}},
    )


def conclude(
    matter: Matter,
    observations: Iterable[Observation],
    claims: Callable[[str], Mapping[str, Expected]] = claimed,
) -> Finding:
    """Return the row: the answers, whether they differ, and who answers otherwise than claimed."""
    observed = tuple(observations)
    there = [each for each in observed if each.outcome is not Outcome.MISSING]
    wrong = tuple(
        each.side
        for each in there
        if matter.id in (told := claims(each.side)) and not matches(told[matter.id], each)
    )
    if wrong:
        verdict = Verdict.WRONG
    elif len(there) < len(observed):
        verdict = Verdict.NOT_RUN
    else:
        one, other = observed
        same = one.outcome is other.outcome and alike(one.value, other.value)
        verdict = Verdict.SAME if same else Verdict.DIFFERS
    claim = matter.says
    for side in wrong:
        held = _told(claims(side)[matter.id])
        claim = Text(f"{claim.en} Held of {side}: {held}.", f"{claim.zh}对 {side} 的说法：{held}。")
    return Finding(
        id=matter.id,
        section=matter.section,
        sources=(),
        matter=matter.matter,
        claim=claim,
        onecell=Text("", ""),
        code={each.side: matter.program for each in observed},
        observations=observed,
        verdict=verdict,
        wrong=wrong,
    )


def _told(expected: Expected) -> str:
    if isinstance(expected, Between):
        return f"{expected.low:g} to {expected.high:g}"
    return json.dumps(expected, ensure_ascii=False, default=str)
