"""One framework in a process of its own, started when it is first asked and again after a crash."""

from __future__ import annotations

import os
import sys
from typing import Final, Self

from onecell.verify.child import (
    LIMIT,
    START_LIMIT,
    Child,
    ChildEndedError,
    ChildMissingError,
    ChildTimedOutError,
)
from onecell.verify.difference.values import Observation, Outcome
from onecell.verify.record import version
from onecell.verify.sides import is_installed

_SETTINGS: Final = frozenset(["GLOG_v", "GLOG_logtostderr"])
"""Not passed on: they would change what a framework says, and that is an answer."""


class Session:
    """Runs programs for one framework, and for onecell under its signature.

    A program that ends the process, or runs past its limit, costs that process and no other
    answer. Programs run in an empty folder that goes with the session: MindSpore leaves files.
    """

    def __init__(
        self, framework: str, *, limit: float = LIMIT, start_limit: float = START_LIMIT
    ) -> None:
        self.framework = framework
        self._child = Child(
            [sys.executable, "-m", "onecell.verify.difference.worker", framework],
            limit=limit,
            start_limit=start_limit,
            environment={n: value for n, value in os.environ.items() if n not in _SETTINGS},
        )
        self._missing = "" if is_installed(framework) else "is not installed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, side: str, program: str) -> Observation:
        """Return what `side` answers to `program`."""
        installed = version(self.framework)
        told = installed if side == self.framework else version("onecell")
        if self._missing:
            return Observation(side, None, Outcome.MISSING, None, self._missing)
        try:
            answer, _ = self._child.ask(program.encode())
        except ChildMissingError as error:
            return Observation(side, None, Outcome.MISSING, None, str(error))
        except ChildTimedOutError as error:
            return Observation(side, told, Outcome.TIMED_OUT, str(error))
        except ChildEndedError as error:
            return Observation(side, told, Outcome.CRASHED, str(error))
        return Observation(side, told, Outcome.ANSWERED, answer["value"], answer["said"])

    def close(self) -> None:
        """End the process and remove its folder; also from another thread."""
        self._child.close()
