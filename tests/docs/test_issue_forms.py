"""The forms in which people report something are forms that the code host takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FORMS = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE"
pytestmark = pytest.mark.skipif(
    not FORMS.parent.exists(), reason="a source distribution has nothing of the code host's"
)


def test_each_kind_of_report_has_a_form() -> None:
    names = {form.stem for form in FORMS.glob("*.yml")}
    assert names == {"wrong-port", "wrong-number", "speed", "question", "config"}


@pytest.mark.parametrize("name", ["wrong-port", "wrong-number", "speed", "question"])
def test_a_form_asks_for_something_by_fields_that_exist(name: str) -> None:
    form = yaml.safe_load((FORMS / f"{name}.yml").read_text(encoding="utf-8"))
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = form["body"]
    assert {field["type"] for field in fields} <= {"input", "textarea", "checkboxes"}
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)
