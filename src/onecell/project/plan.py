"""What porting a project will do, decided and checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onecell.checkpoint import find_cells, load_checkpoint
from onecell.checkpoint.atomic import check_output
from onecell.checkpoint.files import PORTED
from onecell.checkpoint.formats.sharded import called, files_of, goes_by, is_distributed
from onecell.dialect import FRONT_ENDS
from onecell.errors import ArgumentError, CheckpointError, SourceError
from onecell.project.find import Place, find
from onecell.verify.plan import OWN_SUFFIX, source_dialect
from onecell.verify.quantities.columns import choose_columns
from onecell.verify.sides import get_side

if TYPE_CHECKING:  # LibCST and pathspec are an extra, needed only where there is code
    from onecell.migrate import Framework, Migration, Target
    from onecell.migrate.run.migration import Progress

_OF_A_PORT: Final = (".proof.json", ".report.html")
"""What a port writes beside a checkpoint that it has converted."""


@dataclass(frozen=True, slots=True, eq=False)
class ProjectPlan:
    """One port of a project, ready to be carried out."""

    to: Framework
    out: Path
    migration: Migration | None
    """The code, rewritten in memory; None where there is none."""
    sources: tuple[str, ...]
    """The texts of the project's modules as they are."""
    checkpoints: tuple[Place, ...]
    """The checkpoints to convert."""
    dialects: Mapping[Path, str]
    """Of those that can be read, the framework that wrote them."""
    others: tuple[Place, ...]
    """Files that go along as they are."""
    suffix: str | None
    sides: tuple[str, ...] | None
    force: bool
    target: Target
    already: tuple[Place, ...]
    """Of `others`, checkpoints that are `to`'s own already."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do: no checkpoint and no code of the other framework."""
        return not self.checkpoints and (self.migration is None or self.migration.nothing)

    @property
    def libraries(self) -> frozenset[str]:
        """The frameworks that the proofs will import."""
        if not self.checkpoints:
            return frozenset()
        columns, _ = choose_columns(other(self.to), self.to, self.sides, runs_on=self.target)
        libraries = (get_side(column.side).library for column in columns)
        return frozenset(library for library in libraries if library is not None)


def plan_project(
    paths: Sequence[Path],
    to: Framework,
    out: Path,
    *,
    target: Target = "onecell",
    source: str | None = None,
    suffix: str | None = None,
    force: bool = False,
    sides: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    progress: Progress | None = None,
) -> ProjectPlan:
    """Find what `paths` hold, rewrite the code in memory, and check that there is room for all.

    Args:
        paths: folders, source files and checkpoints; see `find`.
        to: the framework to port to.
        out: the folder for everything; may lie inside a folder of `paths`.
        target: whose cell the code is to use; see `rewrite`.
        source: the framework of checkpoints that do not tell; the other one than `to` if None.
        suffix: of the new checkpoints, one of `checkpoint.files.PORTED`; None for what `to`
            itself uses.
        force: replace files that are there.
        sides: see `choose_columns`.
        exclude: patterns as in .gitignore of what to leave out of folders.
        progress: told how many source files are done.

    Raises:
        ArgumentError: an argument is not one of its values, there is nothing at a path, or two
            files would have one name.
        OutputExistsError: a file to be written is there and `force` is not set.
        MissingExtraError: LibCST or pathspec, or the framework of a side, is not installed.
    """
    if suffix is not None and suffix not in PORTED:
        raise ArgumentError(f"`suffix` must be one of {', '.join(PORTED)}, got {suffix!r}.")
    sides = None if sides is None else tuple(sides)
    choose_columns(other(to), to, sides, runs_on=target)
    found = find(paths, exclude, apart=out)
    migration = None
    if found.code:
        from onecell.migrate import migrate_paths  # noqa: PLC0415

        migration = migrate_paths(
            found.code, to=to, target=target, exclude=exclude, apart=out, progress=progress
        )
    models: list[Place] = []
    already: list[Place] = []
    dialects: dict[Path, str] = {}
    others = list(found.others)
    for place in found.checkpoints:
        dialect = _dialect(place, source, to, named=place.path in paths)
        if dialect in (to, ""):
            own = place.relative.with_suffix("") if is_distributed(place.path) else place.relative
            folder = own if is_distributed(place.path) else own.parent
            others += [Place(file, folder / file.name) for file in files_of(place.path)]
            already += [Place(place.path, own)] if dialect else []
            continue
        models.append(place)
        if dialect is not None:
            dialects[place.path] = dialect
    new = suffix or OWN_SUFFIX[to]
    converted = {goes_by(place.relative, new, PORTED) for place in models}
    converted |= {called(place.relative, each) for place in models for each in _OF_A_PORT}
    # Beside model.pt lie the model.ckpt and its proof of an earlier port, or model.pt came of one:
    # the new ones take their place.
    others, already = (
        [place for place in places if place.relative not in converted]
        for places in (others, already)
    )
    plan = ProjectPlan(
        to=to,
        out=out,
        migration=migration,
        sources=tuple(_texts(migration)),
        checkpoints=tuple(models),
        dialects=dialects,
        others=tuple(others),
        suffix=suffix,
        sides=sides,
        force=force,
        target=target,
        already=tuple(already),
    )
    if not plan.nothing:
        _check_names(plan, new)
    return plan


def other(to: str) -> str:
    """Return the framework that a port to `to` starts from."""
    return next(name for name in FRONT_ENDS if name != to)


def _dialect(place: Place, source: str | None, to: str, *, named: bool) -> str | None:
    """Return who wrote a checkpoint: "" if it is no model's, None if it cannot be read.

    Raises:
        ArgumentError: `source` contradicts a file that was named.
    """
    try:
        read = load_checkpoint(place.path)
        if source is not None and named:
            source_dialect(read, source, place.path)
        if read.frozen and not named:
            return ""
        dialect = read.dialect or source or other(to)
        # An .npz in a folder is as likely a table of data; what the user named is a checkpoint.
        if read.format == "npz" and not named and not find_cells(read.tensors, dialect):
            return ""
    except (CheckpointError, OSError):
        return "" if place.path.suffix == ".npz" and not named else None
    return dialect


def _texts(migration: Migration | None) -> Iterator[str]:
    """Yield the modules of a migration as they were."""
    if migration is None:
        return
    from onecell.migrate.run.files import read_source  # noqa: PLC0415
    from onecell.migrate.source.text import decode  # noqa: PLC0415

    for result in migration.results:
        if result.rewrite is not None:
            yield result.rewrite.before
        elif result.path.suffix == ".py":
            try:
                yield decode(read_source(result.path)).text
            except SourceError:
                continue


def _check_names(plan: ProjectPlan, suffix: str) -> None:
    """Raise unless every file has a name of its own and a place to go to."""
    targets: dict[Path, Path] = {}

    def take(relative: Path, path: Path) -> None:
        if relative in targets and targets[relative] != path:
            raise ArgumentError(
                f"{targets[relative]} and {path} would both become {plan.out / relative}."
            )
        targets[relative] = path

    for result in plan.migration.results if plan.migration else ():
        take(result.relative, result.path)
    for place in plan.checkpoints:
        take(goes_by(place.relative, suffix, PORTED), place.path)
        take(called(place.relative, _OF_A_PORT[0]), place.path)
    for place in plan.others:
        take(place.relative, place.path)
    _check_apart(targets.values(), plan.out, targets)
    for relative in targets:
        if (plan.out / relative).parent.is_dir():
            check_output(plan.out / relative, force=plan.force)


def _check_apart(sources: Iterable[Path], out: Path, targets: Iterable[Path]) -> None:
    taken = {path.resolve() for path in sources}
    for relative in targets:
        if (out / relative).resolve() in taken:
            raise ArgumentError(
                f"{out / relative} is one of the files to port; choose another folder."
            )
