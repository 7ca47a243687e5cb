"""The report: one page that shows a comparison or a port to a person.

Needs the extra `report` (Jinja2 and matplotlib), which is imported where a page is made.
"""

from __future__ import annotations

from onecell.verify.report.write import render_report, write_report

__all__ = ["render_report", "write_report"]
