"""Why two cells differ: a search through the mistakes that ports are known to make."""

from __future__ import annotations

from onecell.verify.diagnosis.by_answers import diagnose_answers
from onecell.verify.diagnosis.by_behaviour import diagnose_behaviour
from onecell.verify.diagnosis.by_weights import diagnose_weights
from onecell.verify.diagnosis.outcome import is_repeatable, refine

__all__ = ["diagnose_answers", "diagnose_behaviour", "diagnose_weights", "is_repeatable", "refine"]
