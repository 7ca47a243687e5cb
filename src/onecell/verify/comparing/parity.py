"""Compare two things that claim to be the same cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from onecell.errors import (
    ArgumentError,
    NotFiniteError,
    UnlikeCellsError,
    WhichCellError,
)
from onecell.spec import Spec
from onecell.verify.comparing.checks import check_sizes
from onecell.verify.comparing.claim import Claim
from onecell.verify.comparing.comparison import Caught, Comparison, Diagnosis, Party
from onecell.verify.comparing.contenders import Contender, Opened, contend
from onecell.verify.comparing.dialect_ports import dialect_ports
from onecell.verify.comparing.divergence import first_divergence
from onecell.verify.comparing.explain import diagnose
from onecell.verify.comparing.inference import UNTRAINED, of_sums
from onecell.verify.comparing.parties import read_claim
from onecell.verify.comparing.repeating import command
from onecell.verify.comparing.wrong_ports import STEPS, example, try_wrong_ports
from onecell.verify.quantities.cases import ROLLOUT_STEPS, SEED, make_case
from onecell.verify.quantities.optimizers import OPTIMIZERS
from onecell.verify.quantities.oracle import Oracle, make_oracle, observe
from onecell.verify.quantities.readings import Quantity, Reading, by_quantity, measure
from onecell.verify.quantities.stored import compare_stored
from onecell.verify.record import environment
from onecell.verify.sides import get_side
from onecell.weights import Weights

Progress = Callable[[str, int, int], None]
"""Called with what is done next, how many parts are done, and how many there are."""


def compare(
    a: object,
    b: object,
    *,
    cell: str | tuple[str | None, str | None] | None = None,
    steps: int = ROLLOUT_STEPS,
    seed: int = SEED,
    sides: Sequence[str] | None = None,
    sizes: tuple[int, int] | None = None,
    self_test: bool = False,
    inference: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two things that claim to be the same cell, and say why they differ if they do.

    Forward, every gradient, a step of SGD and of Adam and a rollout are held against the float64
    reference on the weights of `a` (of `b`, where only `b` shows weights; where neither does, `b`
    is held against `a`). Nothing that is given is changed.

    Args:
        a: what is taken to be right: the path of a checkpoint, "module:attribute", `Weights`, a
            cell of torch, MindSpore or onecell, a module, or a function of NumPy arrays, each
            called as `cell(x, (h, c))` and returning `(h', c')`.
        b: what claims to be the same.
        cell: which cell of a checkpoint or module, by name, for whichever of the two has one of
            that name; a tuple of two names where they call it differently.
        steps: T, the steps of the rollout.
        seed: of the inputs.
        sides: who computes with the weights of a checkpoint, names from `SIDES`: each on the files
            of its framework, and on both if it belongs to none. None: onecell's kernel, and the
            frameworks' own cells where they are installed.
        sizes: (I, H), where neither tells its own.
        self_test: see the comparison fail on every one of `WRONG_PORTS`, made from these weights,
            and of files on the mistakes that the layouts of their frameworks invite.
        inference: compare what the cells compute and not how they train: two biases count as one,
            their sum, and none as zeros.
        progress: told before every part and at the end.

    Raises:
        CheckpointError: a file that cannot be read, or holds no cell.
        WhichCellError: several cells, and `cell` does not say which.
        UnlikeCellsError: the sizes differ.
        NotFiniteError: a parameter holds NaN or infinity.
        NotACellError: an object that is not called as a cell is.
        ObjectImportError: "module:attribute" that cannot be imported.
        MissingExtraError: a framework that is needed is not installed.
        ArgumentError: another argument is not one of its values.
    """
    began = time.perf_counter()
    if steps < 2:
        raise ArgumentError(f"`steps` must be at least 2, got {steps}.")
    names = cell if isinstance(cell, tuple) else (cell, cell)
    perhaps = isinstance(cell, str)
    claims = (
        read_claim("a", a, names[0], perhaps=perhaps),
        read_claim("b", b, names[1], perhaps=perhaps),
    )
    if perhaps and all(claim.cell != cell for claim in claims):
        there = ", ".join(f"`{each}`" for claim in claims for each in claim.cells)
        raise WhichCellError(f"neither has a cell called {cell!r}; there are {there}.")
    stored = (claims[0].weights, claims[1].weights)
    if inference:
        claims = (of_sums(claims[0]), of_sums(claims[1]))
    spec = _alike(claims, sizes)
    base = next((claim.weights for claim in claims if claim.weights is not None), None)
    case = make_case(
        spec if base is None else base.astype(spec.dtype.name), rollout_steps=steps, seed=seed
    )
    _check_sides(claims, sides)
    left_out: dict[str, str] = {}
    first, second = (contend(claim, case, sides, left_out) for claim in claims)
    tell = progress if progress is not None else _say_nothing
    tell("reference", 0, 1)
    right = first.weights if first.weights is not None else second.weights
    if right is None:
        oracle = observe(first.sides[0].side, case)
    else:
        coarse = any(opened.coarse for each in (first, second) for opened in each.sides)
        oracle = make_oracle(right.astype(spec.dtype.name), case, coarse=coarse)
    _check_numbers(oracle)
    quantities, diagnosis = _judge(first, second, oracle, tell)
    if inference:
        quantities = tuple(q for q in quantities if q.name.partition(".")[0] not in OPTIMIZERS)
        left_out |= dict.fromkeys(OPTIMIZERS, UNTRAINED)
    if first.weights is not None and second.weights is not None:
        quantities += compare_stored(first.weights, second.weights, first.sides[0].name)
    wronged = next((each for each in stored if each is not None), None) or example(spec)
    shown = tuple(each for each in quantities if each.of("a") and each.of("b"))
    left_out |= _not_shown(first, second, [each.name for each in quantities if each not in shown])
    return Comparison(
        a=_party(first, spec, left_out),
        b=_party(second, spec, left_out),
        computed=spec.dtype.name,
        reference=_say_reference(first, second),
        same_bits=_same_bits(first, second, stored),
        quantities=shown,
        first=first_divergence(shown, first.weights, second.weights, diagnosis),
        diagnosis=diagnosis,
        self_test=_try_all(wronged, tell, claims) if self_test else (),
        inference=inference,
        left_out=left_out,
        sampling={},
        seed=seed,
        steps=steps,
        rows=len(case.h),
        command=command(claims, names, steps, seed, inference=inference),
        environment=environment(),
        seconds=time.perf_counter() - began,
    )


def _check_sides(claims: tuple[Claim, Claim], sides: Sequence[str] | None) -> None:
    """Raise `ArgumentError` for a side that would compute neither of the two."""
    files = [claim for claim in claims if claim.kind == "file"]
    for name in (sides or ()) if files else ():
        framework = get_side(name).framework
        if framework is not None and framework not in {claim.framework for claim in files}:
            theirs = " and ".join(dict.fromkeys(str(claim.framework) for claim in files))
            raise ArgumentError(
                f"`sides`: {name} computes files of {framework} alone, and what is given is of "
                f"{theirs}."
            )


def self_test(
    weights: Weights | None = None, *, progress: Progress | None = None
) -> tuple[Caught, ...]:
    """Run the comparison against every one of `WRONG_PORTS` and say whether it saw and named it.

    Args:
        weights: those that the ports get wrong; None for a small fixed cell.
        progress: told before every wrong port and at the end.
    """
    return _try_all(example() if weights is None else weights, progress or _say_nothing)


def _try_all(
    weights: Weights, progress: Progress, claims: Sequence[Claim] = ()
) -> tuple[Caught, ...]:
    right = Contender(read_claim("a", weights), weights, [], [])
    case = make_case(weights.widened(), rollout_steps=STEPS)
    oracle = make_oracle(weights.widened(), case)

    def judge(wrong: object) -> tuple[tuple[Quantity, ...], Diagnosis]:
        port = contend(read_claim("b", wrong), case, (), {})
        quantities, diagnosis = _judge(right, port, oracle, _say_nothing)
        if port.weights is not None:  # what no output shows, such as biases in each other's place
            quantities += compare_stored(weights, port.weights, "arrays")
        return quantities, diagnosis

    files = [claim.framework for claim in claims if claim.kind == "file"]
    return try_wrong_ports(weights, judge, progress, dialect_ports(*files))


def _judge(
    a: Contender, b: Contender, oracle: Oracle, tell: Progress
) -> tuple[tuple[Quantity, ...], Diagnosis]:
    """Run every side of both against the oracle and find out why they differ, if they do."""
    total = 2 + len(a.sides) + len(b.sides)
    found: list[Mapping[str, Reading]] = []
    for contender in (a, b):
        for opened in contender.sides:
            tell(f"{contender.claim.label}: {opened.name}", len(found) + 1, total)
            found.append(_measure(contender, opened, oracle))
    quantities = by_quantity(found, oracle.expected)
    tell("diagnosis", total - 1, total)
    diagnosis = diagnose(a, b, oracle, quantities)
    tell("", total, total)
    return quantities, diagnosis


def _not_shown(a: Contender, b: Contender, names: Sequence[str]) -> dict[str, str]:
    """Return the quantities that only one of the two shows, and why the other does not."""
    reasons = [why for each in (a, b) for opened in each.sides for why in [opened.side.leaves_out]]
    parameters = "the parameters of one of the two are not known to be a cell's"
    found = {name: next((w[name] for w in reasons if name in w), parameters) for name in names}
    for contender in (a, b):
        if contender.weights is None:
            continue
        for opened in contender.sides:  # what the kernel shows in the place of the object itself
            gone = {n: why for n, why in opened.side.leaves_out.items() if n not in found}
            for name, why in _by_kinds(gone).items():
                found[f"{contender.claim.label}: {opened.name}: {name}"] = why
    return found


def _by_kinds(left_out: Mapping[str, str]) -> dict[str, str]:
    """Return the kind alone, "sgd", of quantities of which all parts have one reason."""
    whole = {}
    for kind in OPTIMIZERS:
        parts = {name: why for name, why in left_out.items() if name.startswith(f"{kind}.")}
        reasons = set(parts.values())
        # The answers too: then every parameter that it has takes no step.
        if len(reasons) == 1 and {f"{kind}.h", f"{kind}.c"} <= parts.keys():
            whole[kind] = reasons.pop()
    rest = {n: why for n, why in left_out.items() if n.partition(".")[0] not in whole}
    return whole | rest


def _check_numbers(oracle: Oracle) -> None:
    """Raise `NotFiniteError` if what both are to be held against is no number."""
    for name, expected in oracle.expected.items():
        if not np.isfinite(expected.value).all():
            raise NotFiniteError(
                f"what both are held against has NaN or infinity in {name}, on finite inputs; "
                "there is nothing to compare."
            )


def _say_nothing(what: str, done: int, total: int) -> None:
    """Take the place of a progress that nobody wants."""


def _alike(claims: tuple[Claim, Claim], sizes: tuple[int, int] | None) -> Spec:
    """Return the spec that both claims share, or raise `UnlikeCellsError`."""
    a, b = claims
    given = [claim.sizes for claim in claims if claim.sizes is not None]
    if not given and sizes is None:
        raise ArgumentError("neither `a` nor `b` tells its sizes; say them: sizes=(I, H).")
    if len(given) == 2 and given[0] != given[1]:
        raise UnlikeCellsError(
            f"different sizes: `a` has {_size(given[0])}, `b` {_size(given[1])}."
        )
    inputs, hidden = given[0] if given else check_sizes(sizes)
    # Where the two are stored otherwise, the wider type computes: it holds the numbers of both.
    dtype = np.dtype("float64" if "float64" in {a.stored, b.stored} else "float32")
    known = next((claim.weights for claim in claims if claim.weights is not None), None)
    return Spec(inputs, hidden, known is None or known.bias, dtype)


def _size(sizes: tuple[int, int]) -> str:
    return f"I = {sizes[0]}, H = {sizes[1]}"


def _measure(contender: Contender, opened: Opened, oracle: Oracle) -> dict[str, Reading]:
    """Run a side; parameters of an object that are not known to be canonical are passed over."""
    found = measure(opened.name, contender.claim.label, opened.side, oracle, coarse=opened.coarse)
    if contender.weights is not None:
        return found
    known = {f"gradient.{name}" for name in ("x", "h", "c")}
    return {
        name: reading
        for name, reading in found.items()
        if name in known or name.split(".")[0] in {"forward", "extreme", "rollout"}
    }


def _same_bits(
    a: Contender, b: Contender, stored: tuple[Weights | None, Weights | None]
) -> bool | None:
    """Return whether what both hold, before any sum, has the same bits."""
    if a.weights is None or b.weights is None or stored[0] is None or stored[1] is None:
        return None
    return stored[0].same_bits(stored[1])


def _say_reference(a: Contender, b: Contender) -> str:
    if a.weights is not None:
        return "float64 on the weights of a"
    return "float64 on the weights of b" if b.weights is not None else "what a computes"


def _party(contender: Contender, spec: Spec, left_out: Mapping[str, str]) -> Party:
    claim, weights = contender.claim, contender.weights
    return Party(
        label=claim.label,
        given=claim.given,
        kind=claim.kind,
        cell=claim.cell,
        cells=claim.cells,
        framework=claim.framework,
        input_size=spec.input_size,
        hidden_size=spec.hidden_size,
        bias=None if weights is None else weights.bias,
        stored=claim.stored or spec.dtype.name,
        weights=weights,
        file=claim.file,
        notes=tuple(contender.notes),
        looks=claim.looks,
        computed_by={each.name: each.version for each in contender.sides},
        alone=left_out.get(f"{claim.label}: {claim.framework}", ""),
    )
