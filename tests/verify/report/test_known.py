"""What the page says in Chinese of sentences that are made elsewhere, in English."""

from __future__ import annotations

import pytest

from onecell.verify.mutation import ENLARGED, GATE_SWAPS
from onecell.verify.report.known import known
from onecell.verify.wrong_ports import WRONG_PORTS

NAMES = [
    *(mutation.name for mutation in (*GATE_SWAPS, ENLARGED)),
    *(port.name for port in WRONG_PORTS),
]


@pytest.mark.parametrize("name", dict.fromkeys(NAMES))
def test_every_mistake_has_a_chinese_name(name: str) -> None:
    assert known(name).zh != name


def test_what_is_found_in_a_sentence_is_kept() -> None:
    assert known("`mindspore` is not installed").zh == "未安装 `mindspore`"


def test_a_sentence_that_is_not_known_stays_as_it_is() -> None:
    assert known("gates x are new").zh == "gates x are new"
