"""The table, run once on what is installed."""

from __future__ import annotations

import pytest

from onecell.verify.difference import Table, run_table, stored_table


@pytest.fixture(scope="session")
def table() -> Table:
    """The whole table of the installed frameworks."""
    return run_table()


@pytest.fixture(scope="session")
def stored() -> Table:
    """The table that comes with onecell."""
    return stored_table()
