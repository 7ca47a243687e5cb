"""The pytest fixture `assert_same_cell`, for suites that port an LSTM cell.

pytest loads this at every start, so it imports nothing of onecell until the fixture is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from onecell.verify import Comparison


class AssertSameCell(Protocol):
    """What the fixture `assert_same_cell` is."""

    def __call__(self, a: object, b: object, **options: Any) -> Comparison:  # noqa: ANN401
        """Fail unless `a` and `b` are the same cell; the message says why they are not.

        Args:
            a: what is taken to be right; see `onecell.verify.compare`.
            b: what claims to be the same.
            **options: as `onecell.verify.compare` has them.

        Returns:
            The comparison, where it holds.
        """


@pytest.fixture(scope="session")
def assert_same_cell() -> AssertSameCell:
    """Return a function that fails unless two things are the same LSTM cell.

    Example:
        ```python
        def test_our_port(assert_same_cell):
            assert_same_cell("model.pt", build_our_cell())
        ```
    """
    return _assert_same_cell


def _assert_same_cell(a: object, b: object, **options: Any) -> Comparison:  # noqa: ANN401
    __tracebackhide__ = True
    from onecell.verify import compare  # noqa: PLC0415

    found = compare(a, b, **options)
    if not found.holds:
        pytest.fail(_explain(found), pytrace=False)
    return found


def _explain(found: Comparison) -> str:
    said = f"not the same cell: {found.diagnosis.text()}"
    if found.verdict == "unproved":
        said = f"not proved to be the same cell: {'; '.join(found.remarks.texts())}"
    lines = [
        said,
        f"a: {found.a.given}",
        f"b: {found.b.given}",
    ]
    if found.first is not None:
        lines.append(found.first.text())
    failing = [quantity.name for quantity in found.quantities if not quantity.holds]
    lines.append(f"{len(failing)} of {len(found.quantities)} quantities do not hold: ")
    lines[-1] += ", ".join(failing)
    if missed := [caught.mutant for caught in found.self_test if not caught.holds]:
        lines.append(f"the self-test misses: {', '.join(missed)}")
    lines.append(f"to repeat it: {found.command}")
    return "\n".join(lines)
