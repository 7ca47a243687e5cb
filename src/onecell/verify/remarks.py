"""What a verdict must say beside what holds: one rule for a port and for a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from onecell.checkpoint import Note, NoteKind
from onecell.text import listed
from onecell.verify.quantities.readings import Quantity
from onecell.verify.wording import Finding

FAMILIES: Final[Mapping[str, str]] = {
    "forward": "前向",
    "extreme": "远端输入的前向",
    "gradient of the inputs": "输入的梯度",
    "gradient of the parameters": "参数的梯度",
    "rollout": "连续运行",
    "sgd": "SGD 训练步",
    "adam": "Adam 训练步",
    "weights": "权重本身",
}
"""What a family of quantities is called in Chinese."""

_SAID: Final[Mapping[NoteKind, str]] = {
    "unsure": "cells perhaps",
    "other": "none by its shapes",
    "beside": "something beside",
}


@dataclass(frozen=True, slots=True, eq=False)
class Remarks:
    """What nothing could fail on, and what may be a cell or have something else beside it."""

    cells: Mapping[str, Sequence[Quantity]]
    """The quantities of every cell, by its name."""
    notes: Sequence[Note]

    @property
    def unproved(self) -> dict[str, Finding]:
        """What may be a cell and is not proved → why. Where there is any, nothing HOLDS."""
        idle = {name: idle_families(quantities) for name, quantities in self.cells.items()}
        found = {name: _cannot_fail(families) for name, families in idle.items() if families}
        return found | dict.fromkeys(self.noted("unsure"), Finding("names of a cell", {}))

    @property
    def idle(self) -> int:
        """How many quantities of all cells cannot fail on a side that decides."""
        return sum(not each.proves for quantities in self.cells.values() for each in quantities)

    @property
    def beside(self) -> tuple[Finding, ...]:
        """What is said beside the verdict, whatever it is: each names what it is about."""
        found = self._named("other", "beside")
        if self.idle:
            total = sum(map(len, self.cells.values()))
            found.append(Finding("idle", {"idle": self.idle, "total": total}))
        return tuple(found)

    @property
    def looks(self) -> tuple[Finding, ...]:
        """What looks like a cell, where nothing is proved and none is told from the rest."""
        return tuple(self._named("unsure", "other", "beside"))

    def _named(self, *kinds: NoteKind) -> list[Finding]:
        return [
            Finding(_SAID[kind], {"names": (said := listed(names)), "names_zh": _chinese(said)})
            for kind in kinds
            if (names := self.noted(kind))
        ]

    def noted(self, kind: NoteKind) -> tuple[str, ...]:
        """Return the names of the notes of one kind."""
        return tuple(dict.fromkeys(note.name for note in self.notes if note.kind == kind))

    def texts(self, lang: str = "en") -> list[str]:
        """Return a clause for each: first what is not proved, then what stands beside."""
        unproved = (
            Finding("not proved", {"name": name, "why": why.text(lang)})
            for name, why in self.unproved.items()
        )
        return [found.text(lang) for found in (*unproved, *self.beside)]


def idle_families(quantities: Iterable[Quantity]) -> tuple[str, ...]:
    """Return the families of which no quantity could fail: that they hold says nothing."""
    able: dict[str, bool] = {}
    for quantity in quantities:
        able[quantity.family] = able.get(quantity.family, False) or quantity.proves
    return tuple(family for family, proves in able.items() if not proves)


def idle_by_side(quantities: Iterable[Quantity]) -> dict[str, tuple[str, ...]]:
    """Return side → the quantities that prove nothing about it: no error would show."""
    found: dict[str, list[str]] = {}
    for quantity in quantities:
        for side in dict.fromkeys(r.side for r in quantity.readings if not r.proves):
            found.setdefault(side, []).append(quantity.name)
    return {side: tuple(names) for side, names in found.items()}


def _chinese(names: str) -> str:
    """Return a list of names with its count of those left out in Chinese."""
    return re.sub(r" and (\d+) more$", r" 等另 \1 个", names)


def _cannot_fail(families: Sequence[str]) -> Finding:
    chinese = "、".join(FAMILIES[family] for family in families)
    return Finding("cannot fail", {"families": listed(families), "families_zh": chinese})
