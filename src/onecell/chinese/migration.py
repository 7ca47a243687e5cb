"""What the migrator says of a use, and why a source file stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # A file that stays as it is.
    "a mistake in onecell itself, {kind}: {error}": "onecell 自身的错误，{kind}：{error}",
    "a mistake in onecell: what it made of this is {error}": "onecell 的错误：改写的结果 {_error}",
    "a mistake in onecell: more than the changed cells would have changed": (
        "onecell 的错误：会改动未改写的格"
    ),
    "a mistake in onecell: code cell {number} is {error}": (
        "onecell 的错误：第 {number} 个代码格 {_error}"
    ),
    "LibCST does not give it back byte for byte": "LibCST 不能逐字节还原它",
    "LibCST does not parse it: line {line}: {error}": "LibCST 无法解析：第 {line} 行：{error}",
    "not a regular file but {kind}": "不是普通文件，而是{_kind}",
    "a device": "设备",
    "a folder": "文件夹",
    "a pipe": "管道",
    "a socket": "套接字",
    "a socket or a device": "套接字或设备",
    "larger than {size} MiB, which is the most that is read": "大于 {size} MiB，超过读取上限",
    "`target` must be onecell or native, got {given}.": (
        "`target` 必须是 onecell 或 native，却给了 {given}。"
    ),
    "not a notebook of format 4; `jupyter nbconvert --to notebook` makes one": (
        "不是格式 4 的笔记本；`jupyter nbconvert --to notebook` 可以转换"
    ),
    "the source of code cell {number} is not text": "第 {number} 个代码格的源代码不是文本",
    "code cell {number} is {why}": "第 {number} 个代码格：{_why}",
    "the border between two cells would not have survived": "两格之间的边界无法保留",
    "it has half a character (a lone surrogate), which no file can": (
        "含有半个字符（单独的代理项），任何文件都无法保存"
    ),
    "changed while it was migrated; not overwritten, run again": (
        "迁移期间文件有改动；没有覆盖，请重新运行"
    ),
    "cannot be looked over: {error}": "无法检查：{_error}",
    "nested too deeply": "嵌套过深",
    "not enough memory to parse it": "内存不足以解析",
    "{size} of code, and at most {most} are parsed": "代码有 {size}，至多解析 {most}",
    "nested too deeply for Python {version}": "嵌套过深，超出 Python {version} 的限度",
    "nested too deeply or too large for Python {version}": (
        "嵌套过深或过大，超出 Python {version} 的限度"
    ),
    "not Python {version}: line {line}: {error}": "不是 Python {version}：第 {line} 行：{error}",
    "not Python {version}: {error}": "不是 Python {version}：{error}",
    "the line {line} would not have survived": "{line} 这一行无法保留",
    "not a notebook: nested too deeply": "不是笔记本：嵌套过深",
    "not a notebook: {what} has a key twice": "不是笔记本：{what} 有重复的键",
    "not a notebook: line {line} has {found} where `{character}` should be": (
        "不是笔记本：第 {line} 行是 {found}，应为 `{character}`"
    ),
    "not JSON: line {line}: {error}": "不是 JSON：第 {line} 行：{error}",
    "not utf-8: byte {start} is {byte}": "不是 utf-8：第 {start} 字节是 {byte}",
    "its encoding: {error}": "编码：{error}",
    "its bytes are not the ones that {encoding} would write": "其字节与 {encoding} 所写的不同",
    "not {encoding}: line {line} has the byte {byte}": "不是 {encoding}：第 {line} 行有字节 {byte}",
    "line {line} has a form feed, which would be lost": "第 {line} 行有换页符，会丢失",
    "the rewritten text has {what}, which its encoding {encoding} lacks": (
        "改写后的文本含有 {what}，其编码 {encoding} 没有"
    ),
    "parsing took more than {seconds} s": "解析超过 {seconds} 秒",
    "the parser ended its process with status {code}": "解析器的进程以状态 {code} 结束",
    "the parser ended its process: {name}, perhaps for want of memory": (
        "解析器的进程结束：{name}，可能是内存不足"
    ),
    "the parser ended its process: {name}": "解析器的进程结束：{name}",
    "the process that parses does not load: {error}": "解析进程无法加载：{error}",
    "the process that parses does not start: {error}": "解析进程无法启动：{error}",
    "cannot be written: {error}": "无法写出：{error}",
    "not written: {path} has come to be there": "没有写出：{path} 已出现",
    "a link to a file elsewhere; name that file to have it written": (
        "是指向别处文件的链接；要改写请直接给出该文件"
    ),
    "a link to a folder": "是指向文件夹的链接",
    "a checkpoint, not source; `onecell port` takes it ({said})": (
        "是检查点，不是源代码；请用 `onecell port`（{said}）"
    ),
}
