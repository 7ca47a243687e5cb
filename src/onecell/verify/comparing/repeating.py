"""What repeats a comparison."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from onecell.dialect import get_dialect
from onecell.verify.comparing.claim import Claim


def _said(claims: tuple[Claim, Claim]) -> Iterator[str]:
    """Yield the options that say how files are to be read."""
    if any(claim.told for claim in claims):
        yield "--from"
        yield ",".join((claim.framework or "") if claim.told else "" for claim in claims)
    for claim in claims:
        added = None if claim.row is None else claim.row.layout.forget_offset
        if claim.row is not None and added != get_dialect(claim.row.name).layout.forget_offset:
            yield f"--forget-bias={added}"
            return


def command(
    claims: tuple[Claim, Claim],
    names: tuple[str | None, str | None],
    steps: int,
    seed: int,
    *,
    inference: bool,
) -> str:
    """Return the shell command that repeats it; with live objects, the call in Python."""
    cell = names[0] if names[0] == names[1] else "=".join(name or "" for name in names)
    if all(claim.kind == "file" or ":" in claim.given for claim in claims):
        words = ["onecell", "verify", *(claim.given for claim in claims)]
        words += ["--cell", cell] if cell else []
        words += _said(claims)
        words += ["--inference"] if inference else []
        return shlex.join([*words, "--steps", str(steps), "--seed", str(seed)])
    given = ", ".join(repr(c.given) if c.kind == "file" else f"<{c.given}>" for c in claims)
    also = ", inference=True" if inference else ""
    return f"onecell.verify.compare({given}, steps={steps}, seed={seed}{also})"
