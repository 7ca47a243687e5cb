"""How many threads a call may use."""

from __future__ import annotations

from onecell import _kernel
from onecell.errors import ArgumentError, DtypeError


def get_num_threads() -> int:
    """Return how many threads a call may use at most, the caller's own included.

    As `set_num_threads` or the environment variable ONECELL_NUM_THREADS has it. Where neither was
    used, as many as torch uses in the calling thread, once `onecell.torch` is imported
    (`torch.set_num_threads`, and what a launcher set); without torch, as OMP_NUM_THREADS says, or
    as many processors as the affinity mask and the control groups of this process allow. Small
    work is done by the caller's thread alone, and so is a call that comes while another uses the
    team.
    """
    return _kernel.num_threads()


def set_num_threads(count: int) -> None:
    """Use at most `count` threads from now on, in every cell of this process.

    0 chooses no number: torch's setting counts again, or what the machine allows.

    The bits of a result do not depend on it.

    Raises:
        DtypeError: `count` is not an integer.
        ArgumentError: `count` is not from 0 to 64.
    """
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise DtypeError(f"`count` must be an integer, got {count!r}.")
    try:
        _kernel.set_num_threads(count.__index__())
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(
            f"`count` must be from 1 to 64, or 0 for as many threads as the machine allows; "
            f"got {count}."
        ) from error
