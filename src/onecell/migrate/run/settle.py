"""Settle what files take for granted by what the other files of a project show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from onecell.migrate.rules.assumptions import Assumption, Outside, said
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite
from onecell.migrate.run.testimony import Said, Testimony

Ask = Callable[[Mapping[Path, "Asked"]], Mapping[Path, Testimony]]
"""Ask files, each a question of its own; what is not answered is left out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about one file."""

    given: tuple[Assumption, ...]
    returned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the assumptions of one file."""

    holds: frozenset[Assumption]
    """What is known to hold."""
    outside: Outside | None
    """Why the file has to be rewritten again: an assumption is wrong. None where none is."""


def settle(
    rewrites: Mapping[Path, Rewrite], graph: Mapping[Path, frozenset[Path]], ask: Ask
) -> dict[Path, Verdict]:
    """Return a verdict for each file that takes something for granted.

    Args:
        rewrites: what was made of each file.
        graph: file → the files that it imports.
        ask: asks files.
    """
    open_ = {path: tuple(_assumed(done)) for path, done in rewrites.items()}
    open_ = {path: assumed for path, assumed in open_.items() if assumed}
    importers: dict[Path, set[Path]] = {}
    for path, targets in graph.items():
        for target in targets:
            importers.setdefault(target, set()).add(path)
    asked: dict[Path, Asked] = {}
    for path, assumed in open_.items():
        given = tuple(each for each in assumed if each.called)
        names = tuple(each.path.rpartition(".")[2] for each in assumed if each.path)
        for near in importers.get(path, ()) if given else ():
            asked[near] = _more(asked.get(near), given, ())
        for near in graph.get(path, ()) if names else ():
            asked[near] = _more(asked.get(near), (), names)
    answers = ask(asked)
    verdicts: dict[Path, Verdict] = {}
    for path, assumed in open_.items():
        connected = _connected(path, graph, importers) - {path}
        keepers = {name for one in connected if one in rewrites for name in rewrites[one].keepers}
        callers = [answers[one] for one in importers.get(path, ()) if one in answers]
        homes = [answers[one] for one in graph.get(path, ()) if one in answers]
        decided = {each: _decide(each, callers, homes, bool(keepers)) for each in assumed}
        verdicts[path] = Verdict(
            frozenset(each for each, found in decided.items() if found == "data"),
            _outside([a for a, found in decided.items() if found == "carries"], keepers),
        )
    return verdicts


def _assumed(done: Rewrite) -> Iterable[Assumption]:
    return dict.fromkeys(each for found in done.findings for each in found.assumes)


def _more(asked: Asked | None, given: tuple[Assumption, ...], returned: tuple[str, ...]) -> Asked:
    asked = asked or Asked((), ())
    return Asked((*asked.given, *given), (*asked.returned, *returned))


def _connected(
    path: Path, graph: Mapping[Path, Iterable[Path]], importers: Mapping[Path, Iterable[Path]]
) -> set[Path]:
    """Return the files that imports connect with `path`, in whichever direction."""
    found, todo = {path}, [path]
    while todo:
        one = todo.pop()
        for near in (*graph.get(one, ()), *importers.get(one, ())):
            if near not in found:
                found.add(near)
                todo.append(near)
    return found


def _decide(
    assumption: Assumption,
    callers: Iterable[Testimony],
    homes: Iterable[Testimony],
    keeps: bool,
) -> Said:
    """Return what the other files say of an assumption: "data" where all agree that it holds."""
    if assumption.called:
        key = (assumption.called, assumption.parameter)
        answers = [said for one in callers for *whom, said in one.given if tuple(whom) == key]
    else:
        leaf = assumption.path.rpartition(".")[2]
        answers = [said for one in homes for name, said in one.returned if name == leaf]
    if not answers:
        return "open"
    if assumption.basis == "kept":
        return "carries" if keeps else "data"
    if "carries" in answers:
        return "carries"
    return "open" if "open" in answers else "data"


def without(done: Rewrite, holds: frozenset[Assumption]) -> Rewrite:
    """Return `done` with its findings less what is known to hold."""
    return replace(done, findings=tuple(_less(found, holds) for found in done.findings))


def _less(found: Finding, holds: frozenset[Assumption]) -> Finding:
    left = tuple(each for each in found.assumes if each not in holds)
    if left == found.assumes:
        return found
    to = found.message.partition("Rewritten for ")[2].partition(";")[0]
    if left:
        return replace(found, message=said(left, to), assumes=left)
    return replace(found, outcome=Outcome.CONVERTED, message=f"Rewritten for {to}.", assumes=())


def _outside(wrong: Iterable[Assumption], keepers: Iterable[str]) -> Outside | None:
    wrong = list(wrong)
    if not wrong:
        return None
    given = frozenset((e.called, e.parameter) for e in wrong if e.called and e.basis == "given")
    returning = frozenset(e.path for e in wrong if e.path and e.basis == "returned")
    kept = any(each.basis == "kept" for each in wrong)
    return Outside(given, returning, frozenset(keepers if kept else ()))
