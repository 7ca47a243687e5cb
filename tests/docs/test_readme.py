"""What a package index shows of the README leads to the repository, wherever it is read."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

from readme import absolute

ROOT = Path(__file__).parents[2]
HOME = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Homepage"]
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)]+)\)")


def test_links_lead_to_files_of_the_repository() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    led = LINK.findall(absolute(text, HOME))
    assert len(led) == len(LINK.findall(text)) > 20
    for picture, target in led:
        assert target.startswith("https://")
        kind, _, path = target.removeprefix(f"{HOME}/").partition("/main/")
        if target.startswith(HOME):
            assert kind == ("raw" if picture else "blob")
            assert (ROOT / path.split("#")[0]).exists(), path


def test_what_leads_elsewhere_or_within_stays_as_it_is() -> None:
    text = "[a](https://example.org/b) [c](#d) ![e](f/g.svg) [h](i.md#j)"
    assert absolute(text, "https://x") == (
        "[a](https://example.org/b) [c](#d) ![e](https://x/raw/main/f/g.svg) "
        "[h](https://x/blob/main/i.md#j)"
    )


def test_the_package_was_built_with_such_a_description() -> None:
    message = metadata("onecell")
    shown = str(message.get_payload() or message["Description"])  # type: ignore[attr-defined]
    targets = [target for _, target in LINK.findall(shown)]
    assert len(targets) > 20
    assert [target for target in targets if "://" not in target] == []
