"""Rewrite source that uses `LSTMCell` from one framework's spelling to the other's."""

from onecell.migrate.findings import Finding, Outcome, Rewrite
from onecell.migrate.rewrite import rewrite

__all__ = ["Finding", "Outcome", "Rewrite", "rewrite"]
