"""Every kind of report as a file, and a real browser to open it in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsers import chromium
from onecell.verify import Comparison, Proof
from onecell.verify.difference import Table, stored_table
from onecell.verify.report import write_report

from . import samples


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind of report → a file of that kind."""
    folder = tmp_path_factory.mktemp("reports")
    table, made_up = stored_table(), samples.make_table()
    every: dict[str, tuple[Comparison | Proof, Table | None]] = {
        "same": (samples.make_comparison(), table),
        "different": (samples.make_comparison(samples.swapped), None),
        "overlooked": (samples.make_comparison(overlooked=2), None),
        "strange": (samples.make_comparison(samples.swapped, name=samples.STRANGE), made_up),
        "not-finite": (samples.make_comparison(samples.lost, inputs=3, hidden=1), None),
        "alone": (samples.make_comparison(only="a", inputs=1, hidden=1, bias=False), None),
        "large": (samples.large(), None),
        "port": (samples.make_proof(6), None),
        "wrong-port": (samples.make_proof(2, samples.swapped), made_up),
    }
    for kind, (subject, difference) in every.items():
        path = folder / f"{kind}.html"
        write_report(path, subject, difference=difference, created=samples.CREATED)
    return {kind: folder / f"{kind}.html" for kind in every}
