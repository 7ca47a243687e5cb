"""Answers and verdicts as a person reads them, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onecell.language import Language, Text
from onecell.verify.difference.common.adapters import TITLES as FRAMEWORK_TITLES
from onecell.verify.difference.values import Finding, Json, Observation, Outcome, Table, Verdict

VERDICTS: Final[Mapping[Verdict, Text]] = {
    Verdict.SAME: Text("same", "相同"),
    Verdict.DIFFERS: Text("differs", "有差异"),
    Verdict.WRONG: Text("the claim is wrong", "所述有误"),
    Verdict.NOT_RUN: Text("could not be run", "未能运行"),
    Verdict.CRASHED: Text("crashed", "崩溃"),
}

COUNT: Final = Text(
    "Rows: {rows}. The same: {same}; different: {differs}; not as claimed: {wrong}; "
    "not run: {not_run}.",
    "共 {rows} 行：{same} 行相同，{differs} 行有差异，{wrong} 行与所述不符，{not_run} 行未能运行。",
)
PAGE_COUNT: Final = Text(
    " MindSpore's page is wrong in {page}.", "MindSpore 的页面有 {page} 处有误。"
)
CHANGED: Final = Text("Changed since {versions}:", "与 {versions} 相比的变化：")
UNCHANGED: Final = Text("Nothing has changed since {versions}.", "与 {versions} 相比没有变化。")
PAGE: Final = Text("MindSpore's page", "MindSpore 的页面")

TITLES: Final[Mapping[str, str]] = {
    **FRAMEWORK_TITLES,
    "onecell.torch": "onecell.torch",
    "onecell.mindspore": "onecell.mindspore",
}

PHRASES: Final[Mapping[str, str]] = {
    "accepted": "接受",
    "silent": "没有输出",
    "once": "只有一次警告",
    "a warning each time": "每次都有警告",
    "constructor": "构造",
    "call": "调用",
    "rename announced": "预告改名",
    "dtype in fourth place": "dtype 作为第四个位置参数",
    "np.int64 sizes": "np.int64 尺寸",
    "1 for bias": "以 1 表示 bias",
    "by place": "按位置传入",
    "has .bias": "有 .bias",
    "type": "类型",
    "shapes": "形状",
    "state (1, H), batch 2": "状态 (1, H)，批大小 2",
    "x of batch 1, state of batch 2": "x 的批大小 1，状态的批大小 2",
    "within 5e-6": "5e-6 以内",
    "within 1e-5": "1e-5 以内",
    "largest · √H": "最大值 · √H",
    "deviation · √(3H)": "标准差 · √(3H)",
    "tuple": "元组",
    "list": "列表",
    "apart": "分开",
    "in": "传入",
    "out": "返回",
    "zeros": "视为零",
    "none": "无",
    "kept": "保留",
    "clipped to 3": "截断为 3",
    "an operator, no object": "算子，没有对象",
    "orthogonal": "正交",
    "0 and 1": "0 与 1",
}
"""What probes answer in English words → the same in Chinese. Names of code stay as they are."""


def describe(observation: Observation, language: Language = "en") -> str:
    """Return an answer as one line of text."""
    return ("；" if language == "zh" else "; ").join(lines(observation, language))


def lines(observation: Observation, language: Language = "en") -> list[str]:
    """Return an answer as lines of text, one for each of its parts."""
    chinese = language == "zh"
    match observation.outcome:
        case Outcome.MISSING:
            return ["未安装或无法加载" if chinese else "not installed, or does not load"]
        case Outcome.CRASHED:
            how = observation.value
            return [f"进程终止（{how}）" if chinese else f"ends the process ({how})"]
        case Outcome.TIMED_OUT:
            limit = observation.value
            return [f"{limit} 内没有应答" if chinese else f"no answer within {limit}"]
        case Outcome.ANSWERED:
            return _answer(observation.value, language)


def describe_verdict(finding: Finding, language: Language = "en") -> str:
    """Return the verdict, and whose answer it is that is not as claimed."""
    text = VERDICTS[finding.verdict].get(language)
    if not finding.wrong:
        return text
    sides = ", ".join(TITLES[side] for side in finding.wrong)
    return f"{text}（{sides}）" if language == "zh" else f"{text} ({sides})"


def describe_page(finding: Finding, language: Language = "en") -> str:
    """Return whether what the page says is right; empty where it is silent."""
    match finding.page_verdict:
        case None:
            return ""
        case Verdict.WRONG:
            return "有误" if language == "zh" else "wrong"
        case verdict if verdict.holds:
            return "正确" if language == "zh" else "right"
        case _:
            return "未能检验" if language == "zh" else "not checked"


def describe_versions(table: Table, language: Language = "en") -> str:
    """Return the names and versions of all that answered."""
    missing = "未安装" if language == "zh" else "not installed"
    parts = [f"{name} {found or missing}" for name, found in table.versions.items()]
    return ("、" if language == "zh" else ", ").join(parts)


def count(table: Table, language: Language = "en") -> str:
    """Return how many rows have which verdict, as a sentence."""
    verdicts = [finding.verdict for finding in table.findings]
    told = COUNT.get(language).format(
        rows=len(verdicts),
        same=verdicts.count(Verdict.SAME),
        differs=verdicts.count(Verdict.DIFFERS),
        wrong=verdicts.count(Verdict.WRONG) + verdicts.count(Verdict.CRASHED),
        not_run=verdicts.count(Verdict.NOT_RUN),
    )
    pages = [finding.page_verdict for finding in table.findings if finding.page is not None]
    return told + (
        PAGE_COUNT.get(language).format(page=pages.count(Verdict.WRONG)) if pages else ""
    )


def _answer(value: Json, language: Language) -> list[str]:
    if not isinstance(value, dict):
        return [_plain(value, language)]
    colon = "：" if language == "zh" else ": "
    answers = list(value.values())
    if answers and isinstance(answers[0], bool) and all(each is answers[0] for each in answers):
        names = ", ".join(_phrase(key, language) for key in value)
        return [names + colon + _plain(answers[0], language)]
    return [f"{_phrase(key, language)}{colon}{_plain(v, language)}" for key, v in value.items()]


def _plain(value: Json, language: Language) -> str:
    chinese = language == "zh"
    if isinstance(value, bool):
        return ("是" if value else "否") if chinese else ("yes" if value else "no")
    if isinstance(value, str):
        return _phrase(value, language)
    if isinstance(value, float):
        return "0" if value == 0 else f"{value:.1e}" if abs(value) < 0.01 else f"{value:g}"
    if isinstance(value, list):
        return _list(value, language)
    return str(value)


def _list(value: list[Json], language: Language) -> str:
    if not value:
        return "无" if language == "zh" else "none"
    if all(isinstance(each, int) for each in value):
        return f"({', '.join(map(str, value))}{',' if len(value) == 1 else ''})"
    if all(isinstance(each, float) for each in value):
        return ", ".join(f"{each:.2f}" for each in value)
    words = any(isinstance(each, list) and each and isinstance(each[0], str) for each in value)
    return ("; " if words else ", ").join(_plain(each, language) for each in value)


def _phrase(text: str, language: Language) -> str:
    if language == "en":
        return text
    if text.startswith("raises "):
        return "抛出 " + text.removeprefix("raises ")
    return PHRASES.get(text, text)
