"""What a difference table is made of, as plain values: nothing here runs or prints anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from onecell.language import Text

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""An answer that a machine can compare."""


class Outcome(StrEnum):
    """How the run of one probe on one side ended."""

    ANSWERED = "answered"
    """It returned a value, or raised a Python error, which is an answer too."""
    CRASHED = "crashed"
    """The process ended: a signal, such as SIGSEGV, or an exit."""
    TIMED_OUT = "timed out"
    MISSING = "missing"
    """The framework is not installed, or does not load."""


class Verdict(StrEnum):
    """What the answers say about a claim."""

    SAME = "same"
    """The frameworks answer alike, as claimed."""
    DIFFERS = "differs"
    """They answer differently, each as claimed."""
    WRONG = "wrong"
    """Somebody answers otherwise than claimed."""
    NOT_RUN = "not run"
    """A framework is not there, and nobody who is contradicts the claim."""
    CRASHED = "crashed"
    """A process ended, or a time limit passed, where the claim says otherwise."""

    @property
    def holds(self) -> bool:
        """Whether everything was run and is as claimed."""
        return self in {Verdict.SAME, Verdict.DIFFERS}


@dataclass(frozen=True, slots=True)
class Observation:
    """What one side answered to one probe."""

    side: str
    """"torch", "mindspore", or onecell's class of either: "onecell.torch", "onecell.mindspore"."""
    version: str | None
    """The version of what answered; None where it is not installed."""
    outcome: Outcome
    value: Json = None
    """The answer. An error is "raises TypeError", a crash the signal's name; else as the probe
    returned it. `words.describe` puts it in a language."""
    said: str = ""
    """The first line of the error's own message, for the reader; nobody compares it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table after its probe has run."""

    id: str
    """Stable: it names the row in stored tables, anchors and `--only`."""
    section: str
    """A key of `SECTIONS`."""
    sources: tuple[str, ...]
    """Where the claim comes from: rows of MindSpore's page, or of the list of known matters."""
    matter: Text
    """What the row is about, in a few words."""
    claim: Text
    onecell: Text
    """What onecell does about it; run like the claim."""
    code: Mapping[str, str]
    """Framework → a program that shows it."""
    observations: tuple[Observation, ...]
    """One a side: the two frameworks, then onecell under the signature of each."""
    verdict: Verdict
    wrong: tuple[str, ...] = ()
    """Sides whose answer is not the claimed one."""
    page: Text | None = None
    """What MindSpore's page says about it; None where it is silent."""
    page_verdict: Verdict | None = None
    """What the frameworks' answers say about that."""

    def of(self, side: str) -> Observation | None:
        """Return what `side` answered; None if the table does not have that side."""
        return next((each for each in self.observations if each.side == side), None)


@dataclass(frozen=True, slots=True)
class Table:
    """The difference table of two frameworks, run on one machine."""

    frameworks: tuple[str, str]
    versions: Mapping[str, str | None]
    """Of both frameworks and of onecell; None where one is not installed."""
    findings: tuple[Finding, ...]
    above: Mapping[str, str] = field(default_factory=dict)
    """Framework → what stands above each program of its findings, where that is the same; under ""
    what stands above all."""

    @property
    def holds(self) -> bool:
        """Whether every row was run and every claim about the frameworks and onecell holds."""
        return all(finding.verdict.holds for finding in self.findings)

    def get(self, row: str) -> Finding | None:
        """Return the row with that id; None if the table does not have it."""
        return next((each for each in self.findings if each.id == row), None)


SECTIONS: Final[Mapping[str, Text]] = {
    "parameters": Text("Parameters", "参数"),
    "inputs": Text("Inputs", "输入"),
    "outputs": Text("Outputs", "输出"),
    "examples": Text("Code examples", "代码示例"),
    "construction": Text("Construction", "构造"),
    "states": Text("States and shapes", "状态与形状"),
    "numbers": Text("Element types and numbers", "数据类型与数值"),
    "weights": Text("Weights and checkpoints", "权重与检查点"),
}
"""Key → heading, in the order of the table."""
