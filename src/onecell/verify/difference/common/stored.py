"""What each framework answered, as it comes with onecell: a JSON file a framework, answers alone.

To renew some of them, with a Python that has each (see `verify.runtimes`):

    python -m onecell.verify.difference.common.stored keras flax
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from onecell.errors import TableError
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.common.matter import MATTERS
from onecell.verify.difference.common.run import Answers, ask_framework
from onecell.verify.difference.values import Observation, Outcome

SCHEMA: Final = "onecell.answers/1"

FOLDER: Final = Path(__file__).parent / "stored"


def stored_answers(framework: str) -> Answers:
    """Return what `framework`, one of `ADAPTERS`, answered when it was last stored."""
    path = FOLDER / f"{framework}.json"
    tree = json.loads(path.read_text("utf-8"))
    found: str = tree["versions"][framework]
    return Answers(
        framework,
        tree["versions"],
        {
            name: Observation(
                framework, found, Outcome(each["outcome"]), each["value"], each.get("said", "")
            )
            for name, each in tree["answers"].items()
        },
    )


def dump_answers(answers: Answers) -> str:
    """Return the text of the file that `stored_answers` reads."""
    rows: dict[str, Any] = {}
    for name, each in answers.observations.items():
        rows[name] = {"outcome": each.outcome.value, "value": each.value}
        if each.said:
            rows[name]["said"] = each.said
    tree = {
        "schema": SCHEMA,
        "framework": answers.framework,
        "versions": dict(answers.versions),
        "answers": rows,
    }
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def store(framework: str) -> Path:
    """Ask `framework` everything and write its file.

    Raises:
        TableError: it is not there.
    """
    answers = ask_framework(framework, MATTERS.values())
    if not answers.versions:
        said = next(iter(answers.observations.values())).said
        raise TableError(f"{framework} {said}")
    path = FOLDER / f"{framework}.json"
    path.write_text(dump_answers(answers), "utf-8")
    return path


if __name__ == "__main__":
    for each in sys.argv[1:] or ADAPTERS:
        sys.stdout.write(f"{store(each)}\n")
