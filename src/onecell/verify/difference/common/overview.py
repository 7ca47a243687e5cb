"""One compact table of all frameworks: what most often goes wrong between two of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from onecell.language import Language, Text
from onecell.verify.difference.common.adapters import ADAPTERS, TITLES
from onecell.verify.difference.common.run import Answers
from onecell.verify.difference.common.stored import stored_answers
from onecell.verify.difference.values import Json, Observation, Outcome

_YES: Final = Text("yes", "是")
_NO: Final = Text("no", "否")
_ENDS: Final = Text("ends the process", "进程终止")
_ERROR: Final = Text("error", "报错")


def overview(language: Language = "en") -> str:
    """Return the table as Markdown, out of the answers that come with onecell."""
    heads = [_FRAMEWORK.get(language), *(head.get(language) for head in _COLUMNS)]
    lines = [heads, ["---"] * len(heads)]
    for name in ADAPTERS:
        answers = stored_answers(name)
        versions = " / ".join(answers.versions.values())
        cells = (cell(answers, language) for cell in _COLUMNS.values())
        lines.append([f"{TITLES[name]} {versions}", *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _value(answers: Answers, matter: str) -> Json:
    return answers.observations[matter].value


def _part(answers: Answers, matter: str, part: str) -> Json:
    value = _value(answers, matter)
    return value.get(part) if isinstance(value, dict) else value


def _state(answers: Answers, _: Language) -> str:
    given, told = (_part(answers, "state-order", part) for part in ("in", "out"))
    return str(given) if given == told else f"{given} → {told}"


def _layout(answers: Answers) -> list[str]:
    value = _value(answers, "layout")
    return list(map(str, value.values())) if isinstance(value, dict) else []


def _gates(answers: Answers, language: Language) -> str:
    found = dict.fromkeys(text.rpartition(": ")[2][:7] for text in _layout(answers))
    if all(len(each) == 1 for each in found):
        return _APART.get(language)
    return ", ".join(found)


def _biases(answers: Answers, _: Language) -> str:
    blocks = [t.rpartition(": ")[2].split() for t in _layout(answers) if " bias: " in t]
    return str(sum(map(len, blocks)) // 4)


def _forget(answers: Answers, _: Language) -> str:
    fresh, added = (_value(answers, f"forget-bias-{part}") for part in ("fresh", "added"))
    return f"{fresh:g} + {added:g}"


def _omitted(answers: Answers, language: Language) -> str:
    return (
        _NULL.get(language)
        if _value(answers, "state-omitted") == "zeros"
        else _said(answers.observations["state-omitted"], language)
    )


def _spread(answers: Answers, language: Language) -> str:
    value = _value(answers, "wrong-shapes")
    found = value.values() if isinstance(value, dict) else ()
    return (_YES if any(isinstance(each, list) for each in found) else _NO).get(language)


def _double(answers: Answers, language: Language) -> str:
    found = str(_part(answers, "element-types", "float64"))
    return _ERROR.get(language) if found.startswith("raises") else found


def _gradients(answers: Answers, language: Language) -> str:
    return (_YES if isinstance(_value(answers, "gradients"), list) else _NO).get(language)


def _exact(answers: Answers, _: Language) -> str:
    return f"{_value(answers, 'accuracy'):.1e}"


def _said(observation: Observation, language: Language) -> str:
    if observation.outcome is Outcome.CRASHED:
        return _ENDS.get(language)
    if isinstance(observation.value, str):
        return _ERROR.get(language)
    return _YES.get(language)


_FRAMEWORK: Final = Text("Framework", "框架")
_APART: Final = Text("apart", "各自分开")
_NULL: Final = Text("zeros", "视为零")
_COLUMNS: Final[Mapping[Text, Callable[[Answers, Language], str]]] = {
    Text("state", "状态"): _state,
    Text("gates", "门"): _gates,
    Text("biases", "偏置"): _biases,
    Text("forget bias, fresh + added", "遗忘偏置，新建 + 运行时"): _forget,
    Text("state left out", "省略状态"): _omitted,
    Text("spreads a wrong state", "扩展形状不符的状态"): _spread,
    Text("one row (I,)", "一行 (I,)"): lambda answers, language: _said(
        answers.observations["one-row"], language
    ),
    Text("no rows", "零行"): lambda answers, language: _said(
        answers.observations["empty-batch"], language
    ),
    Text("a float64 cell gives", "float64 单元得到"): _double,
    Text("gradients", "梯度"): _gradients,
    Text("error of a step", "单步误差"): _exact,
}
